"""Is text by strangers harmless, legible, and quickly read?"""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.text import one_line, plain_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bP+q544e\x1b\\x", "x"),
        ("\x1bc", ""),
        ("\x1b(B", ""),
        ("a\x1b", "a"),
        ("a\x1b[", "a"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("half \udcff", "half \N{REPLACEMENT CHARACTER}"),
        ("one\rtwo\r\nthree", "one\ntwo\nthree"),
        ("cod\u202etxt.py", "codtxt.py"),
        ("\ufeffbom", "bom"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, shown: str) -> None:
    assert plain_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Zoë O'Neil",
        "李小龍",
        "مرحبا\u200fabc",
        "می\u200cخواهم",
        "👩\u200d💻",
        "e\u0301",
        "\N{NO-BREAK SPACE}5 %",
    ],
)
def test_every_language_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


@given(st.text())
def test_nothing_is_left_for_a_terminal(text: str) -> None:
    shown = plain_text(text)
    bad = [char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert set(bad) <= {"\n", "\t"}
    assert plain_text(shown) == shown


@given(st.text(), st.integers(1, 80))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    "piece",
    ["\x1b", "\x1b[", "\x1b[1;", "\x1b]", "\x1b]a\x1b", "\x9b", "\x90", "\r", " ", "\x1b[ ", "a"],
)
def test_time_grows_with_the_length(piece: str) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        plain_text(piece * count)
        return time.process_time() - began

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(320_000) for _ in range(2))  # something may have disturbed one
    assert large < 16 * 8 * max(small, 0.002)
