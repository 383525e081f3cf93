"""Is what students and the grader get as the other parts of the grader expect it?"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from otter.assign import main

from autograder.core.config import load_config
from autograder.release import check_release, release
from autograder.release.build import SOURCE_PATH
from autograder.release.template import Template, read_notebook
from tests.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = [
    "student/m5.ipynb",
    "solutions/dropout_128.ipynb",
    "solutions/no_reflections.ipynb",
    "solutions/rate_only.ipynb",
    "solutions/reference.ipynb",
    "solutions/small_conv.ipynb",
    "solutions/tiny_conv.ipynb",
    "solutions/width_only.ipynb",
]
PLACEHOLDER = "_Type your answer here, replacing this text._"
REFLECTIONS = ("reflection_1", "reflection_2", "reflection_3")


def code_cells(project: Any, path: str) -> dict[str, dict[str, Any]]:
    """Those of a notebook that are run, by their ids."""
    cells = project.cells(path).items()
    return {name: cell for name, cell in cells if cell["cell_type"] == "code"}


@pytest.mark.parametrize("path", NOTEBOOKS)
class TestEveryNotebook:
    def test_is_valid(self, shared: Any, path: Any) -> None:
        nbformat.validate(json.loads(shared.read(path)), version=4, version_minor=5)

    def test_says_what_it_is(self, shared: Any, path: Any) -> None:
        metadata = json.loads(shared.read(path))["metadata"]
        assert metadata["activity_m5"]["assignment"] == "activity-m5"
        assert metadata["kernelspec"]["name"] == "python3"
        assert metadata["kernelspec"]["language"] == "python"

    def test_has_python_without_outputs_under_ids_of_their_own(
        self, shared: Any, path: Any
    ) -> None:
        assert len(shared.cells(path)) == len(json.loads(shared.read(path))["cells"])
        for cell in code_cells(shared, path).values():
            ast.parse(cell["source"])
            assert (cell["outputs"], cell["execution_count"]) == ([], None)

    def test_each_prompt_is_followed_by_its_answer(self, shared: Any, path: Any) -> None:
        cells = list(shared.cells(path).values())
        for number, name in enumerate(REFLECTIONS, start=1):
            marker = f"<!-- m5:{name} -->"
            [index] = [i for i, cell in enumerate(cells) if marker in cell["source"].splitlines()]
            prompt, answer = cells[index], cells[index + 1]
            assert f"### Reflection {number}: " in prompt["source"]
            assert prompt["cell_type"] == answer["cell_type"] == "markdown"
            assert name in answer["metadata"]["tags"]
            assert answer["id"] == f"reflection-{number}"
            assert answer["source"].strip()

    def test_has_no_trace_of_how_it_was_made(self, shared: Any, path: Any) -> None:
        text = shared.read(path)
        for trace in (
            "<!-- =",
            "# = ",
            "BEGIN SOLUTION",
            "END SOLUTION",
            "PROMPT",
            "HIDDEN",
            '"raw"',
        ):
            assert trace not in text

    def test_does_not_need_side_files(self, shared: Any, path: Any) -> None:
        """No cell writes a file; two read one, if there is one: the digits, or a picture."""
        touches = re.compile(r"(?<!os\.)\b(open|read_\w+|write|write_\w+|save\w*)\(")
        cells = code_cells(shared, path).items()
        found = {name for name, cell in cells if touches.search(cell["source"])}
        assert found == {"load-data", "canvas"}


def test_student_gets_the_broken_network(shared: Any) -> None:
    model = shared.cells("student/m5.ipynb")["model"]["source"]
    lines = [line.strip() for line in model.splitlines()]
    first = lines.index('layers.Dense(1000, activation="relu"),')
    assert lines[first + 1] == 'layers.Dense(10, activation="relu"),'
    assert lines[first + 2].startswith('layers.Dense(10, activation="softmax")')
    assert "learning_rate=0.03" in model
    assert f"epochs={RULES['starter']['epochs']}," in model
    assert "Dense(64" not in model and "0.001" not in model


def test_student_answers_are_placeholders(shared: Any) -> None:
    for number in (1, 2, 3):
        assert shared.cells("student/m5.ipynb")[f"reflection-{number}"]["source"] == PLACEHOLDER


def test_reference_holds_the_solution_alone(shared: Any) -> None:
    cells = shared.cells("solutions/reference.ipynb")
    assert "Dense(64" in cells["model"]["source"]
    assert "Dense(1000" not in cells["model"]["source"]
    assert "PROMPT" not in cells["model"]["source"]
    assert PLACEHOLDER not in shared.sources("solutions/reference.ipynb")


def test_solutions_differ_from_the_student_only_where_students_write(shared: Any) -> None:
    student = shared.cells("student/m5.ipynb")
    for path in NOTEBOOKS[1:]:
        cells = shared.cells(path)
        assert list(cells) == list(student)
        different = {name for name in cells if cells[name] != student[name]}
        assert different <= {"model", "reflection-1", "reflection-2", "reflection-3"}
        assert "model" in different


def test_a_left_out_reflection_keeps_its_placeholder(shared: Any) -> None:
    cells = shared.cells("solutions/no_reflections.ipynb")
    assert {cells[f"reflection-{number}"]["source"] for number in (1, 2, 3)} == {PLACEHOLDER}


def test_cell_ids_do_not_change_when_the_text_does(released: Any) -> None:
    before = list(released.cells("student/m5.ipynb"))
    released.edit_cell("welcome", lambda text: text + "\n\nMore.")
    released.configure(starter={"hidden_units": [500]}, points={"runs": 0})
    release(released.root)
    assert list(released.cells("student/m5.ipynb")) == before


def test_public_tests_are_the_public_part_of_the_full_ones(shared: Any) -> None:
    for name in ("accuracy", "budget"):
        public = shared.read(f"student/tests/{name}.py").rstrip("\n")
        header, stamp, *full = shared.read(f"dist/tests/{name}.py").split("\n")
        assert stamp.startswith("# For the configuration")
        assert "\n".join([header, *full]).startswith(public)


def test_a_check_gives_all_of_its_points_or_none(shared: Any) -> None:
    """A network is over the threshold or is not: half of the tests are no half of it."""
    paths = [path for path in shared.snapshot() if re.search(r"/tests/\w+\.py$", path)]
    assert {path.split("/")[0] for path in paths} == {"dist", "student"}
    for path in paths:
        assert "\nall_or_nothing = True\n" in shared.read(path), path


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"accuracy": {"threshold": 0.972}},
        {
            "student/m5.ipynb": (
                "more than 97.2 % of the test images",
                "an accuracy of **more than 97.2 %**",
                "threshold = 0.972",
            ),
            "docs/students.md": ("more than 97.2 % of the test images",),
            "student/tests/accuracy.py": ("threshold = 0.972", "More than 97.2 % of the test"),
            "dist/tests/accuracy.py": ("threshold = 0.972", "more than 97.2 % are read"),
        },
    ),
    (
        {"budget": {"max_parameters": 54321}},
        {
            "student/m5.ipynb": (
                "at most 54,321 parameters",
                "The budget of 54,321 counts",
                "budget = 54321",
            ),
            "docs/students.md": ("at most 54,321 parameters", "within 54,321 parameters"),
            "student/tests/budget.py": ("budget = 54321", "at most 54,321 parameters"),
            "dist/tests/budget.py": ("budget = 54321", "there are at most 54,321 parameters"),
        },
    ),
    (
        {"points": {"accuracy": 37, "runs": 13, "budget": 21, "reflection_2": 4}},
        {
            "student/m5.ipynb": (
                "| accuracy | 37 |",
                "| budget | 21 |",
                "**runs** (13 points)",
                "(10, 4 and 10 points)",
            ),
            "docs/students.md": ("| runs | 13 |", "| reflection 2 | 4 |", "95 points in all"),
            "student/tests/accuracy.py": ("points = 37",),
            "dist/tests/accuracy.py": ("points = 37",),
            "dist/tests/budget.py": ("points = 21",),
            "dist/tests/reflection_2.py": ("points = 4",),
            "dist/tests/runs.py": ("points = 13",),
        },
    ),
    (
        {
            "reflections": {
                "min_characters": 77,
                "prompts": {
                    "reflection_1": "Why, oh why?",
                    "reflection_2": "How?",
                    "reflection_3": "What « else »?",
                },
            }
        },
        {
            "student/m5.ipynb": ("### Reflection 1: Why, oh why?", "### Reflection 2: How?"),
            "docs/students.md": ("fewer than 77 letters",),
            "solutions/reference.ipynb": ("### Reflection 3: What « else »?",),
            "solutions/small_conv.ipynb": ("fewer than 77 letters",),
        },
    ),
    (
        {"starter": {"learning_rate": 1e-05, "hidden_units": [30, 20, 5], "epochs": 4}},
        {
            "student/m5.ipynb": (
                "Adam(learning_rate=1e-05)",
                "layers.Dense(20, activation=",
                "epochs=4,",
                "It goes 4 times through",
            ),
            "solutions/rate_only.ipynb": ("layers.Dense(5, activation=",),
            "solutions/width_only.ipynb": ("learning_rate=1e-05",),
        },
    ),
    (
        {"assignment": {"id": "other", "title": "Another title"}},
        {
            "student/m5.ipynb": ("# Another title", '"assignment": "other"'),
            "solutions/reference.ipynb": ('"assignment": "other"',),
        },
    ),
    (
        {"limits": {"notebook_seconds": 90, "cell_seconds": 60}},
        {
            "student/m5.ipynb": ("within 1.5 minutes",),
            "docs/students.md": ("more than about 1.5 minutes together",),
        },
    ),
    (
        {"gradescope": {"container_seconds": 1200, "reserve_seconds": 60}},
        {
            "student/m5.ipynb": ("within 19 minutes",),
            "docs/students.md": ("together about 19 minutes",),
        },
    ),
    (
        {"second_runs": {"margin": 0.025, "count": 4}},
        {"docs/students.md": ("less than 2.5 % of the test images", "up to 4 times")},
    ),
    ({"verification": {"seed": 5}}, {"student/m5.ipynb": ("set_random_seed(5)",)}),
]


@pytest.mark.parametrize(("config", "found"), CHANGES, ids=[next(iter(c)) for c, _ in CHANGES])
def test_every_number_comes_from_the_config(
    project: Any, shared: Any, config: Any, found: Any
) -> None:
    project.configure(**config)
    release(project.root)
    assert check_release(project.root).problems == ()
    for path, texts in found.items():
        for wanted in texts:
            assert wanted in project.read(path)
            assert wanted not in shared.read(path)


FOREIGN = """## « Un réseau **peu profond** », 95 %

Сеть «глубокая», потери растут: {{ x }} {% if %} «% нет %» <!-- обычный -->
日本語：「深い」学習率は $\\eta$ で、｛波括弧｝も《山括弧》も # = そのまま。
"""


def test_a_lesson_may_be_written_in_any_language(project: Any) -> None:
    """Nothing that French, Russian or Japanese puts around words stands for a number of ours."""
    project.edit_cell("overfitting", lambda text: text + "\n\n" + FOREIGN)
    project.edit_cell("show-digits", lambda text: text + "\n# « profond », «глубоко», 「深い」")
    release(project.root)
    cells = project.cells("student/m5.ipynb")
    assert cells["overfitting"]["source"].endswith(FOREIGN.rstrip("\n"))
    assert cells["show-digits"]["source"].endswith("# « profond », «глубоко», 「深い」")


def test_numbers_stand_in_the_source_as_they_will_be_read(shared: Any) -> None:
    """By the committed configuration a release changes no number of the source."""
    config = load_config(ROOT / "otter_config.json")
    for cell in read_notebook(ROOT / SOURCE_PATH, "m5.ipynb")["cells"]:
        bare = re.sub(r"<!-- = [\w.]+ -->| *# = [\w.]+$", "", cell["source"], flags=re.MULTILINE)
        assert Template(config).render(cell["source"], cell["id"]) == bare


def test_the_source_is_taken_by_otter_assign_as_it_stands(tmp_path: Any) -> None:
    main(str(ROOT / SOURCE_PATH), str(tmp_path), no_pdfs=True, no_run_tests=True)
    made = nbformat.read(tmp_path / "student/m5.ipynb", as_version=4)
    assert "layers.Dense(1000" in "".join(cell.source for cell in made.cells)


def test_no_hidden_layers_at_all(project: Any) -> None:
    project.configure(starter={"hidden_units": []})
    release(project.root)
    model = project.cells("student/m5.ipynb")["model"]["source"]
    assert re.search(r"layers\.Flatten\(\).*\n\s*layers\.Dense\(10, activation=.softmax", model)


def test_expectations_fit_the_config() -> None:
    """Each solution, and the starter, says what it should earn by the committed configuration.

    Where this fails after a change of the configuration, the shipped solutions no longer fit it,
    and the message says which and why.
    """
    points = json.loads((ROOT / "otter_config.json").read_text("utf-8"))["points"]
    names = {path.name for path in (ROOT / "solutions").glob("*.expect.json")}
    stems = {path.removeprefix("solutions/").removesuffix(".ipynb") for path in NOTEBOOKS[1:]}
    assert names == {f"{stem}.expect.json" for stem in stems | {"starter"}}
    for name in names:
        expect = json.loads((ROOT / "solutions" / name).read_text("utf-8"))
        assert expect["notebook"] in NOTEBOOKS
        passes = set(expect["passes"])
        assert expect["points"] == {
            check: worth if check in passes else 0 for check, worth in points.items()
        }
        assert expect["score"] == sum(expect["points"].values())
        assert expect["verdict"] == ("PASSED" if passes == set(points) else "FAILED")
        low, high = expect["accuracy"]
        assert low < expect["measured_accuracy"] < high
    assert check_release(ROOT).remarks == ()
