"""Grades Activity M5, a Keras notebook on MNIST, without trusting the notebook.

The rooms, in reading order; each uses only those above it (`make lint` sees to that):

    core/         what all rooms speak of: configuration, images, reports, files, processes
    intake/       a file or a class export becomes submissions
    sandbox/      runs a notebook where it can do no harm; inside/ is what runs there, untrusted
    network/      from what left the box to an accuracy
    grading/      from an accuracy to a grade; pipeline.py is the whole way of one submission
    reports/      what people read: tables, pages, Gradescope's format
    batch/        many submissions, on one machine or on several
    otter/        the plugin for stock Otter
    gradescope/   the side of Gradescope's container
    release/      from the assignment's source to what is handed out and uploaded

`autograder.cli` is the command ``m5``.
"""

__version__ = "0.1.0"
