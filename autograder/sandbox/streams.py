"""What a cell prints, as a terminal leaves it: a carriage return overtypes what stands there."""

from __future__ import annotations

import re

BACKSPACE = "\b"
TOKEN = re.compile(r"[^\b\x1b]+|[\b]|\x1b(?:\[[0-9;?]*[ -/]*[@-~])?")
"""A run of characters, a step back, or an escape sequence; each matches in linear time."""
ERASES_REST = re.compile(r"\x1b\[[02]?K")
"""Escape sequences after which nothing is left of what stood to the right."""


class StreamText:
    """Text that arrives in pieces; time and memory grow with the text, not with its square.

    A line without overtyping is kept as it came, escape sequences and backspaces too. What covers
    all that stood on its line is kept as it came as well, but for backspaces at its end: a bar of
    Keras keeps its colours. A line that was overtyped in part keeps its characters alone.
    """

    def __init__(self) -> None:
        self._done: list[str] = []
        self._done_bytes = 0
        self._line = _Line()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([*self._done, self._line.text])

    @property
    def size_bytes(self) -> int:
        """About as many bytes as are kept, rather more than less."""
        return self._done_bytes + self._line.size_bytes

    def add(self, text: str) -> None:
        """Take in the next piece."""
        for number, part in enumerate(text.split("\n")):
            if number:
                self._done.append(self._line.text)
                self._done_bytes += size_of(self._done[-1]) + 1
                self._line = _Line()
            for place, run in enumerate(part.split("\r")):
                if place:
                    self._line.go_back()
                if run:
                    self._line.add(run)


class _Line:
    """One line, to which more may come."""

    def __init__(self) -> None:
        self._shown = ""
        """What stands there, unless it is in `_characters`."""
        self._characters: list[str] | None = None
        self._runs: list[str] = []
        """What came since the last carriage return."""
        self._bytes = self._run_bytes = 0

    @property
    def text(self) -> str:
        self.go_back()
        return self._shown if self._characters is None else "".join(self._characters)

    @property
    def size_bytes(self) -> int:
        return self._bytes + self._run_bytes

    def add(self, run: str) -> None:
        self._runs.append(run)
        self._run_bytes += size_of(run)

    def go_back(self) -> None:
        """Write what has come over what stands there, and go on at the start of the line."""
        run, size = "".join(self._runs), self._run_bytes
        self._runs, self._run_bytes = [], 0
        if not run:
            return
        if self._characters is None and not self._shown:
            self._shown, self._bytes = run, size
            return
        written = characters(run)
        # Taken apart once for each run that was written, so that time grows with the text.
        stands = characters(self._shown) if self._characters is None else self._characters
        if len(written) >= len(stands) or ERASES_REST.search(run):
            self._characters, self._shown, self._bytes = None, run.rstrip(BACKSPACE), size
            return
        stands[: len(written)] = written
        self._characters, self._bytes = stands, min(self._bytes + size, 4 * len(stands))


def characters(text: str) -> list[str]:
    """What a terminal shows of a text without line ends, written from the start of a line."""
    shown: list[str] = []
    column = 0
    for token in TOKEN.findall(text):
        if token == BACKSPACE:
            column = max(0, column - 1)
        elif not token.startswith("\x1b"):
            shown[column : column + len(token)] = token
            column += len(token)
    return shown


def size_of(text: str) -> int:
    """Bytes in UTF-8; half characters, which JSON can hold, count as well."""
    return len(text.encode("utf-8", "surrogatepass"))
