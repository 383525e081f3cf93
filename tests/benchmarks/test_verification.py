"""The notebooks of the verification benchmark, and what is kept of them; nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import nbformat
import pytest

from benchmarks import verification
from benchmarks.verification import Case, Line, page, run
from benchmarks.verification_cases import cases

CASES = cases()


def test_every_case_is_another_notebook_with_code_that_compiles() -> None:
    assert len({case.key for case in CASES}) == len(CASES)
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)
    for case in CASES:
        for cell in nbformat.reads(case.notebook, as_version=4).cells:
            compile(cell.source, case.name, "exec")


def test_there_are_as_many_as_the_page_promises() -> None:
    assert sum(case.group.startswith("Preparation") for case in CASES) >= 80
    assert sum(case.group.startswith("Network") for case in CASES) >= 40


def line(case: Case, grader: str, measured: float | None = 0.9, proved_by: str = "fit") -> Line:
    return Line(
        key=case.key, grader=grader, own=0.9, measured=measured, proved_by=proved_by, why="No."
    )


def test_a_second_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graded: list[str] = []

    def grade(some: Sequence[Case], folder: Path, grader: str) -> list[Line]:
        if len(graded) >= 2 * verification.AT_A_TIME:
            raise KeyboardInterrupt
        graded.extend(case.key for case in some)
        return [line(case, grader) for case in some]

    path = tmp_path / "verification.jsonl"
    path.write_bytes(msgspec.json.encode(line(CASES[0], "another grader")) + b"\n")
    monkeypatch.setattr(verification, "grade", grade)
    with pytest.raises(KeyboardInterrupt):
        run(CASES, tmp_path)
    first = list(graded)
    graded.clear()
    with pytest.raises(KeyboardInterrupt):
        run(CASES, tmp_path)
    graded_twice = first + graded
    assert graded_twice == [case.key for case in CASES[: len(graded_twice)]]


def test_the_page_counts_what_is_measured_as_trained() -> None:
    some = CASES[:4]
    lines = [line(some[0], ""), line(some[1], "", 0.894), line(some[2], "", None, "")]
    lines.append(Line(key=some[3].key, grader="", own=None, measured=0.9, why="NameError"))
    text = page(some, {each.key: each for each in lines})
    assert f"| {some[0].group} | 3 | 1 (33%) | 2 |" in text
    assert f"`{verification.grader_version()[:12]}`" in text
    told = text.partition("## Not measured as trained")[2].partition("## " + some[0].group)[0]
    assert [f", {case.name}: " in told for case in some] == [False, True, True, True]
    assert "NameError" in told.partition("## Did not run")[2]
