"""A net under the grader: what boxes handed out once, graded again without running anything.

`course/` is the course as it was, `submissions/` are notebooks, `runs/` is what the box handed out
after each of their runs (the export folder as it was, and how the cells ended), and `expected/` is
what `m5 grade` writes about them. The replay is that same command: only the box and the executor
are exchanged for ones that hand the recording out again. So all that follows on a run is under
test: measurement, checks, hints, notes, second runs, tables and pages, to the letter.

    python -m tests.recorded record [NAME ...]    run these notebooks anew (none named: all)
    python -m tests.recorded expect               write down what the grader says of them now

A change that is meant shows as a difference of `expected/` in the commit that makes it. Recording
is for new cases, and for a change of what leaves the box; it trains some twenty small networks.
"""
