"""Does a batch survive whatever is killed, and when somebody wants it to stop?"""

from __future__ import annotations

import contextlib
import csv
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autograder.reports.tables import COLUMNS
from tests.batch.fakes import ROOT, write_class

SUBMISSIONS = 40
WAIT_SECONDS = 240.0


class Run:
    """`m5 grade` with obedient graders, as a process that may be killed."""

    def __init__(self, folder: Path) -> None:
        self.out, self.scratch = folder / "out", folder / "scratch"
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self, *options: str, file_bytes: int | None = None) -> subprocess.Popen[str]:
        def limit() -> None:
            if file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        paths = map(str, (self._folder / "in", self.out, self.scratch))
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.fakes", *paths, *options],
            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, preexec_fn=limit,
            env={**os.environ, "TMPDIR": str(temporary)},
        )  # fmt: skip
        return self._process

    @property
    def has_ended(self) -> bool:
        """Whether it was started, and is over."""
        return self._process is not None and self._process.poll() is not None

    def workers(self) -> list[psutil.Process]:
        """The grading processes; others may end while they are looked at."""
        found = []
        with contextlib.suppress(psutil.Error):
            assert self._process is not None
            for each in psutil.Process(self._process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if "batch.worker" in " ".join(each.cmdline()):
                        found.append(each)
        return found

    def rows(self) -> dict[str, str]:
        """Submission to verdict; every row must be whole."""
        if not (self.out / "grades.csv").exists():
            return {}
        with (self.out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        assert tuple(header) == COLUMNS
        assert all(len(row) == len(COLUMNS) for row in rows)
        names = [row[0] for row in rows]
        assert len(set(names)) == len(names)
        return {row[0]: row[header.index("verdict")] for row in rows}

    def left_behind(self) -> list[str]:
        """Temporary files and folders."""
        return sorted(path.name for path in (self._folder / "tmp").iterdir())

    def end(self) -> None:
        """Whatever happens in a test."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=WAIT_SECONDS)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run that does not outlive its test."""
    made = Run(tmp_path)
    yield made
    made.end()


def until(condition: object, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.heavy
@pytest.mark.parametrize("kills_wanted", [5, pytest.param(30, marks=pytest.mark.long)])
def test_killing_at_random_moments_loses_only_what_was_in_hand(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills_wanted: int
) -> None:
    names = {f"s{n:02}": f"sleep 0.15 {n}" for n in range(SUBMISSIONS)}
    write_class(tmp_path / "in", names)
    monkeypatch.setenv("M5_TEST_COUNT", str(tmp_path / "count"))
    dice = random.Random(20261121)
    before: dict[str, str] = {}
    kills = parents = 0
    # The last kills would find nothing to do if all were graded before them.
    process = run.start("resume")
    while kills < kills_wanted:
        until(lambda: run.workers() or run.has_ended, "no grading process")
        time.sleep(dice.uniform(0.0, 0.5))
        kills += 1
        if dice.random() < 0.2 and process.poll() is None:
            workers = run.workers()
            process.kill()
            parents += 1
            psutil.wait_procs(workers, timeout=WAIT_SECONDS)
            assert not [w for w in workers if w.is_running()]
        else:
            # They are asked for once: one that ends of itself must not change the list in between.
            if workers := run.workers():
                with contextlib.suppress(psutil.NoSuchProcess):
                    dice.choice(workers).kill()
        now = run.rows()
        finished = {name for name, verdict in before.items() if verdict == "PASSED"}
        assert finished <= set(now)
        before = now
        if process.poll() is not None:
            process.communicate()
            if all(verdict == "PASSED" for verdict in now.values()) and len(now) == len(names):
                names |= {f"t{kills:02}-{n}": f"sleep 0.15 {kills} {n}" for n in range(6)}
                write_class(tmp_path / "in", names)
            process = run.start("resume")
    assert parents >= kills_wanted // 10
    process.communicate(timeout=WAIT_SECONDS)
    # Who was hit three times in one run was given up there; nobody is hit any more.
    process = run.start("resume")
    _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, said
    rows = run.rows()
    assert list(rows) == sorted(names)
    assert set(rows.values()) == {"PASSED"}
    ran = (tmp_path / "count").read_text().split()
    # Each kill costs at most what two processes had in hand.
    assert len(ran) <= len(names) + 2 * kills_wanted
    assert run.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_keeps_what_is_finished_and_leaves_nothing(
    run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    pids = [tmp_path / "pid-b", tmp_path / "pid-c"]
    b, c = (f"orphan {pid}" for pid in pids)
    write_class(tmp_path / "in", {"a": "sleep 0", "b": b, "c": c})
    process = run.start()
    until(lambda: all(pid.exists() and pid.read_text() for pid in pids), "not started")
    workers = run.workers()
    assert len(workers) == 2
    process.send_signal(number)
    _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130, said
    assert "Stopping, given up: b, c" in said
    assert run.rows() == {"a": "PASSED"}
    assert not any(worker.is_running() for worker in workers)
    assert not any(Path(f"/proc/{pid.read_text()}").exists() for pid in pids)
    assert run.left_behind() == []


@pytest.mark.parametrize(
    "large", ["flood 90000", "sleep 0 " + "#" * 90_000], ids=["outputs", "a notebook"]
)
def test_a_full_disk_is_a_sentence_and_loses_nothing(run: Run, tmp_path: Path, large: str) -> None:
    """By a limit on the size of a file: on our side, and on that of a grading process."""
    folder = tmp_path / "in"
    write_class(folder, {"a": "sleep 0", "b": "sleep 0.01", "c": large})
    process = run.start(file_bytes=60_000)
    _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert "cannot be written: File too large" in said and "--resume" in said
    assert "Traceback" not in said
    # Two run side by side, so that the large one may follow on either.
    assert run.rows() and "c" not in run.rows()
    assert not list(run.out.rglob("*.part"))
    process = run.start("resume")
    process.communicate(timeout=WAIT_SECONDS)
    assert list(run.rows()) == ["a", "b", "c"]
