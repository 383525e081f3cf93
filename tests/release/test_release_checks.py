"""Do the released Otter tests pass and fail when they should, and say something useful?"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pytest
from otter.test_files.exception_test import ExceptionTestFile

from autograder.core.errors import ReleaseError
from autograder.release import check_release, documentation, release
from autograder.reports import tables

LABELS = np.arange(1000) % 10
PUBLIC = ("accuracy", "budget")


class Network:
    """Answers as it is told; has the two methods that the tests use."""

    def __init__(self, outputs: Any, parameters: Any = 50_890) -> None:
        self.outputs = outputs
        self.parameters = parameters

    def predict(self, images: Any, batch_size: Any = None, verbose: Any = 1) -> Any:
        assert verbose == 0, "tests must not print a progress bar"
        assert len(images) == len(self.outputs)
        return self.outputs

    def count_params(self) -> Any:
        return self.parameters


def outputs(right: int) -> np.ndarray:
    """Softmax-like outputs of which the first `right` are right."""
    answers = np.where(np.arange(len(LABELS)) < right, LABELS, (LABELS + 1) % 10)
    return np.eye(10)[answers] * 0.9 + 0.01


def run(shared: Any, path: Any, **environment: Any) -> Any:
    """Run a test file; return its result and what it says."""
    environment.setdefault("x_test", np.zeros((1000, 28, 28), "float32"))
    environment.setdefault("y_test", LABELS)
    file = ExceptionTestFile.from_file(str(shared.root / path))
    file.run(environment)
    return file, file.summary()


@pytest.fixture(params=["student", "dist"])
def folder(request: Any) -> str:
    """The local tests, and the grader's with the hidden ones."""
    return f"{request.param}/tests"


@pytest.mark.parametrize(
    ("right", "passes"), [(1000, True), (951, True), (950, False), (949, False), (0, False)]
)
def test_accuracy_must_be_greater_than_the_threshold(
    shared: Any, folder: Path, right: Any, passes: Any
) -> None:
    file, text = run(shared, f"{folder}/accuracy.py", model=Network(outputs(right)))
    assert file.passed_all is passes
    assert file.score == (40 if passes else 0)
    assert (f"{right / 10:.2f} %" in text) is not passes


@pytest.mark.parametrize(
    "labels", [LABELS, LABELS.astype("uint8"), LABELS.reshape(-1, 1), np.eye(10)[LABELS]]
)
def test_labels_may_be_numbers_or_one_hot(shared: Any, labels: Any) -> None:
    model = Network(outputs(960))
    file, _ = run(shared, "student/tests/accuracy.py", model=model, y_test=labels)
    assert file.passed_all
    file, _ = run(shared, "student/tests/accuracy.py", model=Network(outputs(940)), y_test=labels)
    assert not file.passed_all


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_fail(shared: Any, folder: Path, bad: Any) -> None:
    everything = np.full((1000, 10), bad)
    file, text = run(shared, f"{folder}/accuracy.py", model=Network(everything))
    assert not file.passed_all and "no numbers any more" in text
    hundred = outputs(1000)
    hundred[:100] = bad
    file, _ = run(shared, f"{folder}/accuracy.py", model=Network(hundred))
    assert not any(result.passed for result in file.test_case_results)


def test_wrong_number_of_outputs_is_explained(shared: Any) -> None:
    file, text = run(shared, "student/tests/accuracy.py", model=Network(np.zeros((1000, 1))))
    assert not file.passed_all
    assert "shape (1000, 1)" in text and "How many outputs" in text


def test_one_answer_for_every_image_is_pointed_out(shared: Any) -> None:
    constant = np.tile(np.eye(10)[7], (1000, 1))
    _, text = run(shared, "student/tests/accuracy.py", model=Network(constant))
    assert "10.00 %" in text and "calls every single image a 7" in text


@pytest.mark.parametrize("name", PUBLIC)
def test_missing_network_is_explained(shared: Any, folder: Path, name: Any) -> None:
    for environment in ({}, {"model": None}, {"model": 3}):
        file, text = run(shared, f"{folder}/{name}.py", **environment)
        assert not any(result.passed for result in file.test_case_results)
        assert "Have you run the cell that builds and trains it?" in text


def test_missing_test_images_are_explained(shared: Any) -> None:
    _, text = run(shared, "student/tests/accuracy.py", model=Network(outputs(1)), x_test=None)
    assert "Have you run the cell that loads them?" in text


@pytest.mark.parametrize(
    ("parameters", "passes"), [(1, True), (110_000, True), (110_001, False), (795_120, False)]
)
def test_budget_may_be_used_up_but_not_exceeded(
    shared: Any, folder: Path, parameters: Any, passes: Any
) -> None:
    model = Network(outputs(0), parameters)
    file, text = run(shared, f"{folder}/budget.py", model=model)
    assert file.passed_all is passes
    assert file.score == (20 if passes else 0)
    assert (f"has {parameters:,} parameters;" in text) is not passes


@pytest.mark.parametrize("name", PUBLIC)
def test_local_pass_does_not_promise_the_points(shared: Any, name: Any) -> None:
    _, text = run(shared, f"student/tests/{name}.py", model=Network(outputs(1000)))
    assert "This was the local check. Gradescope" in text and "checks more" in text


def test_failing_message_asks_and_does_not_answer(shared: Any) -> None:
    for name in PUBLIC:
        _, text = run(shared, f"student/tests/{name}.py", model=Network(outputs(500), 10**6))
        assert "?" in text
        for answer in ("64", "0.001", "smaller learning rate"):
            assert answer not in text


def test_runs(shared: Any) -> None:
    good = SimpleNamespace(all_cells_ran=True, failure="")
    bad = SimpleNamespace(all_cells_ran=False, failure="Cell 4 raised a NameError.")
    file, _ = run(shared, "dist/tests/runs.py", execution=good)
    assert file.score == 10
    file, text = run(shared, "dist/tests/runs.py", execution=bad)
    assert file.score == 0 and "Cell 4 raised a NameError." in text
    for nothing in (None, SimpleNamespace(all_cells_ran="yes", failure="")):
        file, _ = run(shared, "dist/tests/runs.py", execution=nothing)
        assert file.score == 0


@pytest.mark.parametrize("name", ["reflection_1", "reflection_2", "reflection_3"])
def test_reflections(shared: Any, name: Any) -> None:
    path = f"dist/tests/{name}.py"
    present = {name: SimpleNamespace(present=True, reason="")}
    absent = {name: SimpleNamespace(present=False, reason="The placeholder is still there.")}
    assert run(shared, path, reflections=present)[0].score == 10
    file, text = run(shared, path, reflections=absent)
    assert file.score == 0 and "The placeholder is still there." in text
    for nothing in (None, {}, {"reflection_9": present[name]}):
        assert run(shared, path, reflections=nothing)[0].score == 0


def test_which_tests_are_hidden(shared: Any) -> None:
    hidden = {}
    for path in sorted((shared.root / "dist/tests").glob("*.py")):
        cases = ExceptionTestFile.from_file(str(path)).test_cases
        hidden[path.stem] = [case.hidden for case in cases]
        assert all(case.name and "-" not in case.name for case in cases)
    assert hidden == {
        "accuracy": [False, True],
        "budget": [False, True],
        "reflection_1": [True],
        "reflection_2": [True],
        "reflection_3": [True],
        "runs": [True],
    }


class TestLocalChecksCell:
    """The notebook's first code cell, which holds the public tests itself."""

    def start(self, project: Any, **variables: Any) -> Any:
        environment: dict[str, object] = {
            "x_test": np.zeros((1000, 28, 28), "float32"),
            "y_test": LABELS,
            **variables,
        }
        exec(project.cells("student/m5.ipynb")["local-checks"]["source"], environment)
        return environment["grader"]

    def say(self, capsys: pytest.CaptureFixture[str], grader: Any, question: Any) -> Any:
        assert grader.check(question) is None
        return capsys.readouterr().out

    def test_needs_neither_otter_nor_files(
        self,
        shared: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setitem(__import__("sys").modules, "otter", None)
        grader = self.start(shared, model=Network(outputs(960)))
        assert "96.00 % of the 1,000 test images" in self.say(capsys, grader, "accuracy")
        assert "50,890 parameters" in self.say(capsys, grader, "budget")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "model",
        [None, 3, Network(outputs(960)), Network(outputs(0), 10**6), Network(np.zeros((1000, 1)))],
    )
    @pytest.mark.parametrize("name", PUBLIC)
    def test_says_the_same_as_the_test_file(
        self, shared: Any, capsys: pytest.CaptureFixture[str], name: Any, model: Any
    ) -> None:
        said = self.say(capsys, self.start(shared, model=model), name)
        file, text = run(shared, f"student/tests/{name}.py", model=model)
        assert said.startswith(f"{name}: PASSED. ") is file.passed_all
        assert said.startswith(f"{name}: NOT YET. ") is not file.passed_all
        if not file.passed_all:
            assert said.split("\n")[0].removeprefix(f"{name}: NOT YET. ") in text
        assert "Gradescope" in said and "checks more" in said

    @pytest.mark.parametrize("name", PUBLIC)
    def test_failure_measures_wants_and_asks_once(
        self, shared: Any, capsys: pytest.CaptureFixture[str], name: Any
    ) -> None:
        grader = self.start(shared, model=Network(outputs(500), 10**6))
        said = self.say(capsys, grader, name)
        assert {"accuracy": "50.00 %", "budget": "1,000,000"}[name] in said
        assert {"accuracy": "95 % are wanted", "budget": "110,000 are allowed"}[name] in said
        assert said.count("?") == 1

    def test_images_that_are_not_scaled_alike_are_pointed_out(
        self, shared: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        grader = self.start(
            shared,
            model=Network(outputs(500)),
            x_train=np.ones((10, 28, 28)),
            x_test=np.full((1000, 28, 28), 255),
        )
        assert "go up to 1, those in `x_test` up to 255" in self.say(capsys, grader, "accuracy")

    def test_an_error_in_the_network_is_told_and_does_not_stop_the_notebook(
        self, shared: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Broken(Network):
            def predict(self, *images: Any, **options: Any) -> Any:
                raise ValueError("matrix size-incompatible")

        grader = self.start(shared, model=Broken(None))
        said = self.say(capsys, grader, "accuracy")
        assert "could not be checked (ValueError: matrix" in said and "Restart" in said

    def test_other_questions_are_checked_on_gradescope(
        self, shared: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = self.say(capsys, self.start(shared), "reflection_1")
        assert "no local check of 'reflection_1'" in said

    def test_holds_no_hidden_test(self, shared: Any) -> None:
        source = shared.cells("student/m5.ipynb")["local-checks"]["source"]
        assert "when_graded" not in source and source.count("def test_") == len(PUBLIC)

    def test_follows_the_configuration(
        self, project: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.configure(accuracy={"threshold": 0.75}, budget={"max_parameters": 50_999})
        release(project.root)
        grader = self.start(project, model=Network(outputs(751), 51_000))
        assert "PASSED" in self.say(capsys, grader, "accuracy")
        assert "at most 50,999 are allowed" in self.say(capsys, grader, "budget")
        grader = self.start(project, model=Network(outputs(750), 50_999))
        assert "more than 75 % are wanted" in self.say(capsys, grader, "accuracy")
        assert "PASSED" in self.say(capsys, grader, "budget")
        for name in PUBLIC:  # and so do the hidden tests
            file, _ = run(project, f"dist/tests/{name}.py", model=Network(outputs(751), 50_999))
            assert file.passed_all
            file, _ = run(project, f"dist/tests/{name}.py", model=Network(outputs(750), 51_000))
            assert not any(result.passed for result in file.test_case_results)


@pytest.mark.parametrize("places", ["", "# PUBLIC TESTS\n# PUBLIC TESTS"])
def test_notebook_without_one_place_for_the_tests_is_refused(project: Any, places: Any) -> None:
    project.edit_cell("local-checks", lambda text: text.replace("# PUBLIC TESTS", places))
    with pytest.raises(ReleaseError, match="'local-checks' needs one line '# PUBLIC TESTS'"):
        release(project.root)


README = """# Ours
<!-- points: written by m5 release -->
| anything |
<!-- end of points -->
The rest.
"""


def test_points_in_the_readme_are_those_of_the_configuration(released: Any) -> None:
    released.write("README.md", README)
    assert any(problem.startswith("README.md") for problem in check_release(released.root).problems)
    release(released.root)
    text = released.read("README.md")
    assert text.startswith("# Ours\n") and text.endswith("The rest.\n")
    assert "| accuracy | 40 | more than 95 % of" in text and "| together | 100 |" in text
    assert "anything" not in text
    assert check_release(released.root).problems == ()
    released.configure(points={"accuracy": 33}, accuracy={"threshold": 0.9})
    release(released.root)
    assert "| accuracy | 33 | more than 90 % of" in released.read("README.md")


def test_readme_without_the_table_is_left_alone(released: Any) -> None:
    released.write("README.md", "# A course of its own\n")
    release(released.root)
    assert released.read("README.md") == "# A course of its own\n"


@pytest.mark.parametrize("text", [README.replace("<!-- end of points -->", ""), README + README])
def test_readme_with_half_a_table_is_refused(released: Any, text: Any) -> None:
    released.write("README.md", text)
    with pytest.raises(ReleaseError, match=r"README\.md"):
        release(released.root)


MARKED = "Keys.\n<!-- keys: written by m5 release -->\n<!-- end of keys -->\n"
COLUMNS = "Columns.\n<!-- columns: written by m5 release -->\n<!-- end of columns -->\n"


def test_documents_explain_every_key_and_every_column(released: Any) -> None:
    (released.root / "docs").mkdir(exist_ok=True)
    released.write("docs/configuration.md", MARKED)
    released.write("docs/tas.md", COLUMNS)
    problems = check_release(released.root).problems
    assert [text.split()[0] for text in problems] == ["docs/configuration.md", "docs/tas.md"]
    release(released.root)
    page = released.read("docs/configuration.md")
    values = json.loads(released.read("otter_config.json"))
    for section, keys in values.items():
        for name in keys if isinstance(keys, dict) else ():
            assert f"| `{section}.{name}" in page
    assert "| `accuracy.threshold` | `0.95` | a number, more than 0, less than 1 | " in page
    columns = released.read("docs/tas.md")
    assert all(f"| `{name}` | " in columns for name in tables.COLUMNS)


def test_a_key_that_nobody_explains_is_not_released(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (released.root / "docs").mkdir(exist_ok=True)
    released.write("docs/configuration.md", MARKED)
    monkeypatch.setattr(documentation, "_meanings", lambda: defaultdict(dict))
    with pytest.raises(ReleaseError, match=r"assignment\.id needs a sentence"):
        release(released.root)


def test_editors_refuse_what_the_grader_refuses(released: Any) -> None:
    schema = json.loads(released.read("docs/otter_config.schema.json"))
    values = json.loads(released.read("otter_config.json"))
    jsonschema.validate(values, schema)
    for section, key, value in (("accuracy", "threshold", 95), ("points", "budgte", 20)):
        wrong = {**values, section: {**values[section], key: value}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    accuracy = schema["$defs"]["AccuracyConfig"]["properties"]["threshold"]
    assert "accuracy must be greater" in accuracy["description"]
