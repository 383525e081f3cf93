"""Run once, when the image is built: is the grader whole, and is there a box for notebooks?"""

from __future__ import annotations

import sys

from autograder.core.assignment import load_assignment
from autograder.core.errors import AutograderError
from autograder.gradescope.supervisor import GRADER
from autograder.sandbox.box import Toolbox, probe


def main() -> int:
    """Exit status 0 if a submission could be graded here."""
    try:
        assignment = load_assignment(GRADER)
        with Toolbox.make(assignment.mnist.handed_out()) as toolbox:
            isolation = probe(
                limits=assignment.config.limits,
                toolbox=toolbox,
                secret_files=assignment.secret_files,
            )
    except AutograderError as error:
        print(f"setup_check: {error}", file=sys.stderr)
        return 1
    print(f"setup_check: notebooks run in a box of kind {isolation.kind.value}.")
    for reason in isolation.missing:
        print(f"setup_check: here it does not hold back: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
