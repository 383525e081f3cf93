# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
# For the configuration and the tests below: 33d035d2e614cf0f35e4177994d4ab23
from otter.test_files import test_case

OK_FORMAT = False

name = "reflection_3"
points = 10
all_or_nothing = True


@test_case(
    name="Reflection 3 is answered",
    points=None,
    hidden=True,
)
def test_reflection_3_is_answered(reflections):
    """Reflection 3 is answered."""
    answer = (reflections or {}).get("reflection_3")
    assert answer is not None, "The cell for reflection 3 is missing from the notebook."
    assert answer.present is True, answer.reason
