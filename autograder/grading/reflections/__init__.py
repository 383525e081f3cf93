"""Whether the three written answers are there: found wherever they went, judged in any language.

The judgement is about presence, not quality: what is clearly no answer (nothing, the placeholder,
the question again, the lesson's own text) is refused with a reason. What is merely odd counts, with
a remark for staff, who read the answers anyway.
"""

from autograder.grading.reflections.judging import (
    Asked,
    Fault,
    ReflectionJudgement,
    Written,
    judge_written,
    judgements_of,
)

__all__ = ["Asked", "Fault", "ReflectionJudgement", "Written", "judge_written", "judgements_of"]
