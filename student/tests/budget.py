# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
from otter.test_files import test_case

OK_FORMAT = False

name = "budget"
points = 20
all_or_nothing = True


@test_case(
    name="The network has at most 110,000 parameters",
    points=None,
    hidden=False,
    success_message="The local check passed. Gradescope counts the parameters again.",
    failure_message="Not there yet. Change one thing, run the network again, then this check.",
)
def test_within_the_budget(model):
    """The network has at most 110,000 parameters."""
    assert hasattr(model, "count_params"), (
        "There is no network in `model` yet. Have you run the cell that builds and trains it?"
    )
    parameters = int(model.count_params())
    message = (
        f"The network has {parameters:,} parameters; at most "
        "110,000 are allowed. Which layer holds most of them, and what "
        "would it lose if it were narrower? `model.summary()` shows each layer."
    )
    assert parameters <= 110000, message
