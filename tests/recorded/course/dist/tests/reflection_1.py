# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
# For the configuration and the tests below: 7abe0f62dfe0bf27e79f951b40f264ef
from otter.test_files import test_case

OK_FORMAT = False

name = "reflection_1"
points = 10
all_or_nothing = True


@test_case(
    name="Reflection 1 is answered",
    points=None,
    hidden=True,
)
def test_reflection_1_is_answered(reflections):
    """Reflection 1 is answered."""
    answer = (reflections or {}).get("reflection_1")
    assert answer is not None, "The cell for reflection 1 is missing from the notebook."
    assert answer.present is True, answer.reason
