"""``python -m autograder.harness``."""

import sys

from autograder.harness.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
