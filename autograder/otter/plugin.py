"""Otter's plugin: stock ``otter run -a dist/autograder.zip`` with this grader's scores and safety.

Otter would run the notebook in a kernel of its own, tests beside it, and unpickle what comes out.
Before it gets that far, this plugin grades the submission with the harness, takes everything that
the student handed in out of Otter's sight, and leaves an empty notebook for Otter to run.

::

    Otter: unpack, copy tests/ (inert), read the notebook as JSON
    before_grading      the harness grades; the submission folder is emptied
    Otter: look for .OTTER_LOG (there is none any more), start the log server and a kernel
    before_execution    the empty notebook once more
    Otter: run it and the inert tests, unpickle their results
    after_grading       the harness's results take their place
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import nbformat

from autograder.core.assignment import GRADER_FOLDER
from autograder.core.errors import AutograderError
from autograder.core.report import Report
from autograder.otter import otter_results

if TYPE_CHECKING:
    AbstractOtterPlugin: Any = object
else:
    from otter.plugins import AbstractOtterPlugin

KEPT = frozenset({"tests"})
"""In the submission folder, from the archive: the inert tests."""


class NotGraded(AutograderError):
    """The harness gave no grade; Otter must not make a zero of that."""


class ActivityM5Plugin(AbstractOtterPlugin):  # type: ignore[misc]
    """Listed in the archive's ``otter_config.json``."""

    _report: Report | None = None

    def before_grading(self, config: Any) -> None:
        """Grade, and leave nothing of the student's where Otter's kernel will run.

        Raises
        ------
        NotGraded
            If the grader failed. Otter then stops without a result, as it should: for errors of
            its own kind it would write a zero.
        """
        config.grade_from_log = False
        config.pdf = False
        config.token = None
        config.seed = None
        notebook = Path(self.submission_path)
        self._report = _grade(notebook.parent)
        _empty(notebook.parent)
        if notebook.suffix == ".ipynb":
            notebook.write_text(nbformat.writes(_inert_notebook()), encoding="utf-8")
        else:
            notebook.write_text("", encoding="utf-8")
        # Otter made it, as a mark of a package; a student's own is gone with the rest.
        (notebook.parent / "__init__.py").touch()
        if self._report.score is None:
            raise NotGraded(" ".join([self._report.headline, *self._report.staff_notes]))

    def before_execution(self, submission: Any) -> Any:
        """Whatever Otter has read by now: this is what it runs."""
        if self._report is None:
            raise NotGraded(
                "before_grading was not called: this version of Otter is not supported."
            )
        return _inert_notebook()

    def after_grading(self, results: Any) -> None:
        """Put the harness's results in place of those of the inert tests."""
        assert self._report is not None
        ours = otter_results(self._report)
        results.results = ours.results
        results.set_output(ours.output)

    def generate_report(self) -> str:
        """What Otter prints at the end."""
        assert self._report is not None
        report = self._report
        lines = [report.headline, *report.notes]
        lines += [
            f"{check.points:g}/{check.max_points:g}  {check.title}: {check.measured}"
            for check in report.checks
        ]
        return "\n".join(lines)


def _grade(submission: Path) -> Report:
    """Run the harness of the archive that Otter unpacked, on a copy in Gradescope's layout."""
    otter_root = submission.parent
    grader = otter_root / "source" / GRADER_FOLDER
    with tempfile.TemporaryDirectory(prefix="m5-otter-") as folder:
        root = Path(folder)
        shutil.copytree(
            submission,
            root / "submission",
            symlinks=True,
            ignore=lambda parent, _: KEPT if Path(parent) == submission else frozenset(),
        )
        metadata = otter_root / "submission_metadata.json"
        if metadata.is_file():
            shutil.copyfile(metadata, root / metadata.name)
        (root / "source").symlink_to(otter_root / "source")
        command = [sys.executable, "-m", "autograder.gradescope.supervisor", "--root", str(root)]
        report = root / "report.json"
        done = subprocess.run(
            [*command, "--report", str(report)], cwd=grader, stdin=subprocess.DEVNULL
        )
        try:
            return msgspec.convert(msgspec.json.decode(report.read_bytes())["report"], Report)
        except (OSError, msgspec.MsgspecError, KeyError) as error:
            raise NotGraded(
                f"The grader failed (exit status {done.returncode}); see above. This is no grade."
            ) from error


def _empty(folder: Path) -> None:
    """Delete all that was handed in, a submitted .OTTER_LOG among it."""
    for entry in folder.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _inert_notebook() -> Any:
    """A notebook without cells, for a kernel that has nothing to do."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
