"""Finding and reading submissions: files that may be broken, or made to break the grader.

Nothing here runs a student's code. A file is bytes until `read_submission` has made a clean
notebook of it, and the only exception on the way is `MalformedSubmission`, whose text tells the
student what to do.

An importer (for an export of Gradescope, Canvas or nbgrader, or a zip) is a function that returns
`Candidate` records; `name_candidates` gives them folder names, `read_submission` does the rest.
"""

from autograder.intake.candidates import Candidate, find_submissions
from autograder.intake.naming import name_candidates, safe_name
from autograder.intake.reading import Submission, hash_submission, read_submission
from autograder.intake.uploads import Upload, find_upload

__all__ = [
    "Candidate",
    "Submission",
    "Upload",
    "find_submissions",
    "find_upload",
    "hash_submission",
    "name_candidates",
    "read_submission",
    "safe_name",
]
