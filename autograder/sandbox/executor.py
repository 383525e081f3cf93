"""Runs a notebook's cells, one after another, in a kernel in a box.

Not by nbclient, which trusts its kernel: it sets no bound on the size of messages, keeps all that
cells show, waits for outputs that need not come, and ends a kernel by asking it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import nbformat

from autograder.core.config import Limits
from autograder.core.errors import BoxError
from autograder.sandbox import (
    MEMORY_ERRORS,
    TOO_LARGE,
    CellError,
    CellRun,
    CellStatus,
    Ending,
    Execution,
    epoch_of,
    expects_error,
    first_line,
)
from autograder.sandbox.box import Box
from autograder.sandbox.box.folders import Toolbox
from autograder.sandbox.kernel import Kernel, KernelDied, Reply
from autograder.sandbox.outputs import OutputKeeper

START_SECONDS = 60.0
"""For the kernel to answer."""
PRELUDE_SECONDS = 300.0
"""For importing TensorFlow, 3 to 9 s on an idle machine, on a machine that is far from idle."""
EXPORT_SECONDS = 12.0
"""For writing the network out; a hundred megabytes take one second."""
RETRACE_SECONDS = 10.0
"""For following a network's own code after that; the longest that was seen took one second."""
SETTLE_SECONDS = 2.0
"""How long the last outputs of a cell may be on their way, after its reply or the one before."""
TELL_SECONDS = 0.5
"""Between two reports of how far a training is; its notebook may print as fast as it likes."""


class Executor:
    """Runs one notebook in one box; `execute` may be called once.

    Parameters
    ----------
    box
        Opened, nothing running in it. The caller closes it.
    toolbox
        Where prelude, epilogue and data lie.
    limits
        Time and output; the box itself sees to the rest.
    seed
        For Python, NumPy and Keras.
    shift
        Added to every seed that the notebook sets itself, so that it can be run a second time.
    steps_per_execution
        Batches that training takes in one trip through Python, where it cannot be seen.
    on_cell
        Called with (code cells done, code cells in all, "epoch 2 of 5" or nothing), as things go
        on; at most every `TELL_SECONDS` within one cell.
    """

    def __init__(
        self,
        *,
        box: Box,
        toolbox: Toolbox,
        limits: Limits,
        seed: int,
        shift: int = 0,
        steps_per_execution: int = 1,
        on_cell: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self._box = box
        self._toolbox = toolbox
        self._limits = limits
        self._seed = seed
        self._shift = shift
        self._steps = steps_per_execution
        self._on_cell = on_cell or (lambda done, total, epoch: None)
        self._done = self._total = 0
        self._told = 0.0
        self._kernel = Kernel(box)
        self._was_killed = False
        self._keeper = OutputKeeper(
            keep_bytes=limits.kept_output_bytes, stop_bytes=limits.output_bytes
        )

    def execute(self, notebook: nbformat.NotebookNode) -> Execution:
        """Run every code cell, then have the network written to the box's export folder.

        All processes of the box have ended when this returns. `notebook` is not changed.

        Raises
        ------
        BoxError
            If kernel or prelude fail before the student's first cell: our fault, not theirs.
        """
        executed = nbformat.from_dict(notebook)
        cells = [cell for cell in executed.cells if cell.cell_type == "code"]
        runs: list[CellRun] = []
        try:
            self._start_kernel()
            started = time.monotonic()
            ending = self._run_cells(cells, runs, started + self._limits.notebook_seconds)
            seconds = time.monotonic() - started
            if self._box.is_alive:
                self._export()
        finally:
            self._kernel.close()
            self._box.stop()
            self._keeper.finish()
        if ending is Ending.COMPLETED and any(
            run.status is CellStatus.ERROR and run.error_name in MEMORY_ERRORS for run in runs
        ):
            ending = Ending.OUT_OF_MEMORY
        runs += [CellRun.not_run(n, cells[n - 1]) for n in range(len(runs) + 1, len(cells) + 1)]
        return Execution(
            cells=tuple(runs),
            ending=self._box.breach or ending,
            notebook=executed,
            seconds=seconds,
            output_bytes=self._keeper.seen_bytes,
            kept_output_bytes=self._keeper.kept_bytes,
            peak_bytes=self._box.peak_bytes,
            stderr=self._box.stderr,
        )

    # ------------------------------------------------------------------ cells

    def _run_cells(self, cells: list[Any], runs: list[CellRun], deadline: float) -> Ending:
        """Run the cells in order, each into `runs`, as far as they may; returns how that ended."""
        ending = Ending.COMPLETED
        self._total = len(cells)
        self._on_cell(0, len(cells), "")
        try:
            for number, cell in enumerate(cells, start=1):
                left = deadline - time.monotonic()
                if left <= 0:
                    return Ending.TIMED_OUT
                runs.append(self._run_cell(number, cell, left))
                self._done = number
                self._on_cell(number, len(cells), "")
                if self._keeper.is_flooded:
                    return Ending.OUTPUT_TOO_LARGE
                if runs[-1].status is CellStatus.TIMED_OUT:
                    ending = Ending.TIMED_OUT
        except KernelDied:
            runs.append(self._stopped(len(runs) + 1, cells))
            if self._keeper.is_flooded:
                return Ending.OUTPUT_TOO_LARGE
            return Ending.TIMED_OUT if self._was_killed else Ending.KERNEL_DIED
        return ending

    def _run_cell(self, number: int, cell: Any, seconds_left: float) -> CellRun:
        self._cell_started = time.monotonic()
        cell.execution_count = number
        request = self._kernel.execute(cell.source)
        cell.outputs = self._keeper.begin(request)
        reply = self._await_reply(request, min(self._limits.cell_seconds, seconds_left))
        error = CellError.of(reply.content)
        is_expected = reply.status is CellStatus.ERROR and expects_error(cell)
        return CellRun(
            number=number,
            status=CellStatus.OK if is_expected else reply.status,
            seconds=time.monotonic() - self._cell_started,
            first_line=first_line(cell.source),
            error_name=error.name,
            error_text=error.text,
            traceback=error.traceback,
        )

    def _await_reply(self, request: str, seconds: float) -> Reply:
        """Wait for a request's reply; interrupt when time or output runs out, then kill.

        Raises
        ------
        KernelDied
            If the kernel ended by itself, was ended by the watchdog, or would not be interrupted.
        """
        reply = self._collect(request, time.monotonic() + seconds)
        if reply is not None:
            return reply
        self._kernel.interrupt()
        grace = self._limits.interrupt_grace_seconds
        reply = self._collect(request, time.monotonic() + grace, stop_at_flood=False)
        if reply is None:
            self._was_killed = not self._keeper.is_flooded
            self._box.kill()
            raise KernelDied
        flooded = self._keeper.is_flooded
        status = CellStatus.STOPPED if flooded else CellStatus.TIMED_OUT
        return Reply(status=status, content=reply.content)

    def _collect(
        self, request: str, deadline: float, *, stop_at_flood: bool = True
    ) -> Reply | None:
        """Take in messages until the reply and the end of outputs are there; None if too late."""
        reply: Reply | None = None
        is_idle = False
        heard = time.monotonic()
        while not (reply and is_idle):
            settled = heard + SETTLE_SECONDS if reply or is_idle else deadline
            message = self._kernel.receive(min(deadline, settled))
            if message is None:
                break
            if message.parent == request or message.kind == TOO_LARGE:
                heard = time.monotonic()
            if message.channel == "iopub" and message.kind != "status":
                self._keeper.take(message)
                self._tell(epoch_of(message.content))
                if stop_at_flood and self._keeper.is_flooded:
                    return None
                continue
            if message.parent != request and message.kind != TOO_LARGE:
                continue
            if message.kind == "status":
                is_idle = message.content.get("execution_state") == "idle"
            else:
                reply = Reply.of(message) or reply
        return reply

    def _tell(self, epoch: str) -> None:
        if epoch and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self._on_cell(self._done, self._total, epoch)

    def _stopped(self, number: int, cells: list[Any]) -> CellRun:
        """The record of the cell in which the kernel ended."""
        return CellRun(
            number=number,
            status=CellStatus.TIMED_OUT if self._was_killed else CellStatus.STOPPED,
            seconds=time.monotonic() - self._cell_started,
            first_line=first_line(cells[number - 1].source),
        )

    # ------------------------------------------------------------------ our own programs

    def _start_kernel(self) -> None:
        """Start it, and have it do what comes before the student's first cell."""
        self._kernel.start()
        self._kernel.wait_until_ready(START_SECONDS)
        self._run_program(
            "prelude.py",
            PRELUDE_SECONDS,
            SEED=self._seed,
            SHIFT=self._shift,
            STEPS=self._steps,
            STEPPER=str(self._toolbox.program("steps.py")),
            CLAIMER=str(self._toolbox.program("claims.py")),
        )

    def _run_program(self, name: str, seconds: float, **names: object) -> None:
        """Run a program of `inside/` in the kernel, in a namespace of its own.

        Raises
        ------
        BoxError
            If it fails, takes too long, or the kernel ends.
        """
        names = {"__name__": name.removesuffix(".py"), "DATA": str(self._toolbox.data), **names}
        path = str(self._toolbox.program(name))
        code = f"exec(compile(open({path!r}).read(), {path!r}, 'exec'), {names!r})"
        try:
            reply = self._collect(
                self._kernel.execute(code, silent=True), time.monotonic() + seconds
            )
        except KernelDied:
            said = " ".join(self._box.stderr[-3:])
            raise BoxError(f"The kernel ended in {name}. {said}") from None
        if reply is None:
            raise BoxError(f"{name} took longer than {seconds:.0f} s.")
        if reply.status is not CellStatus.OK:
            name_, text = reply.content.get("ename"), reply.content.get("evalue")
            raise BoxError(f"{name} failed: {name_}: {text}")

    def _export(self) -> None:
        """Have the network written; whether it was, the reader of the folder will see."""
        names = {
            "FOLDER": str(self._box.scratch.export),
            "EXPORTER": str(self._toolbox.program("export.py")),
        }
        try:
            self._run_program("epilogue.py", EXPORT_SECONDS, RETRACES=False, **names)
            self._run_program("epilogue.py", RETRACE_SECONDS, RETRACES=True, **names)
        except BoxError:
            # By now the kernel is the student's: what it does here proves nothing about us.
            return
