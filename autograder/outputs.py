"""Keeps what a cell shows, as a notebook stores it, up to a limit."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat.v4 import output_from_msg

MAX_DEPTH = 40
"""Plotly's and Vega's figures nest about 15 deep."""
OUTPUT_KINDS = frozenset({"stream", "display_data", "execute_result", "error"})


class OutputKeeper:
    """Takes a cell's output messages and fills its list of outputs.

    Parameters
    ----------
    keep_bytes
        For the whole notebook; what comes after is counted, not kept.
    stop_bytes
        For the whole notebook; after this `is_flooded` is true.
    """

    def __init__(self, *, keep_bytes: int, stop_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._stop_bytes = stop_bytes
        self._outputs: list[Any] = []
        self._displays: dict[str, list[Any]] = {}
        self._clear_next = False
        self._said_cut = False
        self.seen_bytes = 0
        self.kept_bytes = 0

    @property
    def is_flooded(self) -> bool:
        """Whether more came than any honest notebook sends."""
        return self.seen_bytes > self._stop_bytes

    def begin(self) -> list[Any]:
        """Start a new cell; returns the list that will hold its outputs."""
        self._outputs = []
        self._clear_next = self._said_cut = False
        return self._outputs

    def take(self, kind: str, content: dict[str, Any], size_bytes: int) -> None:
        """Take one message in; what is not as the protocol wants it is passed over."""
        self.seen_bytes += size_bytes
        if _is_deep(content):
            return
        if kind == "clear_output":
            if content.get("wait"):
                self._clear_next = True
            else:
                self._outputs.clear()
            return
        if self.kept_bytes + size_bytes > self._keep_bytes:
            if kind in OUTPUT_KINDS and not self._said_cut:
                self._said_cut = True
                text = "\n[What this cell showed next was too long to keep.]\n"
                self._outputs.append(nbformat.v4.new_output("stream", name="stderr", text=text))
            return
        if kind == "update_display_data":
            self._update_displays(content)
        elif kind in OUTPUT_KINDS:
            self._append(kind, content, size_bytes)

    def _append(self, kind: str, content: dict[str, Any], size_bytes: int) -> None:
        try:
            output = output_from_msg({"header": {"msg_type": kind}, "content": content})
            nbformat.v4.nbbase.validate(output, ref="output")
        except Exception:
            return
        if self._clear_next:
            self._clear_next = False
            self._outputs.clear()
        self.kept_bytes += size_bytes
        last = self._outputs[-1] if self._outputs else None
        if kind == "stream" and last is not None and last.get("name") == output.get("name"):
            last["text"] = overtype(last["text"] + output["text"])
            return
        if kind == "stream":
            output["text"] = overtype(output["text"])
        self._outputs.append(output)
        if (display := _display_id(content)) is not None:
            self._displays.setdefault(display, []).append(output)

    def _update_displays(self, content: dict[str, Any]) -> None:
        display = _display_id(content)
        data, metadata = content.get("data"), content.get("metadata", {})
        if display is not None and isinstance(data, dict) and isinstance(metadata, dict):
            for output in self._displays.get(display, ()):
                output["data"] = nbformat.from_dict(data)
                output["metadata"] = nbformat.from_dict(metadata)


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


def overtype(text: str) -> str:
    """Apply carriage returns as a terminal does, so that a progress bar leaves one line."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    # A return at the very end has nothing to overtype yet: more may follow in the next message.
    done = [line.rsplit("\r", 1)[-1] if not line.endswith("\r") else _last(line) for line in lines]
    return "\n".join(done)


def _last(line: str) -> str:
    return line.rstrip("\r").rsplit("\r", 1)[-1] + "\r"
