"""Many submissions: graded side by side, written down one by one, none of them lost.

::

    grading.py    from paths to a folder of grades
    loop.py       hands submissions to a pool, writes down what comes back
    resuming.py   what an earlier run has graded, judged again if need be
    regrading.py  a whole folder judged again
    whatif.py     how many would pass by other rules
    filing.py     what a submission is judged by, as files
    twins.py      those that are the same
    versions.py   which grader it is
    pool.py       grading processes of this machine
    dask.py       those of other machines
    process.py    the beginning and the end of one of them
    messages.py   what is said to it, and what it answers
    worker.py     what runs in it
    executed.py   the executed notebook, as it is kept
    terminal.py   what staff see meanwhile
"""
