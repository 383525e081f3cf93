"""Grades Activity M5, a Keras notebook on MNIST, without trusting the notebook.

Data flows one way: intake -> box -> measurement -> checks -> report. `autograder.pipeline` is the
whole way of one submission on one page; `autograder.cli` is the command ``m5``.
"""

__version__ = "0.1.0"
