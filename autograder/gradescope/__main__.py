"""``python -m autograder.gradescope``."""

import sys

from autograder.gradescope.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
