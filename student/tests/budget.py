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
    success_message="This was the local check. Gradescope counts the parameters again, and checks more.",
    failure_message="Change one thing, run the network again, then this check. Gradescope checks more.",
)
def test_within_the_budget(model):
    """The network has at most 110,000 parameters."""
    budget = 110000
    assert hasattr(model, "count_params"), (
        "There is no network in `model` yet. Have you run the cell that builds and trains it?"
    )
    assert getattr(model, "built", True), (
        "The network has no parameters yet, since it does not know how large an image is. Which "
        "layer could tell it, or have you not trained it yet?"
    )
    parameters = int(model.count_params())
    measured = f"The network has {parameters:,} parameters; at most {budget:,} are allowed."
    assert parameters <= budget, (
        f"{measured} Which layer holds most of them, and what would it lose if it were narrower? "
        "`model.summary()` shows each layer."
    )
    return measured
