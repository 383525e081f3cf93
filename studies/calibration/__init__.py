"""`make calibrate`: how often does each network pass, from one seed to the next?

Training begins from random numbers, so a network near the threshold passes with some seeds and
fails with others. This measures how often: every known solution and a sweep of hidden widths, from
many seeds each, by the way that grading goes.

    subjects.py    what is measured
    conditions.py  what else the numbers depend on
    measuring.py   runs it, and keeps what was measured
    figures.py     the numbers that come of it
    writing.py     the page and the plot
"""

from studies.calibration.conditions import conditions_of
from studies.calibration.figures import Row, rows_of
from studies.calibration.measuring import Plan, Sample, key_of, measure_all, read_samples
from studies.calibration.subjects import Role, Subject, subjects_of
from studies.calibration.writing import write_pages

__all__ = [
    "Plan",
    "Role",
    "Row",
    "Sample",
    "Subject",
    "conditions_of",
    "key_of",
    "measure_all",
    "read_samples",
    "rows_of",
    "subjects_of",
    "write_pages",
]
