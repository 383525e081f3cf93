"""From files to submissions: files that may be broken, or made to break the grader.

Nothing here runs a student's code. A file is bytes until `submission.read_submission` has made a
clean notebook of it, and the only exception on the way is `MalformedSubmission`, whose text tells
the student what to do.

`collecting.collect` finds all that staff name, a `Handin` each, and `upload.find_notebook` the one
notebook in what a student handed in.
"""
