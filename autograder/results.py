"""The output folder of a run: what is written there, and what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import nbformat

from autograder.errors import ConfigError
from autograder.gradescope import gradescope_results
from autograder.pipeline import Outcome

GRADEBOOK_NAME = "grades.csv"
SUBMISSIONS_NAME = "submissions"


class ResultsFolder:
    """Where the grades of one run go.

    Parameters
    ----------
    root
        The folder that the user named.
    overwrite
        Whether grades that lie there already may be replaced.
    """

    def __init__(self, root: Path, *, overwrite: bool) -> None:
        self.root = root
        self._overwrite = overwrite

    @property
    def gradebook(self) -> Path:
        """grades.csv."""
        return self.root / GRADEBOOK_NAME

    def prepare(self) -> None:
        """Make the folder.

        Raises
        ------
        ConfigError
            If grades lie there already and may not be overwritten, or it cannot be made.
        """
        if self.gradebook.exists() and not self._overwrite:
            raise ConfigError(
                f"{self.root} holds grades already. Name another folder with -o, or replace them "
                "with --overwrite."
            )
        try:
            (self.root / SUBMISSIONS_NAME).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.root}: cannot be made: {error.strerror}.") from error

    def folder_of(self, submission: str) -> Path:
        """The folder of one submission; intake has made the name safe."""
        return self.root / SUBMISSIONS_NAME / submission

    def write(self, outcome: Outcome) -> None:
        """Write all files of one submission; each appears whole or not at all."""
        folder = self.folder_of(outcome.report.submission)
        folder.mkdir(exist_ok=True)
        results = gradescope_results(outcome.report)
        _write(folder / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        report = msgspec.json.format(msgspec.json.encode(outcome.report), indent=2)
        _write(folder / "report.json", report.decode() + "\n")
        _write(folder / "grading.log", outcome.log)
        if outcome.executed is not None:
            _write(folder / "executed.ipynb", nbformat.writes(outcome.executed) + "\n")


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash leaves the old one or the new one."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8", errors="replace")
    temporary.replace(path)
