# Made by `m5 release` from assignment/m5.ipynb: change it there, not here.
# For the configuration and the tests below: 246a2eea86c172cee6b797cfc9d3c356
from otter.test_files import test_case

OK_FORMAT = False

name = "runs"
points = 10
all_or_nothing = True


@test_case(
    name="Every cell ran from the top without an error",
    points=None,
    hidden=True,
)
def test_every_cell_ran(execution):
    """Every cell ran from the top without an error."""
    assert execution is not None, "The notebook has not been run."
    assert execution.all_cells_ran is True, execution.failure
