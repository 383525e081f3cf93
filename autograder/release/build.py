"""Make all files of a release in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core.config import CHECK_NAMES, CONFIG_NAME, Config, load_config
from autograder.core.errors import ReleaseError
from autograder.core.stamps import stamp
from autograder.release.assign import Assigned, run_assign
from autograder.release.embed import embed_tests
from autograder.release.expectations import expectation_files, read_expectations
from autograder.release.notebooks import finish_solution, finish_student, to_bytes, with_answers
from autograder.release.passable import find_obstacles, find_remarks
from autograder.release.readme import readme_files
from autograder.release.solutions import parse_solution
from autograder.release.source import Passage, Source, take_apart
from autograder.release.template import Notebook, Template, read_notebook, render_notebook
from autograder.release.testfiles import OtterFile, parse_otter_file, write_otter_file

SOURCE_PATH = "assignment/m5.ipynb"
STUDENT_PATH = "student/m5.ipynb"
REFERENCE_PATH = "solutions/reference.ipynb"
GRADER_TESTS = "dist/tests"
STUDENTS_SOURCE = "assignment/students.md"
STUDENTS_PATH = "docs/students.md"


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
    student = finish_student(assigned.student, config.assignment.id, STUDENT_PATH)
    student = embed_tests(student, public, source.tests, STUDENT_PATH)
    reference = finish_solution(assigned.solution, config.assignment.id, REFERENCE_PATH)
    reference = embed_tests(reference, public, source.tests, REFERENCE_PATH)
    files = {STUDENT_PATH: to_bytes(student), REFERENCE_PATH: to_bytes(reference)}
    files["student/requirements.txt"] = (assigned.requirements.strip() + "\n").encode()
    files |= _test_files(assigned, source, config)
    files |= _solution_files(root, template, student, source)
    files |= _students_page(root, template)
    files |= readme_files(root, config)
    expected = read_expectations(root)
    files |= expectation_files(expected, config)
    believed = expected if believe_measured else {}
    return Made(
        files=files,
        source=source,
        obstacles=tuple(find_obstacles(student, reference, config, believed)),
        remarks=tuple(find_remarks(student, reference, config, expected)),
    )


def _public_tests(assigned: Assigned) -> list[OtterFile]:
    """What students may see of the tests; what Otter Assign hides is not even looked at."""
    files = [parse_otter_file(text, name) for name, text in assigned.student_tests.items()]
    open_cases = [tuple(case for case in file.cases if not case.hidden) for file in files]
    return [
        replace(file, cases=cases) for file, cases in zip(files, open_cases, strict=True) if cases
    ]


def _students_page(root: Path, template: Template) -> dict[str, bytes]:
    """The questions and answers for students, with the numbers of this course in them."""
    try:
        text = (root / STUDENTS_SOURCE).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{STUDENTS_SOURCE}: cannot be read: {error}.") from error
    return {STUDENTS_PATH: template.render(text, STUDENTS_SOURCE).encode()}


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
            if file.cases:  # Otter writes a file without cases where all are hidden
                code = write_otter_file(file, source.tests)
                if folder == GRADER_TESTS:
                    code = stamp(code, config)
                files[f"{folder}/{name}.py"] = code.encode()
    return files


def _solution_files(
    root: Path, template: Template, student: Notebook, source: Source
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted((root / "solutions").glob("*.md")):
        name = f"solutions/{path.name}"
        if path.stem in ("README", "reference"):
            continue
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ReleaseError(f"{name}: cannot be read: {error}.") from error
        answers = parse_solution(template.render(text, name), name)
        source.secret += [Passage(f"{name}, {cell}", text) for cell, text in answers.items()]
        made = with_answers(student, answers, path.stem)
        files[f"solutions/{path.stem}.ipynb"] = to_bytes(made)
    return files
