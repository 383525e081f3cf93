"""Is what a cell printed kept as a terminal would leave it?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.text import StreamText, size_of


def left(*pieces: str) -> str:
    stream = StreamText()
    for piece in pieces:
        stream.add(piece)
    return stream.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("two\nlines\n", "two\nlines\n"),
        ("abcdef\rxy", "xycdef"),
        ("abcdef\rxy\rZ", "Zycdef"),
        ("a\rb", "b"),
        ("a\rb\nc", "b\nc"),
        ("a\r\nb", "a\nb"),
        ("a\r\r\nb", "a\nb"),
        ("a\rb\r", "b"),
        ("\ra", "a"),
        ("éè\r好", "好è"),
        # Without a return, as it came.
        ("abc\bX", "abc\bX"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[31mred\x1b[0m\r\n", "\x1b[31mred\x1b[0m\n"),
        # A bar that covers the one before keeps its colours; what is erased is gone.
        ("\x1b[31mold\x1b[0m\r\x1b[32mnews\x1b[0m", "\x1b[32mnews\x1b[0m"),
        ("long old\r\x1b[Knew", "\x1b[Knew"),
        ("long old\r\x1b[2Knew", "\x1b[2Knew"),
        ("long old\r\x1b[1Knew", "newg old"),
        ("1/2\b\b\b\r2/2", "2/2"),
        ("1/2\r2/2\b\b\b\r3/2\b\b\b", "3/2"),
        ("abcdef\rxy\bZ", "xZcdef"),
        ("abc\b\bX\rY", "YX" + "c"),
        ("\x1b[31mabcdef\x1b[0m\rxy", "xycdef"),
        ("abcdef\rx\x1b[31", "x[31ef"),
        ("half \ud83d\rA", "Aalf \ud83d"),
    ],
)
def test_what_is_left(text: str, expected: str) -> None:
    assert left(text) == expected


@given(st.lists(st.text("ab\r\n\b\x1b[0Km", max_size=12), max_size=6))
def test_pieces_are_as_one(pieces: list[str]) -> None:
    assert left(*pieces) == left("".join(pieces))


@given(st.lists(st.text("ab\u597d\r\n\b\x1b[0Km", max_size=12), max_size=6))
def test_its_size_is_never_understated(pieces: list[str]) -> None:
    stream = StreamText()
    for piece in pieces:
        stream.add(piece)
        assert stream.size_bytes + 1 >= size_of(stream.text)
    assert size_of(stream.text) <= size_of("".join(pieces))


def terminal(text: str) -> str:
    """One line without escape sequences, character by character."""
    shown: list[str] = []
    column = 0
    for character in text:
        if character == "\r":
            column = 0
        else:
            shown[column : column + 1] = character
            column += 1
    return "".join(shown)


@given(st.text("abc\r", max_size=30))
def test_a_line_is_as_on_a_terminal(text: str) -> None:
    assert left(text) == terminal(text)


@pytest.mark.parametrize(
    "unit",
    ["a", "\r", "\n", "\b", "\x1b", "\x1b[", "\x1b[0m", "\x1b[1", "a\r", "ab\r\b", "a\n", "\r\n"],
)
@pytest.mark.parametrize("start", ["", "x" * 20_000 + "\r", "\x1b[" + "1;" * 20_000])
@pytest.mark.parametrize("whole", [True, False])
def test_time_grows_with_the_text(unit: str, start: str, whole: bool) -> None:
    def seconds(count: int) -> float:
        pieces = [unit * count] if whole else [unit] * count
        best = float("inf")
        for _ in range(3):
            before = time.process_time()
            left(start, *pieces)
            best = min(best, time.process_time() - before)
        return best

    assert seconds(16 * 2000) < 16 * 6 * (seconds(2000) + 0.001)
