"""What is refused, and whether the student is told why and what to do."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from intake_builders import ASSIGNMENT, PYTHON, code, notebook, read

from autograder import intake
from autograder.core.errors import MalformedSubmission
from autograder.intake import Handin, read_submission, repairing
from autograder.intake import notebook as reading_json


def zipped(name: str) -> bytes:
    """A zip archive with one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


def language(name: str, kernel: str = "k") -> dict[str, Any]:
    """Metadata of a notebook in another language."""
    return {"kernelspec": {"name": kernel, "display_name": kernel, "language": name}}


CONFLICT = b'{"cells": [\n<<<<<<< HEAD\n"a"\n=======\n"b"\n>>>>>>> main\n]}'
HTML = b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html><head><title>m5 - Colab</title></head></html>"

REFUSED: dict[str, tuple[Any, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n\t", "is empty"),
    "byte order mark only": (b"\xef\xbb\xbf", "is empty"),
    "zeros, as after a crash": (b"\0" * 9000, "only zeros"),
    "web page": (HTML, r"web page \(HTML\).*Download \.ipynb"),
    "web page, lower case": (b"<html><body>Sign in</body></html>", "web page"),
    "XML": (b'<?xml version="1.0"?><a/>', "is XML"),
    "PDF": (b"%PDF-1.7\n...", "is a PDF"),
    "zip": (zipped("m5.ipynb"), "is a zip archive"),
    "Word": (zipped("word/document.xml"), "is a Word document"),
    "saved network": (zipped("model.weights.h5"), r"saved network \(\.keras\)"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "saved network"),
    "picture": (b"\x89PNG\r\n", "is a picture"),
    "script": (b"import tensorflow as tf\nmodel = 1\n", "is a Python script"),
    "plain text": (b"my answers are on the next page", "is plain text"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "merge conflict": (CONFLICT, "merge conflict"),
    "cut short": (json.dumps(notebook()).encode()[:-40], "ends in the middle"),
    "comma missing": (b'{"cells": [] "nbformat": 4}', "line 1, column 14"),
    "Latin-1": ('{"cells": ["é"]}'.encode("latin-1"), "not text in UTF-8"),
    "other JSON": ({"a": 1}, "no list of cells"),
    "list": ([notebook()], "no list of cells"),
    "number": (b"7", "no list of cells"),
    "string": (b'"m5"', "no list of cells"),
    "Drive shortcut": ({"doc_id": "x", "email": "a@b"}, "link to a file on Google Drive"),
    "cells are no list": (notebook() | {"cells": {"0": code()}}, "no list of cells"),
    "cell is no object": (notebook("print(1)"), "cell 1 is not a cell"),
    "source is a number": (notebook(code(7)), "cell 1 holds something else than text"),
    "source is a list of numbers": (notebook(code([7])), "something else than text"),
    "no cells": (notebook() | {"cells": []}, "no code"),
    "text only": (notebook({"cell_type": "markdown", "source": "hi"}), "no code"),
    "blank code only": (notebook(code(" \n")), "no code"),
    "format 1": (notebook(nbformat=1), "before 2015"),
    "format 3": ({"nbformat": 3, "worksheets": [{"cells": [code()]}]}, "before 2015"),
    "worksheets": ({"worksheets": [{"cells": [code()]}]}, "no list of cells"),
    "format 5": (notebook(nbformat=5), "newer than Jupyter"),
    "format 5 as text": (notebook(nbformat="5"), "newer than Jupyter"),
    "R": (notebook(metadata=language("R", "ir")), "language R"),
    "R, named by the kernel alone": (
        notebook(metadata={"kernelspec": {"name": "ir", "display_name": "R"}}),
        "language ir",
    ),
    "Julia": (notebook(metadata={"language_info": {"name": "julia"}}), "language julia"),
    "kernel changed to R last": (
        notebook(metadata=PYTHON | {"language_info": {"name": "R"}}),
        "language R",
    ),
    "too many cells": (notebook(*[code()] * (repairing.MAX_CELLS + 1)), "at most 2,000"),
    "too much code": (
        notebook(code("#" * (repairing.MAX_CODE_CHARACTERS + 1))),
        "at most 1,000,000",
    ),
    "NUL in code": (notebook(code("a = '\0'")), "Cell 1.*NUL"),
    "half an emoji in code": (notebook(code("a = '\ud83d'")), "Cell 1.*half an emoji"),
    "brackets without end": (b"[" * 1_000_000, "nested too deep"),
    "objects without end": (b'{"a":' * 200_000, "nested too deep"),
    "deep metadata": (
        json.dumps(notebook()).replace('"language_info"', '"x": %s, "language_info"').encode()
        % (b"[" * 100 + b"]" * 100),
        "nested too deep",
    ),
    "a million values": (b"[" + b"[]," * (reading_json.MAX_VALUES // 2), "too much data"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_says_what_is_wrong(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    with pytest.raises(MalformedSubmission) as refusal:
        read(tmp_path, content)
    text = str(refusal.value)
    assert re.search(expected, text), text
    assert_is_for_students(text, tmp_path)


def assert_is_for_students(text: str, folder: Path) -> None:
    """A problem and a next step, on one line, and nothing about our machine."""
    assert text.endswith((".", ")."))
    assert re.search(r"[Uu]pload|Check its name", text), text
    assert "\n" not in text
    assert str(folder) not in text
    assert len(text) < 400


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m5.ipynb"
    os.mkfifo(path)
    with pytest.raises(MalformedSubmission, match="not a regular file"):
        read_submission(Handin(submission="m5", path=path), assignment_id=ASSIGNMENT)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_device_is_refused(path: str) -> None:
    if not Path(path).exists():
        pytest.skip(f"no {path} here")
    with pytest.raises(MalformedSubmission):
        read_submission(Handin(submission="m5", path=Path(path)), assignment_id=ASSIGNMENT)


@pytest.mark.parametrize("name", ["gone.ipynb", "a\0b.ipynb", "x" * 5000, "\udcff.ipynb"])
def test_path_that_leads_nowhere_is_refused(name: str, tmp_path: Path) -> None:
    handin = Handin(submission="m5", path=tmp_path / name)
    with pytest.raises(MalformedSubmission) as refusal:
        read_submission(handin, assignment_id=ASSIGNMENT)
    assert_is_for_students(str(refusal.value), tmp_path)
    str(refusal.value).encode()


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedSubmission, match="is a folder"):
        read_submission(Handin(submission="m5", path=tmp_path), assignment_id=ASSIGNMENT)


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read anything")
def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m5.ipynb"
    path.write_text("{}")
    path.chmod(0)
    with pytest.raises(MalformedSubmission, match="may not be read"):
        read_submission(Handin(submission="m5", path=path), assignment_id=ASSIGNMENT)


@pytest.mark.parametrize(("extra", "refused"), [(0, False), (1, True)])
def test_size_limit_is_exact(
    extra: int, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 4096)
    content = json.dumps(notebook()).encode().ljust(4096 + extra)
    if refused:
        with pytest.raises(MalformedSubmission, match="larger than"):
            read(tmp_path, content)
    else:
        assert read(tmp_path, content).notebook["cells"]


def test_a_file_that_turns_out_larger_than_it_said_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that grows meanwhile; the files of /proc say that they are empty."""
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 64)
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0
    with pytest.raises(MalformedSubmission, match="larger than"):
        read_submission(Handin(submission="x", path=path), assignment_id=ASSIGNMENT)


def test_limits_on_cells_and_code_are_exact(tmp_path: Path) -> None:
    read(tmp_path, notebook(*[code()] * repairing.MAX_CELLS))
    read(tmp_path, notebook(code("#" * repairing.MAX_CODE_CHARACTERS)))
