# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
# For the configuration and the tests below: 3f62bd6c78435882be3fae75383bd331
from otter.test_files import test_case

OK_FORMAT = False

name = "reflection_2"
points = 10
all_or_nothing = True


@test_case(
    name="Reflection 2 is answered",
    points=None,
    hidden=True,
)
def test_reflection_2_is_answered(reflections):
    """Reflection 2 is answered."""
    answer = (reflections or {}).get("reflection_2")
    assert answer is not None, "The cell for reflection 2 is missing from the notebook."
    assert answer.present is True, answer.reason
