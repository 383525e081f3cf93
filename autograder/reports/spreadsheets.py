"""Cells and tables that spreadsheets do no harm to, and as spreadsheets give them back."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from autograder.core.text import one_line

MAX_COMPARED = 1000
_FORMULA = re.compile(r"[=@]|[+\-](?![\d.,]*$)(?=.*\w)")
"""What makes a spreadsheet run a cell as a formula; a lone dash or a number is none."""
_LATER_FORMULA = re.compile(r"([;,|][\"' ]*)(?=[=@＝＠]|[+\-＋－][^\W\d])")
"""The same after what some spreadsheets take for the border between two cells."""
_LATER_GUARD = re.compile(r"([;,|][\" ]*(?:'+[\" ]+)*)'+(?=[=@＝＠]|[+\-＋－][^\W\d])")
MAX_BYTES = 16 << 20
"""Of one file. A class of 1,000 with a comment of 400 letters on each of six checks has 3 MB."""
MAX_HEADING_CHARACTERS = 40
DELIMITERS = (",", ";", "\t")
"""Spreadsheets in languages with a decimal comma write semicolons."""
REST = ""
"""Key of what stands in a row behind the last column, or in one without a heading."""


class Problem(Exception):
    """What is wrong with a row or a file: the end of a sentence that begins with the place."""


def read_table(
    path: Path, columns: Collection[str], *, needed: Sequence[Sequence[str]]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read rows that are not empty, each with the line on which it begins.

    Parameters
    ----------
    path
        UTF-8, with or without a byte order mark; commas, semicolons or tabs between cells.
    columns
        All that there may be, in any order; a row has each of them, and `REST`.
    needed
        Of each group at least one column must be there.

    Raises
    ------
    Problem
        If the file cannot be read, or is not such a table.
    """
    text = _text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    line = 1
    try:
        headings = [plain_key(heading) for heading in next(reader, [])]
        _refuse_headings(headings, columns, needed)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = dict.fromkeys(columns, "")
                row |= zip(headings, (unguarded(one_line(cell)) for cell in cells), strict=False)
                pairs = zip(headings, cells, strict=False)
                nameless = [cell for heading, cell in pairs if not heading]
                row[REST] = "".join([*nameless, *cells[len(headings) :]]).strip()
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise Problem(f", line {line}: cannot be read as CSV ({error}).") from error


def plain_key(text: str) -> str:
    """Two texts with the same key are the same name, whatever a spreadsheet made of them."""
    key = unicodedata.normalize("NFC", unguarded(one_line(text)).lstrip("'")).casefold()
    # Spreadsheets take the zeros from the front of a student id.
    return (key.lstrip("0") or "0") if key.isdigit() else key


def delimiter_of(text: str) -> str:
    """What stands between the headings most often."""
    return max(DELIMITERS, key=text[: text.find("\n", 1)].count)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Problem(f": cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise Problem(f": is larger than {MAX_BYTES >> 20} MiB, which no table of marks is.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Problem(f", line {line}: is not UTF-8. Save the file as “CSV UTF-8”.") from error


def _refuse_headings(
    headings: Sequence[str], columns: Collection[str], needed: Sequence[Sequence[str]]
) -> None:
    wanted = f"The columns are {', '.join(columns)}."
    for group in needed:
        if not set(group) & set(headings):
            raise Problem(f", line 1: has no column “{'” or “'.join(group)}”. {wanted}")
    for heading in headings:
        if heading and heading not in columns:
            shown = one_line(heading, MAX_HEADING_CHARACTERS)
            raise Problem(f", line 1: has an unknown column “{shown}”. {wanted}")
        if heading and headings.count(heading) > 1:
            raise Problem(f", line 1: has the column “{heading}” twice.")


def plain_cell(text: str) -> str:
    """A stranger's text on one line, which no spreadsheet runs as a formula.

    Recognised after NFKC, since spreadsheets take a full-width ``＝`` for ``=`` as well, and
    behind blanks and invisible characters, which some of them strip. An apostrophe in front says
    that it is text; everything else stays as it is.
    """
    text = one_line(text)
    if _is_formula(text):
        text = f"'{text}"
    return _LATER_FORMULA.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """The text of a cell without the apostrophes that `plain_cell`, or a spreadsheet, put in it."""
    bare = text.lstrip("'")
    return _LATER_GUARD.sub(r"\1", bare if _is_formula(bare) else text).strip()


def _is_formula(text: str) -> bool:
    first = next((at for at, char in enumerate(text) if _is_visible(char)), 0)
    seen = unicodedata.normalize("NFKC", text[first : first + MAX_COMPARED])
    return _FORMULA.match(seen) is not None


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"
