"""A Dask scheduler and two workers on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.batch.fakes import ROOT

START_SECONDS = 180.0


class DaskCluster:
    """Started by making it; `close` ends it.

    Parameters
    ----------
    folder
        For temporary files, and for `count`: which submissions obedient graders were given.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []
        self.count = folder / "count"
        self.address = self._start_scheduler()
        self.workers = [self._start_worker(n) for n in range(2)]

    def _start_scheduler(self) -> str:
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        process = self._run("scheduler", *options, stderr=subprocess.PIPE)
        assert process.stderr is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and (line := process.stderr.readline()):
            if found := re.search(r"Scheduler at:\s*(tcp://127\.0\.0\.1:\d+)", line):
                return found[1]
        raise AssertionError("the scheduler did not start")

    def _start_worker(self, number: int) -> subprocess.Popen[str]:
        return self._run(
            "worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard",
            "--no-nanny", "--memory-limit", "0",
            "--local-directory", str(self._folder / f"w{number}"),
        )  # fmt: skip

    def _run(
        self, part: str, *options: str, stderr: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{part}", *options],
            cwd=ROOT,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={
                **os.environ,
                "TMPDIR": str(temporary),
                "PYTHONPATH": str(ROOT),
                "M5_TEST_COUNT": str(self.count),
            },
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End all that was started, and wait for what they had started."""
        for process in reversed(self._started):
            children: list[psutil.Process] = []
            with contextlib.suppress(psutil.Error):
                children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.communicate()
            psutil.wait_procs(children, timeout=60)
