"""Whether the three written answers are there: found wherever they went, judged in any language.

The judgement is about presence, not quality: what is clearly no answer (nothing, the placeholder,
the question again, the lesson's own text, keys struck at random) is refused with a reason; in
doubt an answer counts, since staff read them anyway.
"""

from autograder.reflections.finding import find_reflections
from autograder.reflections.judging import Fault, ReflectionJudgement, judge_reflections

__all__ = ["Fault", "ReflectionJudgement", "find_reflections", "judge_reflections"]
