"""The side of Gradescope's container: ``python -m autograder.gradescope.supervisor``.

Two processes, so that there is a result whatever happens to one of them::

    supervisor.py    standard library alone; writes a result that holds at once, starts the other,
                     watches the clock, takes its answer, and puts that in place
    grading.py       reads the upload, runs the pipeline, answers through a pipe; prints what staff
                     read

What students see is written by `autograder.reports.results_json`.
"""
