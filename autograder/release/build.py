"""Make all files of a release in memory."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.assignment import FORMULAS_PATH, stamp
from autograder.core.config import CHECK_NAMES, CONFIG_NAME, REFLECTION_NAMES, Config, load_config
from autograder.core.errors import ReleaseError
from autograder.release.assign import (
    Assigned,
    OtterFile,
    embed_tests,
    parse_otter_file,
    run_assign,
    write_otter_file,
)
from autograder.release.documentation import document_files
from autograder.release.expectations import (
    NOTEBOOKS,
    REFERENCE,
    STARTER,
    expectation_files,
    read_expectations,
)
from autograder.release.notebooks import (
    finish_solution,
    finish_student,
    formulas_of,
    to_bytes,
    with_answers,
)
from autograder.release.passable import find_obstacles, find_remarks
from autograder.release.source import Passage, Source, take_apart
from autograder.release.template import (
    Notebook,
    Template,
    parse,
    read_notebook,
    read_text,
    render_notebook,
)

SOURCE_PATH = "assignment/m5.ipynb"
STUDENT_PATH, REFERENCE_PATH = NOTEBOOKS[STARTER], NOTEBOOKS[REFERENCE]
FOR_STUDENTS, FOR_STAFF = (f"{SOURCE_PATH}, for {path}" for path in (STUDENT_PATH, REFERENCE_PATH))
"""What messages call the two: they are made, so that faults in them are mended in the source."""
GRADER_TESTS = "dist/tests"
STUDENTS_SOURCE = "assignment/students.md"
STUDENTS_PATH = "docs/students.md"
SECTION = re.compile(r"^## +(\S+) *$", re.MULTILINE)
FENCED = re.compile(r"```python\n(.*?)\n```", re.DOTALL)
SECTIONS = ("model", *REFLECTION_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A release that has not been written yet."""

    files: dict[str, bytes]
    """Contents by path, relative to the root, with forward slashes."""
    source: Source
    """The rendered source, with the further solutions among its secret passages."""
    obstacles: tuple[str, ...]
    """Why this assignment cannot be passed, or why the starter passes."""
    remarks: tuple[str, ...]
    """What else staff should know."""


def build_release(root: Path, *, believe_measured: bool = True) -> Made:
    """Make the release of the assignment in `root`.

    Parameters
    ----------
    believe_measured
        Whether what was measured of reference and starter still holds.

    Raises
    ------
    ConfigError, ReleaseError
        As `autograder.release.release` says.
    """
    config = load_config(root / CONFIG_NAME)
    template = Template(config)
    rendered = render_notebook(
        read_notebook(root / SOURCE_PATH, SOURCE_PATH), template, SOURCE_PATH
    )
    source = take_apart(rendered, SOURCE_PATH)
    source.visible.append(Passage(CONFIG_NAME, config.assignment.id))
    assigned = run_assign(rendered, SOURCE_PATH)
    public = _public_tests(assigned)
    student = finish_student(assigned.student, config.assignment.id, FOR_STUDENTS)
    student = embed_tests(student, public, source.tests, FOR_STUDENTS)
    reference = finish_solution(assigned.solution, config.assignment.id, FOR_STAFF)
    reference = embed_tests(reference, public, source.tests, FOR_STAFF)
    files = {STUDENT_PATH: to_bytes(student), REFERENCE_PATH: to_bytes(reference)}
    files["student/requirements.txt"] = (assigned.requirements.strip() + "\n").encode()
    files[FORMULAS_PATH.as_posix()] = formulas_of(student, FOR_STUDENTS)
    files |= _test_files(assigned, source, config)
    files |= _solution_files(root, template, student, source)
    text = read_text(root / STUDENTS_SOURCE, STUDENTS_SOURCE)
    files[STUDENTS_PATH] = template.render(text, STUDENTS_SOURCE).encode()
    files |= document_files(root, config)
    expected = read_expectations(root)
    files |= expectation_files(expected, config)
    believed = expected if believe_measured else {}
    return Made(
        files=files,
        source=source,
        obstacles=tuple(find_obstacles(student, reference, config, believed)),
        remarks=tuple(find_remarks(student, reference, config, expected)),
    )


def make_tests(root: Path, config: Config) -> dict[str, bytes]:
    """The grader's test files by these rules, by name: what `m5 release` would write.

    Raises
    ------
    ReleaseError
        If the assignment's source cannot be made into them.
    """
    source = read_notebook(root / SOURCE_PATH, SOURCE_PATH)
    rendered = render_notebook(source, Template(config), SOURCE_PATH)
    files = _test_files(
        run_assign(rendered, SOURCE_PATH), take_apart(rendered, SOURCE_PATH), config
    )
    return {
        Path(path).name: content
        for path, content in files.items()
        if path.startswith(f"{GRADER_TESTS}/")
    }


def _public_tests(assigned: Assigned) -> list[OtterFile]:
    """What students may see of the tests; what Otter Assign hides is not even looked at."""
    files = [parse_otter_file(text, name) for name, text in assigned.student_tests.items()]
    open_cases = [tuple(case for case in file.cases if not case.hidden) for file in files]
    return [
        replace(file, cases=cases) for file, cases in zip(files, open_cases, strict=True) if cases
    ]


def _test_files(assigned: Assigned, source: Source, config: Config) -> dict[str, bytes]:
    if set(assigned.grader_tests) != set(CHECK_NAMES):
        different = ", ".join(sorted(set(assigned.grader_tests) ^ set(CHECK_NAMES)))
        raise ReleaseError(
            f"{SOURCE_PATH}: the questions are not the grader's checks: {different}."
        )
    files: dict[str, bytes] = {}
    points = config.points
    for folder, tests in (
        (GRADER_TESTS, assigned.grader_tests),
        ("student/tests", assigned.student_tests),
    ):
        for name, text in tests.items():
            file = parse_otter_file(text, name)
            if file.points != points.of(name):
                raise ReleaseError(
                    f"{SOURCE_PATH}: the question '{name}' is worth {file.points} points, but "
                    f"{CONFIG_NAME} says {points.of(name)}."
                )
            _refuse_other_numbers(file, source, config)
            if file.cases:  # Otter writes a file without cases where all are hidden
                code = write_otter_file(file, source.tests)
                if folder == GRADER_TESTS:
                    code = stamp(code, config)
                files[f"{folder}/{name}.py"] = code.encode()
    return files


def _refuse_other_numbers(file: OtterFile, source: Source, config: Config) -> None:
    """Have each test of a check compare with the number that the configuration gives it."""
    numbers = {
        "accuracy": ("accuracy.threshold", config.accuracy.threshold),
        "budget": ("budget.max_parameters", config.budget.max_parameters),
    }
    if file.name not in numbers:
        return
    key, number = numbers[file.name]
    for case in file.cases:
        nodes = list(ast.walk(ast.parse(source.tests[case.function])))
        named = {
            ast.unparse(node.targets[0]): node.value
            for node in nodes
            if isinstance(node, ast.Assign)
        }
        sides = [
            named.get(ast.unparse(side), side)
            for node in nodes
            if isinstance(node, ast.Compare)
            for side in node.comparators
        ]
        compared = [side.value for side in sides if isinstance(side, ast.Constant)]
        if number not in compared:
            raise ReleaseError(
                f"{SOURCE_PATH}: the test '{case.function}' does not compare with {key} of "
                f"{CONFIG_NAME}, so networks would be judged by another number than students are "
                f"told: write '# = {key}' behind the number that it compares with."
            )


def _solution_files(
    root: Path, template: Template, student: Notebook, source: Source
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted((root / "solutions").glob("*.md")):
        name = f"solutions/{path.name}"
        if path.stem in ("README", "reference"):
            continue
        answers = parse_solution(template.render(read_text(path, name), name), name)
        source.secret += [Passage(f"{name}, {cell}", text) for cell, text in answers.items()]
        made = with_answers(student, answers, path.stem)
        files[f"solutions/{path.stem}.ipynb"] = to_bytes(made)
    return files


def parse_solution(text: str, name: str) -> Mapping[str, str]:
    """Read a further answer to the assignment, written as one Markdown file.

    ::

        # A title, and what is right or wrong with this answer

        ## model
        ```python
        the whole code of the cell
        ```

        ## reflection_1
        Text in Markdown. A reflection that is left out keeps its placeholder.

    Returns
    -------
    mapping of str to str
        New sources by the id of the cell that they belong in.

    Raises
    ------
    ReleaseError
        If the model is missing or no valid Python, or a section is unknown or doubled.
    """
    _, *parts = SECTION.split(text)
    titles, bodies = parts[::2], parts[1::2]
    answers: dict[str, str] = {}
    for title, body in zip(titles, bodies, strict=True):
        if title not in SECTIONS:
            raise ReleaseError(f"{name}: '## {title}' is none of {', '.join(SECTIONS)}.")
        cell_id = title.replace("_", "-")
        if cell_id in answers:
            raise ReleaseError(f"{name}: there are two sections '## {title}'.")
        answers[cell_id] = body.strip()
    fenced = FENCED.fullmatch(answers.get("model", ""))
    if fenced is None:
        raise ReleaseError(f"{name}: a section '## model' with one block of Python is needed.")
    parse(fenced[1], f"{name}, ## model")
    return {**answers, "model": fenced[1]}
