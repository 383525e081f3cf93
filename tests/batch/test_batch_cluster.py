"""Does a Dask cluster grade what it is sent, though one of its workers is killed?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import psutil
import pytest

from autograder.batch.dask import ClusterPool
from autograder.batch.grading import Stop, grade_handins
from autograder.batch.loop import Progress
from autograder.batch.pool import Pool
from autograder.core.assignment import Assignment
from autograder.core.errors import BoxError
from autograder.core.report import Report
from autograder.intake import Handin
from autograder.intake.collecting import collect
from autograder.reports.folder import ResultsFolder
from tests.batch.dask_cluster import DaskCluster
from tests.batch.fakes import Said, fake_setup, write_class


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Ends with the tests of this file."""
    with contextlib.ExitStack() as stack:
        cluster = DaskCluster(tmp_path_factory.mktemp("cluster"))
        stack.callback(cluster.close)
        yield cluster


def test_a_killed_workers_jobs_are_graded_by_the_other(
    cluster: DaskCluster, assignment: Assignment, tmp_path: Path
) -> None:
    commands = {f"s{n}": f"sleep 0.5 {n}" for n in range(10)}
    write_class(tmp_path / "in", commands | {"twin": "sleep 0.5 0", "bad": "die"})
    (tmp_path / "scratch").mkdir()
    killed: list[psutil.Process] = []

    class Killer(Said):
        def finished(self, report: Report, remark: str = "") -> None:
            # One that grades: on a busy machine the other may only be starting.
            victims = (psutil.Process(worker.pid) for worker in cluster.workers)
            while not killed:
                victim = next(victims)
                killed.extend(victim.children(recursive=True))
                if killed:
                    victim.kill()

    @contextlib.contextmanager
    def open_pool(todo: Sequence[Handin]) -> Iterator[Pool]:
        setup = fake_setup(assignment, data=str(assignment.data), tests=str(assignment.tests))
        with ClusterPool(cluster.address, setup) as pool:
            yield pool

    rows = grade_handins(
        collect([tmp_path / "in"], scratch=tmp_path / "scratch", assignment_id="activity-m5"),
        assignment=assignment,
        results=ResultsFolder(tmp_path / "out", overwrite=False),
        progress=cast(Progress, Killer()),
        open_pool=open_pool,
        stop=Stop(),
    )
    verdicts = {row["submission"]: row["verdict"] for row in rows}
    assert verdicts.pop("bad") == "GRADER_ERROR"
    assert set(verdicts.values()) == {"PASSED"} and len(verdicts) == 11
    # A worker that is killed takes its grading process along.
    assert killed
    _, alive = psutil.wait_procs(killed, timeout=60)
    assert not alive
    ran = cluster.count.read_text().split()
    # Once more than it is tried, if it was being graded on the worker that was killed.
    assert 3 <= ran.count("bad") <= 4
    # Lost with the worker: what it was grading, and results that nobody had fetched yet.
    assert len(ran) - ran.count("bad") <= len(commands) + 3


def test_what_nobody_wants_any_more_is_stopped(
    cluster: DaskCluster, assignment: Assignment, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    write_class(tmp_path / "in", {"long": f"orphan {pid}"})
    (tmp_path / "scratch").mkdir()
    found = collect([tmp_path / "in"], scratch=tmp_path / "scratch", assignment_id="activity-m5")
    from autograder.batch.messages import read_job

    setup = fake_setup(assignment, data=str(assignment.data), tests=str(assignment.tests))
    with ClusterPool(cluster.address, setup) as pool:
        pool.submit(read_job(found.handins[0], "activity-m5")[0])
        deadline = time.monotonic() + 120
        while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
            pool.wait(0.1)
    process = Path(f"/proc/{pid.read_text()}")
    deadline = time.monotonic() + 120
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not process.exists()


def test_an_address_without_a_scheduler_is_a_sentence(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.batch.dask.CONNECT_SECONDS", 1)
    setup = fake_setup(assignment, data=str(assignment.data), tests=str(assignment.tests))
    with pytest.raises(BoxError, match="No Dask scheduler answers"):
        ClusterPool("tcp://127.0.0.1:9", setup)
