"""Whatever the grading process does, there is a result, in time, and nothing is left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autograder.core.files import reserve_space
from autograder.gradescope import supervisor
from autograder.gradescope.supervisor import Place, replace_json
from tests.gradescope.conftest import Autograder

DRIVER = Path(__file__).with_name("supervise.py")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Autograder:
    (tmp_path / "submission").mkdir()
    return Autograder(tmp_path)


def start(place: Autograder, program: str, *, seconds: float = 100) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(place.root), str(seconds), program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def run(place: Autograder, program: str, *, seconds: float = 100) -> tuple[int, str]:
    process = start(place, program, seconds=seconds)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def test_an_answer_becomes_the_result(place: Autograder) -> None:
    assert run(place, "os.write(answer, good)")[0] == 0
    assert place.results["score"] == 60


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("sys.exit(2)", "status 2"),
        ("raise MemoryError", "status 1"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL (most likely for want of memory)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("os.write(answer, good[:40])", "status 0"),
        ("os.write(answer, b'[]')", "status 0"),
        ("""os.write(answer, b'{"results": {}}')""", "no result"),
        ("""os.write(answer, b'{"results": {"output": "x", "score": null}}')""", "no result"),
        ("while True: os.write(answer, bytes(1 << 20))", "status"),
    ],
)
def test_no_good_answer_is_no_grade(place: Autograder, program: str, said: str) -> None:
    status, output = run(place, program)
    assert status == 2 and said in output
    results = place.results
    assert "score" not in results and results["output"].startswith("The grader failed.")


def test_a_hang_ends_at_the_deadline(place: Autograder) -> None:
    status, output = run(place, "time.sleep(1000)", seconds=1.5)
    assert status == 2
    assert "time limit" in output and "out of time" in place.results["output"]


def test_a_process_that_answers_and_hangs_is_believed(place: Autograder) -> None:
    program = "os.write(answer, good); os.close(answer); time.sleep(1000)"
    assert run(place, program)[0] == 0
    assert place.results["score"] == 60


def test_nothing_is_left_running(place: Autograder) -> None:
    token = f"left-{os.getpid()}"
    child = f"import os, time; os.setsid(); os.fork(); time.sleep(300)  # {token}"
    program = f"[subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(3)]\n"
    assert run(place, program + "time.sleep(1); os.write(answer, good)")[0] == 0
    assert not [p for p in psutil.process_iter() if token in " ".join(_command(p))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_a_result(place: Autograder, number: signal.Signals) -> None:
    process = start(place, "time.sleep(1000)")
    deadline = time.monotonic() + 100
    while not (grading := _grading(process.pid)):
        assert time.monotonic() < deadline, "no grader was started"
        time.sleep(0.05)
    [child] = grading
    process.send_signal(number)
    if number == signal.SIGKILL:  # then nobody is left to end it
        child.kill()
    process.communicate(timeout=100)
    assert "did not finish" in place.results["output"]
    with contextlib.suppress(psutil.NoSuchProcess):
        assert child.status() == psutil.STATUS_ZOMBIE


def _grading(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.Error:
        return []


def test_a_result_is_there_before_grading_begins(place: Autograder) -> None:
    look = f"print(open({str(place.results_path)!r}).read()); os.write(answer, good)"
    assert "did not finish" in run(place, look)[1]


def test_the_grader_and_earlier_results_are_closed_to_others(place: Autograder) -> None:
    (place.root / "source").mkdir(mode=0o755)
    (place.root / "submission_metadata.json").write_text("{}")
    run(place, "os.write(answer, good)")
    assert (place.root / "source").stat().st_mode & 0o777 == 0o700
    assert (place.root / "submission_metadata.json").stat().st_mode & 0o777 == 0o600


def test_results_that_cannot_be_written_are_our_fault(place: Autograder) -> None:
    (place.root / "results").write_text("a file where the folder should be")
    status, said = run(place, "os.write(answer, good)")
    assert status == 2 and "could not be written" in said


def test_a_full_disk_after_the_start_does_no_harm(tmp_path: Path) -> None:
    disk = tmp_path / "results"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("only where a small disk can be mounted")
    try:
        path = Place(tmp_path).results
        assert replace_json(path, {"first": True}) == ""
        reserve_space(path)
        with pytest.raises(OSError), (disk / "filler").open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        assert replace_json(path, {"second": "x" * 100_000}) == ""
        assert "second" in path.read_text()
        assert "could not be written" in replace_json(path, {"third": "x" * 3_000_000})
        assert "second" in path.read_text()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('{"gradescope": {"container_seconds": 900}}', 900),
        ('{"gradescope": {"container_seconds": 1e9}}', 600),
        ('{"gradescope": {"container_seconds": -1}}', 600),
        ('{"gradescope": {"container_seconds": NaN}}', 600),
        ('{"gradescope": 3}', 600),
        ("[]", 600),
        ("{", 600),
    ],
)
def test_a_broken_configuration_leaves_gradescopes_own_limit(
    tmp_path: Path, text: str, seconds: float
) -> None:
    (tmp_path / "c.json").write_text(text)
    assert supervisor.container_seconds(tmp_path / "c.json") == seconds
    assert supervisor.container_seconds(tmp_path / "none.json") == 600
