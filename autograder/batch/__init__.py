"""Many submissions: graded side by side, written down one by one, none of them lost.

::

    grading.py    from paths to a folder of grades
    loop.py       hands submissions to a pool, writes down what comes back
    pool.py       grading processes on this machine; `autograder.batch.dask` has those of others
    process.py    the beginning and the end of one of them
    worker.py     what runs in it
"""
