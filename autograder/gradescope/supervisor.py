"""Sees to it that there is a result, whatever the grading process does. Standard library alone."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from autograder.core.files import replace_file, reserve_space
from autograder.core.processes import adopt_orphans, end_children
from autograder.reports.placeholder import (
    FAILED,
    OUT_OF_TIME,
    UNFINISHED,
    failed_results,
    is_plausible,
)

GRADER = Path(__file__).resolve().parents[2]
"""The folder that holds the package, the configuration, the data and the tests."""


@dataclass(frozen=True)
class Place:
    """Gradescope's folders below one root, ``/autograder`` in its container."""

    root: Path

    @property
    def submission(self) -> Path:
        """What the student uploaded, any files."""
        return self.root / "submission"

    @property
    def metadata(self) -> Path:
        """Who submitted, and what was submitted before."""
        return self.root / "submission_metadata.json"

    @property
    def results(self) -> Path:
        """What Gradescope reads."""
        return self.root / "results" / "results.json"

    @property
    def pickle(self) -> Path:
        """What `otter grade` reads; it puts an empty file there before the run."""
        return self.root / "results" / "results.pkl"

    def close_to_others(self) -> None:
        """Let nobody but us read the grader, and what was said about earlier submissions.

        Where the box has no mounts of its own and the kernel no Landlock, these modes are what
        keeps the hidden tests from the student's user.
        """
        for path, mode in ((self.root / "source", 0o700), (self.metadata, 0o600)):
            try:
                os.chmod(path, mode)  # noqa: PTH101 (follows a link, as the test's folders have)
            except OSError:
                continue


def replace_json(path: Path, content: dict[str, Any]) -> str:
    """Replace a JSON file in one step, in a folder that is made if it is not there.

    Returns
    -------
    str
        Why that failed; empty if it did not.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
        replace_file(path, text.encode("ascii"))
    except (OSError, ValueError) as error:
        return f"{path.name} could not be written: {error}"
    return ""


GRADED, OUR_FAULT = 0, 2
DEFAULT_CONTAINER_SECONDS = 600.0
"""Gradescope's own limit where nobody changed it; used where the configuration cannot be read."""
WRITE_SECONDS = 10.0
"""Between the end of the grading process and the container's limit: to kill and to write."""
KILL_SECONDS = 5.0
MAX_ANSWER_BYTES = 32 << 20


class Stopped(BaseException):
    """Somebody asked us to end (SIGTERM, SIGINT, SIGHUP)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade what was uploaded; exit status 0 if there is a grade, 2 if the grader failed."""
    parser = argparse.ArgumentParser(
        prog="python -m autograder.gradescope.supervisor", description=__doc__
    )
    parser.add_argument("--root", type=Path, default=Path("/autograder"), help="[/autograder]")
    parser.add_argument("--report", type=Path, help="also write the whole report, for staff")
    options = parser.parse_args(arguments)
    report = options.report.resolve() if options.report else None
    return supervise(Place(options.root.resolve()), report=report)


def supervise(place: Place, *, report: Path | None = None) -> int:
    """Have the upload graded, and put the outcome where Gradescope looks for it."""
    started = time.monotonic()
    # First of all, so that even a SIGKILL leaves a sentence, and a full disk is full afterwards.
    problem = replace_json(place.results, failed_results(UNFINISHED))
    reserve_space(place.results)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    adopt_orphans()
    results: dict[str, Any] = failed_results(FAILED)
    try:
        if problem:
            _say(problem)
        place.close_to_others()
        seconds = container_seconds(GRADER / "otter_config.json") - WRITE_SECONDS
        answer, why = _ask(place, started + seconds)
        if answer is not None and is_plausible(answer.get("results")):
            results = answer["results"]
            if report is not None:
                replace_json(report, answer)
        else:
            _say(why or "The grading process gave no result that Gradescope would take.")
            what = OUT_OF_TIME if time.monotonic() >= started + seconds else FAILED
            results = failed_results(what, seconds=time.monotonic() - started)
    except Stopped:
        _say("The grader was told to stop.")
        results = failed_results(UNFINISHED, seconds=time.monotonic() - started)
    except Exception as error:
        _say(f"The supervisor failed: {type(error).__name__}: {error}")
    finally:
        _ignore_signals()
        end_children()
        problem = replace_json(place.results, results)
    if problem:
        _say(problem)
        return OUR_FAULT
    return OUR_FAULT if results["extra_data"].get("verdict") == "GRADER_ERROR" else GRADED


def container_seconds(config: Path) -> float:
    """The container's time limit; of a broken configuration the grading process complains."""
    try:
        seconds = float(json.loads(config.read_bytes())["gradescope"]["container_seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_CONTAINER_SECONDS
    return seconds if 60 <= seconds <= 2400 else DEFAULT_CONTAINER_SECONDS


def grading_command(place: Place, seconds: float, answer: int) -> list[str]:
    """How to start the grading process, which answers through the file descriptor `answer`."""
    command = [sys.executable, "-m", "autograder.gradescope.grading", "--root", str(place.root)]
    return [*command, "--seconds", f"{seconds:.1f}", "--answer", str(answer)]


def _ask(place: Place, deadline: float) -> tuple[dict[str, Any] | None, str]:
    """Run the grading process until `deadline`; (its answer or None, why there is none)."""
    read, write = os.pipe()
    try:
        process = subprocess.Popen(
            grading_command(place, deadline - time.monotonic(), write),
            stdin=subprocess.DEVNULL,
            # The package is found by the working folder alone, wherever the zip was unpacked.
            cwd=GRADER,
            pass_fds=(write,),
            start_new_session=True,
        )
    finally:
        os.close(write)
    with os.fdopen(read, "rb", buffering=0) as pipe:
        text, ended = _read(pipe.fileno(), deadline)
    if not ended:
        return None, "The grading process ran into the container's time limit and was stopped."
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer, ""
    try:
        status = process.wait(timeout=KILL_SECONDS)
    except subprocess.TimeoutExpired:
        return None, "The grading process closed its answer and went on running."
    if status < 0:
        killed = " (most likely for want of memory)" if status == -signal.SIGKILL else ""
        return None, f"The grading process was ended by {signal.Signals(-status).name}{killed}."
    return None, f"The grading process ended with status {status}; see above for why."


def _read(handle: int, deadline: float) -> tuple[bytes, bool]:
    """All that comes until the other end closes; (bytes, whether that was before `deadline`)."""
    parts = bytearray()
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([handle], [], [], left)[0]:
            break
        part = os.read(handle, 1 << 16)
        if not part:
            return bytes(parts), True
        parts += part
        if len(parts) > MAX_ANSWER_BYTES:
            return b"", True
    return bytes(parts), False


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _say(sentence: str) -> None:
    """For staff: Gradescope keeps standard output, and shows it to nobody else."""
    try:
        print(f"harness: {sentence}", flush=True)
    except OSError:
        return


if __name__ == "__main__":
    sys.exit(main())
