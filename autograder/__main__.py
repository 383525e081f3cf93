"""``python -m autograder`` is the command ``m5``."""

from autograder.cli import main

main()
