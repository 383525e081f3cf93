"""Does a run end well, however its cells end? With a prelude that does nothing, to be quick.

That outputs are kept as Jupyter's own tools keep them, tests/sandbox/test_nbclient.py sees to.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import psutil
import pytest

from autograder.core.assignment import Assignment
from autograder.core.errors import BoxError
from autograder.sandbox import (
    CellError,
    CellStatus,
    Ending,
    Execution,
    Isolation,
    Message,
    executor,
)
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.box.zygote import Zygote
from autograder.sandbox.executor import Executor
from autograder.sandbox.kernel import MAX_MESSAGE_BYTES, Kernel
from autograder.sandbox.outputs import OutputKeeper
from tests.notebooks import notebook

MEGABYTE = 1 << 20
NOTEBOOK_SECONDS = 400.0


class Runner:
    """Runs cells with limits that a test can wait for."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox, zygote: Zygote) -> None:
        self._limits = msgspec.structs.replace(
            assignment.config.limits,
            cell_seconds=200.0,
            notebook_seconds=NOTEBOOK_SECONDS,
            interrupt_grace_seconds=30.0,
        )
        self._toolbox = toolbox
        self._zygote = zygote
        self.exported = self.retraced = False

    def __call__(self, *cells: str, **changes: Any) -> Execution:
        return self.notebook(notebook(*cells, answers=()), **changes)

    def notebook(
        self, given: Any, *, on_cell: Callable[[int, int, str], None] | None = None, **changes: Any
    ) -> Execution:
        """Run a notebook; changes are those of the limits."""
        limits = msgspec.structs.replace(self._limits, **changes)
        zygote = self._zygote
        with Box(kind=zygote.kind, limits=limits, toolbox=self._toolbox, zygote=zygote) as box:
            executor = Executor(
                box=box, toolbox=self._toolbox, limits=limits, seed=1, on_cell=on_cell
            )
            execution = executor.execute(given)
            self.exported = (box.scratch.export / "done").exists()
            self.retraced = (box.scratch.export / "retraced").exists()
        return execution


@pytest.fixture(scope="module")
def forks(bare: Toolbox, isolation: Isolation) -> Iterator[Zygote]:
    """Half of a second for each kernel that is forked from it instead of started."""
    with Zygote(kind=isolation.kind, toolbox=bare, modules=["ipykernel.kernelapp"]) as zygote:
        yield zygote


@pytest.fixture
def run(assignment: Assignment, bare: Toolbox, forks: Zygote) -> Runner:
    """Runs cells in a box."""
    return Runner(assignment, bare, forks)


def statuses(execution: Execution) -> list[CellStatus]:
    return [cell.status for cell in execution.cells]


def text_of(execution: Execution, number: int) -> str:
    outputs = execution.notebook.cells[number - 1].outputs
    return "".join(output.get("text", "") for output in outputs)


def test_cells_run_in_order_and_share_names(run: Runner) -> None:
    given = notebook(
        "import os\nx = len(os.listdir('.'))",
        "open('helper.py', 'w').write('x = 2');",
        "import helper\nprint(x + helper.x)",
        "x",
        answers=(),
    )
    before = repr(given)
    execution = run.notebook(given)
    assert execution.all_cells_ran
    assert execution.failure == ""
    assert text_of(execution, 3) == "2\n", "the working folder was empty, and can be imported from"
    assert execution.notebook.cells[3].outputs[0].data["text/plain"] == "0"
    assert [cell.execution_count for cell in execution.notebook.cells] == [1, 2, 3, 4]
    assert run.exported
    assert repr(given) == before


def test_an_error_does_not_stop_the_later_cells(run: Runner) -> None:
    execution = run("1 / 0", "print('on')")
    assert statuses(execution) == [CellStatus.ERROR, CellStatus.OK]
    assert not execution.all_cells_ran
    assert execution.cells[0].error_name == "ZeroDivisionError"
    assert any("1 / 0" in line for line in execution.cells[0].traceback)
    assert not any("\x1b" in line for line in execution.cells[0].traceback)
    assert text_of(execution, 2) == "on\n"
    assert "code cell 1" in execution.failure


def test_a_cell_has_its_time(run: Runner) -> None:
    sleep = "import time\ntime.sleep({})"
    execution = run(sleep.format(0.1), sleep.format(600), "print('on')", cell_seconds=5.0)
    assert statuses(execution) == [CellStatus.OK, CellStatus.TIMED_OUT, CellStatus.OK]
    assert execution.ending is Ending.TIMED_OUT
    assert run.exported, "what was there by then must be exported"


def test_a_notebook_has_its_time(run: Runner) -> None:
    sleep = "import time\ntime.sleep({})"
    execution = run(sleep.format(0.1), sleep.format(600), "print('never')", notebook_seconds=6.0)
    assert statuses(execution) == [CellStatus.OK, CellStatus.TIMED_OUT, CellStatus.NOT_RUN]
    assert execution.ending is Ending.TIMED_OUT
    assert run.exported


@pytest.mark.parametrize("step", ["done", "retraced"])
def test_what_is_exported_is_waited_for_no_longer_than_it_may_take(
    run: Runner, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code of the student's own is followed last, and not at all where the export did not end."""
    monkeypatch.setattr(executor, "EXPORT_SECONDS", 6.0 if step == "done" else 60.0)
    monkeypatch.setattr(executor, "RETRACE_SECONDS", 6.0 if step == "retraced" else 60.0)
    execution = run(f"seconds_until_{step} = 600")
    assert execution.all_cells_ran
    assert (run.exported, run.retraced) == (True, step == "retraced")


def test_a_swallowed_interrupt_ends_in_a_kill(run: Runner) -> None:
    execution = run(
        "x = 1",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "print('never')",
        cell_seconds=5.0,
        interrupt_grace_seconds=1.5,
    )
    assert statuses(execution) == [CellStatus.OK, CellStatus.TIMED_OUT, CellStatus.NOT_RUN]
    assert execution.ending is Ending.TIMED_OUT
    assert execution.seconds < NOTEBOOK_SECONDS
    assert "code cell 2" in execution.failure


@pytest.mark.parametrize(
    "end",
    [
        "import os; os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
        "exit()",
        pytest.param("import os; os.kill(os.getpid(), 9)", marks=pytest.mark.long),
        pytest.param("import os; os.abort()", marks=pytest.mark.long),
    ],
)
def test_a_kernel_that_ends_is_noticed(run: Runner, end: str) -> None:
    execution = run("x = 1", end + "\nimport time; time.sleep(1)", "x", "x")
    assert execution.ending is Ending.KERNEL_DIED
    assert execution.cells[0].status is CellStatus.OK
    assert execution.cells[-1].status is CellStatus.NOT_RUN
    assert not execution.all_cells_ran
    assert execution.seconds < NOTEBOOK_SECONDS


def test_a_kernel_that_ends_before_its_turn_is_not_said_to_be_slow(tmp_path: Path) -> None:
    ended = SimpleNamespace(
        is_alive=False,
        stderr=["No module named 'zmq'"],
        run=lambda *command: None,
        scratch=SimpleNamespace(channel=tmp_path),
    )
    kernel = Kernel(cast(Box, ended))
    kernel.start()
    with pytest.raises(BoxError, match=r"^The kernel ended before .*: No module named 'zmq'\.$"):
        kernel.wait_until_ready(60)
    kernel.close()


def test_memory_that_runs_out_is_named(run: Runner) -> None:
    flood = "held = []\nfor _ in range(1500): held.append(bytearray(1 << 20))"
    execution = run("x = 1", flood, "x", memory_bytes=700 * MEGABYTE)
    assert execution.ending is Ending.OUT_OF_MEMORY
    assert execution.cells[1].status in (CellStatus.STOPPED, CellStatus.ERROR)


def test_a_refused_allocation_is_memory_too(run: Runner) -> None:
    execution = run("import numpy\nnumpy.ones(1 << 42)", "print('on')")
    assert execution.ending is Ending.OUT_OF_MEMORY
    assert statuses(execution) == [CellStatus.ERROR, CellStatus.OK]


def test_a_run_that_nothing_watched_gives_no_result(run: Runner) -> None:
    def end_the_guard(done: int, total: int, epoch: str) -> None:
        for child in psutil.Process().children():
            # One that has ended already has no words, which psutil raises as an error.
            with contextlib.suppress(psutil.NoSuchProcess):
                if any("sandbox.guard" in word for word in child.cmdline()):
                    child.kill()

    with pytest.raises(BoxError, match="watchdog of the box ended"):
        run("x = 1", "import time\ntime.sleep(600)", "x", on_cell=end_the_guard)


@pytest.mark.parametrize(("megabytes", "kept"), [(1, True), (3, False)])
def test_output_is_kept_up_to_a_limit(run: Runner, megabytes: int, kept: bool) -> None:
    execution = run(
        f"for _ in range({megabytes * 10}): print('x' * 100_000)",
        "print('after')",
        kept_output_bytes=2 * MEGABYTE,
        output_bytes=20 * MEGABYTE,
    )
    assert execution.all_cells_ran, "too long is not wrong"
    assert execution.output_bytes >= megabytes * 1_000_000
    assert execution.kept_output_bytes <= 2 * MEGABYTE
    assert ("too long to keep" in str(execution.notebook)) != kept


@pytest.mark.parametrize(("megabytes", "stopped"), [(4, False), (30, True)])
def test_a_flood_of_output_is_stopped(run: Runner, megabytes: int, stopped: bool) -> None:
    execution = run(
        f"for _ in range({megabytes * 10}): print('x' * 100_000)",
        "print('after')",
        kept_output_bytes=MEGABYTE,
        output_bytes=8 * MEGABYTE,
    )
    assert (execution.ending is Ending.OUTPUT_TOO_LARGE) == stopped
    assert execution.cells[0].status is (CellStatus.STOPPED if stopped else CellStatus.OK)
    assert execution.output_bytes < 8 * MEGABYTE + MAX_MESSAGE_BYTES


def test_a_message_too_large_is_counted_and_the_next_cell_is_heard(run: Runner) -> None:
    execution = run(f"print('x' * {MAX_MESSAGE_BYTES + 1000})", "print('on')")
    assert MAX_MESSAGE_BYTES <= execution.output_bytes < MAX_MESSAGE_BYTES + MEGABYTE
    assert execution.kept_output_bytes < MEGABYTE
    assert statuses(execution) == [CellStatus.OK, CellStatus.OK]
    assert text_of(execution, 2) == "on\n"


def test_an_error_too_long_to_receive_is_an_error(run: Runner) -> None:
    execution = run(f"raise ValueError('x' * {MAX_MESSAGE_BYTES})", "print('on')")
    assert statuses(execution) == [CellStatus.ERROR, CellStatus.OK]
    assert execution.cells[0].error_name == "MessageTooLarge"
    assert text_of(execution, 2) == "on\n"


def test_a_kernel_that_closes_its_connection_has_not_printed_too_much(run: Runner) -> None:
    execution = run(
        "get_ipython().kernel.iopub_socket.io_thread.socket.close(0)",
        "print('unheard')",
        cell_seconds=4.0,
        interrupt_grace_seconds=1.5,
        output_bytes=8 * MEGABYTE,
    )
    assert execution.output_bytes < MEGABYTE
    assert execution.ending is not Ending.OUTPUT_TOO_LARGE


@pytest.mark.parametrize("odd", [7, None, True, 1.5, [], ["a", 1, None], {"b": None}])
def test_an_error_of_the_wrong_form_is_read_as_none(odd: object) -> None:
    error = CellError.of({"ename": odd, "evalue": odd, "traceback": odd})
    assert (error.name, error.text) == ("", "")
    assert error.traceback in ((), ("a",))


SHOW = "from IPython.display import display, update_display, clear_output\n"


def shown(execution: Execution, number: int) -> list[str]:
    """What is left of a cell's outputs, in short."""
    outputs = execution.notebook.cells[number - 1].outputs
    return [output.get("text") or output["data"]["text/plain"] for output in outputs]


@pytest.mark.parametrize(
    ("places", "flooded"), [pytest.param(3, False, marks=pytest.mark.long), (60, True)]
)
def test_an_update_is_output_for_each_place_that_it_changes(
    run: Runner, places: int, flooded: bool
) -> None:
    execution = run(
        SHOW + f"for _ in range({places}): display('a', display_id='x')",
        f"update_display('u' * {MEGABYTE // 4}, display_id='x')",
        kept_output_bytes=MEGABYTE,
        output_bytes=8 * MEGABYTE,
    )
    assert (execution.ending is Ending.OUTPUT_TOO_LARGE) == flooded
    assert execution.output_bytes >= min(places * MEGABYTE // 4, 8 * MEGABYTE)
    assert execution.kept_output_bytes <= MEGABYTE
    assert len(str(execution.notebook)) < 2 * MEGABYTE
    assert "uuuu" in str(execution.notebook)


@pytest.mark.parametrize("replaced", ["handle.update(n)", "clear_output(); display(n)"])
def test_what_was_replaced_takes_no_room(run: Runner, replaced: str) -> None:
    execution = run(
        SHOW + "handle = display('start', display_id=True)\n"
        f"for n in range(300): {replaced}\nprint('end')",
        kept_output_bytes=30_000,
    )
    assert shown(execution, 1) == ["299", "end\n"]
    assert execution.output_bytes > 60_000


def test_a_long_queue_of_outputs_is_waited_for(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = OutputKeeper.take

    def take_slowly(keeper: OutputKeeper, message: Message) -> None:
        time.sleep(0.03)
        take(keeper, message)

    monkeypatch.setattr(OutputKeeper, "take", take_slowly)
    execution = run(SHOW + "for n in range(120): display(n)")
    assert shown(execution, 1) == [str(n) for n in range(120)]


def test_no_output_is_lost_that_comes_faster_than_it_is_read(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, pauses = OutputKeeper.take, [6.0]

    def take_late(keeper: OutputKeeper, message: Message) -> None:
        if message.kind == "stream" and pauses:
            time.sleep(pauses.pop())
        take(keeper, message)

    monkeypatch.setattr(OutputKeeper, "take", take_late)
    execution = run("for n in range(3000): print(n, flush=True)")
    assert text_of(execution, 1).split() == [str(n) for n in range(3000)]


def test_a_progress_bar_takes_the_room_of_its_line(run: Runner) -> None:
    execution = run(
        "for n in range(300): print('\\r' + '.' * 99 + f'{n:4}', end='', flush=True)\nprint('!')",
        kept_output_bytes=2_000,
    )
    assert text_of(execution, 1) == "." * 99 + " 299!\n"


def test_what_comes_late_is_kept_with_its_cell(run: Runner) -> None:
    execution = run(
        "import asyncio\nasync def speak():\n    await asyncio.sleep(0.5)\n    print('late')\n"
        "task = asyncio.create_task(speak())\nprint('now')",
        "print('second')\nawait asyncio.sleep(1.5)",
    )
    assert text_of(execution, 1) == "now\nlate\n"
    assert text_of(execution, 2) == "second\n"


def test_an_exception_that_a_tag_announces_is_no_failure(run: Runner) -> None:
    tags: list[tuple[Any, CellStatus]] = [
        (["raises-exception"], CellStatus.OK),
        (["other", "raises-exception"], CellStatus.OK),
        (["raises"], CellStatus.ERROR),
        ("raises-exception", CellStatus.ERROR),
        (None, CellStatus.ERROR),
    ]
    given = notebook(*(["1 / 0"] * len(tags)), "print('on')", answers=())
    for cell, (tag, _) in zip(given.cells, tags, strict=False):
        cell.metadata["tags"] = tag
    execution = run.notebook(given)
    assert statuses(execution) == [*(status for _, status in tags), CellStatus.OK]
    assert not execution.all_cells_ran
    assert execution.notebook.cells[0].outputs[0].ename == "ZeroDivisionError"
    assert len(execution.staff_notes) == 2
    assert all("ZeroDivisionError" in note for note in execution.staff_notes)


def test_a_tag_hides_no_time_out(run: Runner) -> None:
    given = notebook("import time\ntime.sleep(600)", answers=())
    given.cells[0].metadata["tags"] = ["raises-exception"]
    execution = run.notebook(given, cell_seconds=1.0)
    assert execution.ending is Ending.TIMED_OUT
    assert not execution.all_cells_ran


def test_forked_children_can_print(run: Runner) -> None:
    execution = run(
        "import os\npid = os.fork()\nif pid == 0:\n    print('child speaks', flush=True)\n"
        "    os._exit(0)\n_ = os.waitpid(pid, 0)\nimport time; time.sleep(2)"
    )
    assert "child speaks" in text_of(execution, 1)


FORGERIES = (
    "k.iopub_socket.send_multipart([b'garbage'])",
    "k.iopub_socket.send_multipart([b'x', b'<IDS|MSG>', b'', b'{', b'}', b'[', b'null'])",
    "k.session.send(k.iopub_socket, 'stream', {'name': 7, 'text': None}, parent=p)",
    "k.session.send(k.iopub_socket, 'display_data', {'data': 'x'}, parent=p)",
    "k.session.send(k.iopub_socket, 'execute_result', {}, parent=p)",
    "k.session.send(k.iopub_socket, 'update_display_data', {'data': [], 'transient': 3}, parent=p)",
    "k.session.send(k.iopub_socket, 'error', {'ename': 5, 'traceback': 'x'}, parent=p)",
    "k.session.send(k.iopub_socket, 'status', {'execution_state': ['idle']}, parent=p)",
)


def test_forged_messages_are_passed_over(run: Runner) -> None:
    begin = "k = get_ipython().kernel\np = k.get_parent()\n"
    execution = run(*(f"{begin}{forgery}\nprint('done')" for forgery in FORGERIES), "print('on')")
    assert set(statuses(execution)) == {CellStatus.OK}
    for number in range(1, len(FORGERIES) + 1):
        assert re.search("done", text_of(execution, number)), FORGERIES[number - 1]
    assert text_of(execution, len(FORGERIES) + 1) == "on\n"
