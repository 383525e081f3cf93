"""Does the release notice what is stale, and what gives the solution away?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from autograder.core.errors import ReleaseError
from autograder.release import check_release, release
from autograder.release.source import Passage, Source, find_leaks, words


def test_stale_student_notebook(released: Any) -> None:
    released.replace("student/m5.ipynb", "epochs=3", "epochs=14")
    [problem] = check_release(released.root).problems
    assert problem.startswith("student/m5.ipynb differs from a fresh release from line ")
    assert "'\"    epochs=14" in problem and "'\"    epochs=3" in problem


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("student/tests/budget.py", "budget = 110000", "budget = 990000"),
        ("dist/tests/budget.py", "0 < counted", "0 <= counted"),
    ],
)
def test_a_test_that_was_edited(released: Any, path: str, old: str, new: str) -> None:
    released.replace(path, old, new)
    [problem] = check_release(released.root).problems
    assert problem.startswith(f"{path} differs")


def test_missing_and_shortened_files(released: Any) -> None:
    (released.root / "student/tests/budget.py").unlink()
    lines = released.read("student/requirements.txt").splitlines(keepends=True)
    released.write("student/requirements.txt", "".join(lines[:-1]))
    assert list(check_release(released.root).problems) == [
        f"student/requirements.txt has {len(lines) - 1} lines where a fresh release has "
        f"{len(lines)}: run `m5 release`.",
        "student/tests/budget.py is missing: run `m5 release`.",
    ]


def test_changed_source_makes_the_release_stale(released: Any) -> None:
    released.edit_cell("welcome", lambda text: text.replace("two purposes", "three purposes"))
    assert any(
        problem.startswith("student/m5.ipynb differs")
        for problem in check_release(released.root).problems
    )


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("student/notes.txt", "try   layers.Dense(64,  activation='relu')", None),
        (
            "student/notes.txt",
            'x = layers.Dense(64, activation="relu"),  # wide enough for every digit, and no '
            "bottleneck",
            "gives away a line of assignment/m5.ipynb, cell 'model'",
        ),
        (
            "student/tests/more.py",
            "    assert  execution.all_cells_ran is True, execution.failure",
            "gives away a line of assignment/m5.ipynb, cell 'test-runs-hidden'",
        ),
        ("student/hint.md", "Perhaps use Conv2D?", "words of solutions or hidden tests: conv2d"),
        ("student/deep/down/hint.md", "all_cells_ran", "hidden tests: all_cells_ran"),
        ("student/tests/more.py", "# HIDDEN\nx = 1", "marker '# HIDDEN'"),
        ("student/tests/more.py", "@test_case(hidden=True)", "marker 'hidden=True'"),
        ("student/more.md", "# BEGIN SOLUTION", "marker 'BEGIN SOLUTION'"),
    ],
)
def test_leak_into_any_file_of_the_student(released: Any, path: Any, text: Any, told: Any) -> None:
    target = released.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    problems = check_release(released.root).problems
    if told is None:
        assert not problems
    else:
        assert any(problem.startswith(path) and told in problem for problem in problems)


@pytest.mark.parametrize("place", ["source", "output", "metadata", "damaged"])
def test_leak_in_a_notebook(released: Any, place: Any) -> None:
    """Outputs and metadata are searched as well as sources, and what cannot be read as text."""
    secret = "keras.optimizers.Adam(learning_rate=0.001)"
    notebook = json.loads(released.read("student/m5.ipynb"))
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "model")
    if place in ("source", "damaged"):
        cell["source"] = ["# try\n", f"optimizer={secret},\n"]
    elif place == "output":
        cell["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": [f"optimizer={secret},"]}
        ]
    else:
        notebook["metadata"]["hint"] = {"one": [f"optimizer={secret},", 1]}
    text = json.dumps(notebook)
    released.write("student/more.ipynb", text[:-1] if place == "damaged" else text)
    assert any(
        problem.startswith("student/more.ipynb gives away a line")
        for problem in check_release(released.root).problems
    )


def test_a_line_of_words_that_everybody_has_is_a_leak_if_it_is_long_enough_to_say_something() -> (
    None
):
    source = Source(
        visible=[Passage("the lesson", "units = 10; rate = 0.03; epochs = 5")],
        secret=[Passage("the solution", "units = 640\nunits = 64; rate = 0.001")],
    )
    files = {"student/notes.txt": b"units = 640, then units = 64;  rate = 0.001"}
    found = find_leaks(files, source)
    assert found == [
        "student/notes.txt gives away a line of the solution: 'units = 64; rate = 0.001'."
    ]


def test_sample_reflections_are_secret(released: Any) -> None:
    released.write(
        "student/hint.md", released.cells("solutions/reference.ipynb")["reflection-1"]["source"]
    )
    problems = check_release(released.root).problems
    assert any("gives away a line" in problem and "reflection-1" in problem for problem in problems)


def test_release_that_would_leak_is_refused(released: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should Otter Assign ever forget to hide a test, nothing is written."""
    from autograder.release import build

    real = build.run_assign

    def forgetful(notebook: Any, name: Any) -> Any:
        assigned = real(notebook, name)
        assigned.student_tests.update(assigned.grader_tests)
        return assigned

    monkeypatch.setattr(build, "run_assign", forgetful)
    before = released.snapshot()
    with pytest.raises(ReleaseError, match=r"give something away.*student/tests/runs\.py"):
        release(released.root)
    assert released.snapshot() == before


def test_student_files_hold_no_word_of_the_other_solutions(shared: Any) -> None:
    student = words(shared.sources("student/m5.ipynb"))
    for word in ("conv2d", "execution", "all_cells_ran", "test_case"):
        assert word not in student
