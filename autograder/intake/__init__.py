"""From files to submissions: files that may be broken, or made to break the grader.

Nothing here runs a student's code. A file is bytes until `read_submission` has made a clean
notebook of it, and the only exception on the way is `MalformedSubmission`, whose text tells the
student what to do.

`collect` finds all `Handin` records in what staff name, `find_notebook` the one notebook in what
a student handed in.
"""

from autograder.intake.collecting import Intake, collect
from autograder.intake.folders import find_submissions
from autograder.intake.submission import (
    Handin,
    Student,
    Submission,
    hash_submission,
    read_submission,
)
from autograder.intake.upload import find_notebook

__all__ = [
    "Handin",
    "Intake",
    "Student",
    "Submission",
    "collect",
    "find_notebook",
    "find_submissions",
    "hash_submission",
    "read_submission",
]
