"""The pages that people read: report.html for staff, feedback.html for each student.

Each is one file that loads nothing from anywhere. What comes from submissions is escaped by
Jinja2, and each page forbids by its Content-Security-Policy what it does not need: the student's
page every script, the staff's page every script but its own.
"""

from autograder.pages.class_report import REPORT_NAME, write_class_report
from autograder.pages.curve import load_drawing
from autograder.pages.feedback import FEEDBACK_NAME, write_feedback
from autograder.pages.rebuilding import Rebuilt, rebuild_pages

__all__ = [
    "FEEDBACK_NAME",
    "REPORT_NAME",
    "Rebuilt",
    "load_drawing",
    "rebuild_pages",
    "write_class_report",
    "write_feedback",
]
