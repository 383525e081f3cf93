"""What is fixed, what is left alone, and what is read off the file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from intake_builders import PYTHON, code, notebook, read

COLAB = {
    "colab": {"provenance": [], "gpuType": "T4"},
    "kernelspec": {"name": "python3", "display_name": "Python 3"},
    "language_info": {"name": "python"},
    "accelerator": "GPU",
    "widgets": {"application/vnd.jupyter.widget-state+json": {"a": {"b": float("nan")}}},
}

REPAIRED: dict[str, tuple[dict[str, Any], str]] = {
    "no ids": (notebook({k: v for k, v in code().items() if k != "id"}), ""),
    "ids used twice": (notebook(code("a", id="x"), code("b", id="x")), ""),
    "impossible id": (notebook(code(id="a b")), ""),
    "id is a list": (notebook(code(id=["x"])), ""),
    "id that we would give": (notebook(code("a", id=None), code("b", id="cell-1")), ""),
    "no kernel": (notebook(metadata={}), "named no kernel"),
    "kernel of another name": (
        notebook(metadata=PYTHON | {"kernelspec": {"name": "tf-gpu", "language": "python"}}),
        "“tf-gpu” was replaced",
    ),
    "Colab": (notebook(metadata=COLAB), ""),
    "metadata is a list": (notebook(metadata=[1]), "named no kernel"),
    "format as text": (notebook(nbformat="4"), ""),
    "format as fraction": (notebook(nbformat=4.0), ""),
    "no format": ({"cells": [code()]}, "named no format"),
    "minor version of the future": (notebook(nbformat_minor=9), ""),
    "no outputs": (notebook({"cell_type": "code", "source": "1", "metadata": {}}), ""),
    "source as list": (notebook(code(["a = 1\n", "b = 2"])), ""),
    "no source": (notebook(code(), {"cell_type": "markdown"}), "taken for empty"),
    "no kind": (notebook(code(), {"source": "x"}), "taken for markdown"),
    "no kind, with outputs": (notebook({"source": "x", "outputs": []}), "taken for code"),
    "unknown keys": (notebook(code(extra={"a": 1}), more=[1, 2]), ""),
    "tags of all kinds": (
        notebook(code(metadata={"tags": ["a", "a", "", 1, "b,c"], "name": 7, "jupyter": 3})),
        "",
    ),
    "NaN and infinity": (notebook(code(), metadata=PYTHON | {"x": [float("nan"), 1e999]}), ""),
    "half an emoji in text": (
        notebook(code(), {"cell_type": "markdown", "source": "a \ud83d b"}),
        "Broken characters",
    ),
    "attachments of all kinds": (
        notebook(
            code(),
            {
                "cell_type": "markdown",
                "source": "![](a.png)",
                "attachments": {"a.png": {"image/png": "AAAA", "text/html": "<script>"}, "b": 1},
            },
        ),
        "",
    ),
    "format of format 4.2": (notebook(code(), nbformat_minor=2), ""),
    "orig_nbformat of the wrong type": (notebook(metadata=PYTHON | {"orig_nbformat": "x"}), ""),
}


@pytest.mark.parametrize("case", REPAIRED)
def test_repaired_notebook_is_valid(case: str, tmp_path: Path) -> None:
    content, expected = REPAIRED[case]
    submission = read(tmp_path, content)
    nbformat.validate(nbformat.from_dict(submission.notebook))
    assert expected in " ".join(submission.repairs)
    if not expected:
        assert submission.repairs == ()
    assert submission.notebook["metadata"]["kernelspec"]["name"] == "python3"
    json.dumps(submission.notebook, allow_nan=False).encode()


def test_sound_notebook_needs_no_repair(tmp_path: Path) -> None:
    submission = read(tmp_path, notebook(code("a"), code("b")))
    assert submission.repairs == ()
    assert [cell["source"] for cell in submission.notebook["cells"]] == ["a", "b"]


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\n!pip install keras",
        "%%time\nx = 1",
        "def f(:\n",
        "\tx=1\r\n",
        "é=1 # 数",
    ],
)
def test_code_is_kept_to_the_letter(source: str, tmp_path: Path) -> None:
    assert read(tmp_path, notebook(code(source))).notebook["cells"][0]["source"] == source


def test_outputs_are_never_kept(tmp_path: Path) -> None:
    cell = read(tmp_path, notebook(code())).notebook["cells"][0]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_halves_of_an_emoji_in_two_lines_are_joined(tmp_path: Path) -> None:
    submission = read(tmp_path, notebook(code(["x = '\ud83d", "\ude00'"])))
    assert submission.notebook["cells"][0]["source"] == "x = '😀'"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_other_unicode_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    text = json.dumps(notebook(code("# é 数")), ensure_ascii=False)
    submission = read(tmp_path, text.encode(encoding))
    assert submission.notebook["cells"][0]["source"] == "# é 数"


def test_long_numbers_are_read_in_no_time(tmp_path: Path) -> None:
    digits = b"9" * 3_000_000
    content = json.dumps(notebook(metadata=PYTHON | {"n": 0})).encode()
    submission = read(tmp_path, content.replace(b'"n": 0', b'"n": ' + digits))
    assert submission.notebook["metadata"]["n"] is None


def test_repairs_are_not_without_end(tmp_path: Path) -> None:
    submission = read(tmp_path, notebook(code(), *[{"source": "x"}] * 500))
    assert len(submission.repairs) == 21
    assert submission.repairs[-1] == "480 more repairs were made."


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ({"assignment": "activity-m5"}, True),
        ({"assignment": "activity-m4"}, False),
        ({"assignment": ["activity-m5"]}, False),
        ("activity-m5", False),
        (None, False),
    ],
)
def test_mark_is_recognised(mark: Any, expected: bool, tmp_path: Path) -> None:
    submission = read(tmp_path, notebook(metadata=PYTHON | {"activity_m5": mark}))
    assert submission.carries_mark is expected


def test_hash_is_of_the_file(tmp_path: Path) -> None:
    submission = read(tmp_path, notebook())
    assert (
        submission.content_hash == hashlib.sha256((tmp_path / "m5.ipynb").read_bytes()).hexdigest()
    )


def test_reading_the_same_file_twice_gives_the_same(tmp_path: Path) -> None:
    content = notebook(code(id=None), code(id="x"), code(id="x"))
    assert read(tmp_path, content) == read(tmp_path, content)


def test_import_is_light() -> None:
    """Does importing the package leave the heavy ones alone?"""
    program = (
        "import sys, autograder.intake;"
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'nbformat', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
