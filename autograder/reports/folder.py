"""The output folder of a run: what is written there, and what is never overwritten."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from autograder.core.config import Record
from autograder.core.errors import ConfigError
from autograder.core.files import NotPlain, TooLarge, opened_folder, read_plain_file, replace_file
from autograder.core.report import Report, Verdict
from autograder.core.text import plain_text
from autograder.reports.files import (
    EXECUTED_NAME,
    FEEDBACK_NAME,
    GRADEBOOK_NAME,
    MAX_REPORT_BYTES,
    REPORT_JSON,
    SUBMISSIONS_NAME,
    RunFiles,
    not_written,
    set_aside,
    write_text,
)
from autograder.reports.results_json import gradescope_results

RUN_NAME = "run.json"
MARKER_NAME = "graded.json"


PageWriter: TypeAlias = Callable[[Report, str | None, Path], object]
"""Given a report, the text of the executed notebook if there is one, and the student's folder."""


class Run(Record, frozen=True, kw_only=True):
    """run.json: whose grades these are."""

    format: int = 1
    assignment: str
    configuration_hash: str


class Marker(Record, frozen=True, kw_only=True):
    """graded.json, written after all other files of a submission: from what they came."""

    format: int = 1
    configuration_hash: str
    content_hash: str
    """Of the file that was handed in."""
    answer_hash: str
    """Of its code and text."""


class ResultsFolder:
    """Where the grades of one run go.

    Parameters
    ----------
    root
        The folder that the user named.
    overwrite
        Whether grades that lie there already may be replaced.
    resume
        Whether grades that lie there already are to be kept, and the rest added.
    write_page
        Writes a student's page into their folder, once everything else is there; for those that
        come without one.

    Attributes
    ----------
    has_pages
        Whether students' pages are written.
    override
        Puts in the points that people gave; every report that is written here passes through it.
    """

    def __init__(
        self,
        root: Path,
        *,
        overwrite: bool,
        resume: bool = False,
        write_page: PageWriter | None = None,
    ) -> None:
        self.root = root
        self.override: Callable[[Report], Report] = lambda report: report
        self.has_pages = write_page is not None
        self._write_page = write_page
        self.resume = resume
        self._overwrite = overwrite
        self._is_locked = False

    @property
    def gradebook(self) -> Path:
        """grades.csv."""
        return self.root / GRADEBOOK_NAME

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out of the folder for as long as this one lasts; once locked, it is.

        Raises
        ------
        ConfigError
            If another run is writing there, or the folder cannot be made.
        """
        if self._is_locked:
            yield
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # The folder itself, so that nothing is left behind; the kernel unlocks it at our end.
            descriptor = os.open(self.root, os.O_RDONLY)
        except OSError as error:
            raise ConfigError(f"{self.root}: cannot be made: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._is_locked = True
            yield
        except BlockingIOError:
            raise ConfigError(
                f"Another `m5 grade` or `m5 regrade` is writing to {self.root}; wait for it."
            ) from None
        finally:
            self._is_locked = False
            os.close(descriptor)

    def prepare(self, run: Run | None = None) -> None:
        """Make the folder.

        Parameters
        ----------
        run
            Written into it; grades of another assignment are never replaced.

        Raises
        ------
        ConfigError
            If grades lie there already and may not be overwritten, or it cannot be made.
        """
        if run is not None:
            self.refuse_another(run)
        if self.gradebook.exists() and not (self._overwrite or self.resume):
            raise ConfigError(
                f"{self.root} holds grades already. Name another folder with -o, go on with "
                "--resume, or replace them with --overwrite."
            )
        try:
            (self.root / SUBMISSIONS_NAME).mkdir(parents=True, exist_ok=True)
            if run is not None:
                write_text(self.root / RUN_NAME, msgspec.json.encode(run).decode() + "\n")
        except OSError as error:
            raise ConfigError(f"{self.root}: cannot be made: {error.strerror}.") from error

    def refuse_another(self, run: Run) -> None:
        """Make sure that no grades of another assignment lie there.

        Raises
        ------
        ConfigError
            If there are such, or nobody knows.
        """
        path = self.root / RUN_NAME
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Run)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigError(
                f"{path} cannot be read ({error}), so nobody knows whose grades these are. "
                "Name another folder with -o."
            ) from error
        if found.assignment != run.assignment:
            raise ConfigError(
                f"{self.root} holds the grades of another assignment, {found.assignment}. "
                "Name another folder with -o."
            )

    def folder_of(self, submission: str) -> Path:
        """The folder of one submission; intake has made the name safe."""
        return self.root / SUBMISSIONS_NAME / submission

    def keep(
        self,
        report: Report,
        *,
        run: RunFiles | None = None,
        page: bytes | None = None,
        marker: Marker | None = None,
        leaderboard: bool = False,
    ) -> Report:
        """Write all files of one submission; each appears whole or not at all.

        Every report of a results folder passes here, whoever made it: it is returned with the
        overrides of the folder, as it was written.

        Parameters
        ----------
        run
            What comes of running it; None to leave what lies there.
        page
            The student's page, if it has been drawn already, without overrides.
        leaderboard
            Whether results.json has the entry that Gradescope would list.
        marker
            Written last, so that a folder that has it is complete.

        Raises
        ------
        ResultsError
            If something cannot be written: mostly because the disk is full.
        """
        folder = self.folder_of(report.submission)
        counted = self.override(report)
        shown = gradescope_results(counted, leaderboard=leaderboard)
        # Indented afterwards: `json` itself would do that in Python.
        flat = json.dumps(shown, ensure_ascii=False).encode("utf-8", "replace")
        results = msgspec.json.format(flat, indent=2) + b"\n"
        pretty = msgspec.json.format(msgspec.json.encode(counted), indent=2) + b"\n"
        try:
            folder.mkdir(exist_ok=True)
            set_aside(folder, pretty)
            (folder / MARKER_NAME).unlink(missing_ok=True)
            if run is not None:
                run.write(folder)
            replace_file(folder / "results.json", results)
            replace_file(folder / REPORT_JSON, pretty)
            if page is not None and counted == report:
                replace_file(folder / FEEDBACK_NAME, page)
            else:
                self._add_page(counted, folder, run)
            if marker is not None:
                write_text(folder / MARKER_NAME, msgspec.json.encode(marker).decode() + "\n")
        except OSError as error:
            raise not_written(folder, error) from error
        return counted

    def _add_page(self, report: Report, folder: Path, run: RunFiles | None) -> None:
        if self._write_page is None:
            return
        executed = run.executed if run else self.text_of(folder.name, EXECUTED_NAME)
        try:
            self._write_page(report, executed, folder)
        except OSError:
            raise
        except KeyboardInterrupt:  # nor must a wish to stop, while it is drawn
            return
        except Exception as error:  # a page that cannot be drawn must not cost a grade
            with (folder / "grading.log").open("a", encoding="utf-8") as log:
                why = plain_text(f"{type(error).__name__}: {error}")
                log.write(f"\nfeedback.html was not written: {why}\n")

    def others(self, known: Container[str]) -> list[str]:
        """Submissions that were graded into this folder, and are not among the known ones."""
        root = self.root / SUBMISSIONS_NAME
        folders = sorted(root.iterdir()) if root.is_dir() else []
        return [path.name for path in folders if path.is_dir() and path.name not in known]

    def marker_of(self, submission: str) -> Marker | None:
        """From what the files of a submission came; None if they are not all there."""
        try:
            content = (self.folder_of(submission) / MARKER_NAME).read_bytes()
            return msgspec.json.decode(content, type=Marker)
        except (OSError, msgspec.MsgspecError):
            return None

    def report_of(self, submission: str) -> Report | None:
        """The report of a submission that was graded; None if there is none that can be read."""
        report = self.report_in(submission)
        return None if report is None or report.verdict is Verdict.GRADER_ERROR else report

    def reports(self) -> Iterator[Report]:
        """All reports that can be read, of failures of the grader too, by the folders' names."""
        for name in self.others(()):
            if report := self.report_in(name):
                yield report

    def report_in(self, submission: str) -> Report | None:
        """The same of one, whether it was graded or the grader failed."""
        try:
            with opened_folder(self.folder_of(submission)) as folder:
                content = read_plain_file(folder, REPORT_JSON, max_bytes=MAX_REPORT_BYTES)
            return msgspec.json.decode(content, type=Report)
        except (OSError, NotPlain, TooLarge, ValueError, RecursionError):
            return None

    def text_of(self, submission: str, name: str) -> str | None:
        """One of a submission's files; None if it is not there."""
        try:
            return (self.folder_of(submission) / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
