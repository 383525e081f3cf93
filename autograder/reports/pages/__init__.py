"""The pages that people read: report.html for staff, feedback.html for each student.

Each is one file that loads nothing from anywhere. What comes from submissions is escaped by
Jinja2, and each page forbids by its Content-Security-Policy what it does not need: the student's
page every script, the staff's page every script but its own.
"""

from autograder.reports.files import FEEDBACK_NAME, REPORT_NAME
from autograder.reports.pages.drawing import (
    AHEAD_OF_CLASS,
    write_class_report,
    write_feedback,
)
from autograder.reports.pages.rebuilding import Rebuilt, rebuild_pages

__all__ = [
    "AHEAD_OF_CLASS",
    "FEEDBACK_NAME",
    "REPORT_NAME",
    "Rebuilt",
    "rebuild_pages",
    "write_class_report",
    "write_feedback",
]
