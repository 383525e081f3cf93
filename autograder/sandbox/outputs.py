"""Keeps what cells show, as a notebook stores it, up to a limit."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat.v4 import output_from_msg

from autograder.core.text import StreamText, size_of
from autograder.sandbox import TOO_LARGE, Message

MAX_DEPTH = 40
"""Plotly's and Vega's figures nest about 15 deep."""
OUTPUT_KINDS = frozenset({"stream", "display_data", "execute_result", "error"})
STREAM_BYTES = 200
"""What a stream costs beside its text, so that a million empty ones are not free."""
CUT = "\n[What this cell showed next was too long to keep.]\n"


class _Output:
    """One output of a cell; a stream's text is put in at the end."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.size_bytes = 0
        self.stream: StreamText | None = None
        self.is_gone = False


class _Cell:
    """What one cell shows."""

    def __init__(self) -> None:
        self.node_outputs: list[Any] = []
        self.shown: list[_Output] = []
        self.clear_next = False
        self.is_cut = False


class OutputKeeper:
    """Takes output messages and fills the outputs of the cells that they belong to.

    Parameters
    ----------
    keep_bytes
        For the whole notebook; what comes after is counted, not kept.
    stop_bytes
        For the whole notebook; after this `is_flooded` is true.

    Notes
    -----
    A message belongs to the cell whose request it names, even if that cell has ended. What an
    Output widget captures is kept with the cell that showed it.
    """

    def __init__(self, *, keep_bytes: int, stop_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._stop_bytes = stop_bytes
        self._cells: dict[str, _Cell] = {}
        self._displays: dict[str, list[_Output]] = {}
        self._current: _Cell | None = None
        self.seen_bytes = 0
        self.kept_bytes = 0

    @property
    def is_flooded(self) -> bool:
        """Whether more came than any honest notebook sends."""
        return self.seen_bytes > self._stop_bytes

    def begin(self, request: str) -> list[Any]:
        """Start a cell, run by that request; returns the list that `finish` fills."""
        self._current = self._cells[request] = _Cell()
        return self._current.node_outputs

    def finish(self) -> None:
        """Fill the lists of outputs."""
        for cell in self._cells.values():
            for output in cell.shown:
                if output.stream is not None:
                    output.node["text"] = output.stream.text
            cell.node_outputs[:] = [output.node for output in cell.shown]
            if cell.is_cut:
                cell.node_outputs.append(nbformat.v4.new_output("stream", name="stderr", text=CUT))

    def take(self, message: Message) -> None:
        """Take one message in; what is not as the protocol wants it is passed over."""
        if message.kind == TOO_LARGE:
            self.seen_bytes += message.size_bytes
            if self._current is not None:
                self._current.is_cut = True
            return
        cell = self._cells.get(message.parent)
        if cell is None:
            return
        self.seen_bytes += message.size_bytes
        kind, content = message.kind, message.content
        if _is_deep(content):
            return
        if kind == "clear_output":
            cell.clear_next = bool(content.get("wait"))
            if not cell.clear_next:
                self._clear(cell)
        elif kind in OUTPUT_KINDS or kind == "update_display_data":
            self._show(cell, kind, content, message.size_bytes)

    # ------------------------------------------------------------------ outputs

    def _show(self, cell: _Cell, kind: str, content: dict[str, Any], size_bytes: int) -> None:
        updates = kind == "update_display_data"
        try:
            node = output_from_msg(
                {"header": {"msg_type": "display_data" if updates else kind}, "content": content}
            )
            nbformat.v4.nbbase.validate(node, ref="output")
        except Exception:
            return
        display = _display_id(content)
        if display is not None:
            self._update(display, node, size_bytes, counted=updates)
        if updates:
            return
        if cell.clear_next:
            cell.clear_next = False
            self._clear(cell)
        if kind == "stream":
            self._print(cell, node)
        elif self._has_room(cell, size_bytes):
            output = self._append(cell, node, size_bytes)
            if display is not None:
                self._displays.setdefault(display, []).append(output)

    def _print(self, cell: _Cell, node: Any) -> None:
        text = node["text"]
        if not self._has_room(cell, size_of(text) + STREAM_BYTES):
            return
        last = cell.shown[-1] if cell.shown else None
        if last is None or last.stream is None or last.node["name"] != node["name"]:
            last = self._append(cell, node, 0)
            last.stream = StreamText()
        assert last.stream is not None
        last.stream.add(text)
        self._resize(last, last.stream.size_bytes + STREAM_BYTES)

    def _append(self, cell: _Cell, node: Any, size_bytes: int) -> _Output:
        output = _Output(node)
        self._resize(output, size_bytes)
        cell.shown.append(output)
        return output

    def _update(self, display: str, node: Any, size_bytes: int, *, counted: bool) -> None:
        """Change every output with that name; each place is output of its own.

        Parameters
        ----------
        counted
            Whether the message itself has been counted for one of the places.
        """
        shown = [output for output in self._displays.get(display, ()) if not output.is_gone]
        self._displays[display] = shown
        for output in shown:
            if not counted:
                self.seen_bytes += size_bytes
            counted = False
            if self.is_flooded:
                return
            if self.kept_bytes - output.size_bytes + size_bytes <= self._keep_bytes:
                self._resize(output, size_bytes)
                output.node["data"] = nbformat.from_dict(node["data"])
                output.node["metadata"] = nbformat.from_dict(node["metadata"])

    def _clear(self, cell: _Cell) -> None:
        for output in cell.shown:
            output.is_gone = True
            self._resize(output, 0)
        cell.shown.clear()

    def _resize(self, output: _Output, size_bytes: int) -> None:
        self.kept_bytes += size_bytes - output.size_bytes
        output.size_bytes = size_bytes

    def _has_room(self, cell: _Cell, size_bytes: int) -> bool:
        if self.kept_bytes + size_bytes <= self._keep_bytes:
            return True
        cell.is_cut = True
        return False


def _is_deep(content: object) -> bool:
    """Whether nesting goes so far that copying or writing it would exhaust Python's stack."""
    level: list[object] = [content]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        if not inner:
            return False
        level = inner
    return True


def _display_id(content: dict[str, Any]) -> str | None:
    """The name under which an output can be changed later."""
    transient = content.get("transient")
    display = transient.get("display_id") if isinstance(transient, dict) else None
    return display if isinstance(display, str) else None
