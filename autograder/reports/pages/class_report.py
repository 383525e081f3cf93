"""report.html: the class at a glance, for staff, and at which submissions a person should look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.core.assignment import Lesson
from autograder.core.config import REFLECTION_NAMES, Config
from autograder.core.report import Report, Verdict
from autograder.core.text import excerpt, percent
from autograder.network import CLASSES
from autograder.reports.files import (
    FEEDBACK_NAME,
    GRADEBOOK_NAME,
    SUBMISSIONS_NAME,
    Entry,
    Results,
    read_code,
    read_results,
    submission_folders,
)
from autograder.reports.pages.class_view import (
    MAX_NOTE_CHARACTERS,
    Row,
    answers_to,
    histogram_of,
    passed_checks,
    row_of,
    summary_of,
    times_of,
)
from autograder.reports.pages.drawing import ClassPage, DrawnClass
from autograder.reports.pages.environment import (
    asset,
    link_to,
    render,
    script_data,
    script_hash,
    whole_percent,
)
from autograder.reports.pages.pictures import class_confusions, confusion_matrix
from autograder.reports.similarity import Similar, Work, find_similar
from autograder.reports.tables import listed_in

FAILED, ABSENT = "The grader failed", "No score, since nothing was handed in"
LEAKED = "Learned from test images"
REFUSED, UNPROVED = "Networks that could not be measured", "Preparation of the images not proved"
NEAR, ODD, ALIKE = "Near the threshold", "Odd or very short reflections", "Alike"
TITLES = (FAILED, ABSENT, LEAKED, REFUSED, UNPROVED, NEAR, ODD, ALIKE)
"""Why a person should look, the most urgent first."""


Concerns = dict[str, list[tuple[Sequence[Row], str]]]
"""By the reason: at which submissions a person should look, and what is to be said of each."""


def concerns_of(
    entries: Sequence[Entry],
    rows: Sequence[Row],
    similar: Sequence[tuple[Sequence[Row], str]],
    config: Config,
) -> Concerns:
    """Where a person should look, the most urgent first; reasons that nobody gives are left out.

    Parameters
    ----------
    similar
        Submissions that are alike, and in what.
    """
    found: Concerns = {}
    for entry, row in zip(entries, rows, strict=True):
        for title, text in _concerns(entry.report, row, config):
            found.setdefault(title, []).append(([row], text))
    if similar:
        found[ALIKE] = list(similar)
    return {title: found[title] for title in TITLES if title in found}


def needing(concerns: Concerns) -> int:
    """How many submissions a person should look at; where there is none, there is nothing to do."""
    return len(
        {
            row.key
            for title, found in concerns.items()
            if title != ABSENT
            for rows, _ in found
            for row in rows
        }
    )


def _concerns(report: Report | None, row: Row, config: Config) -> Iterator[tuple[str, str]]:
    """(title, what to say) for one submission."""
    if report is None or report.verdict is Verdict.GRADER_ERROR:
        yield FAILED, row.notes or "See its grading.log."
        return
    if report.score is None:
        yield ABSENT, row.notes
        return
    if report.verdict is Verdict.UNVERIFIABLE_MODEL:
        yield REFUSED, excerpt(" ".join(report.reasons), MAX_NOTE_CHARACTERS)
    if network := report.network:
        told = f"{percent(network.accuracy)} of the test images"
        if network.leaked:
            yield LEAKED, f"{told}, {percent(network.training_accuracy)} of the training images"
        if not network.preparation_proved_by:
            yield UNPROVED, f"taken for {network.preparation}; {told}"
        if abs(network.accuracy - config.accuracy.threshold) <= config.second_runs.margin:
            yield NEAR, told
    for number, name in enumerate(REFLECTION_NAMES, start=1):
        if (answer := report.reflections.get(name)) and answer.remark:
            yield ODD, f"reflection {number}: {excerpt(answer.remark, MAX_NOTE_CHARACTERS)}"


SCRIPTS = ("vendor/d3.min.js", "vendor/plot.min.js", "static/report.js", "static/answers.js")
KINDS = {"code": "Code", "reflections": "Reflections"}


def draw_class(wanted: ClassPage) -> DrawnClass:
    """Read a results folder and draw the page about it: what the clerk does."""
    results = read_results(Path(wanted.root))
    # No earlier submission of somebody who has handed in again; but whoever lost their report.
    names = [folder.name for folder in submission_folders(Path(wanted.root))]
    listed = set(listed_in(Path(wanted.root) / GRADEBOOK_NAME, names))
    entries = [each for each in results.entries if each.key in listed or each.report is None]
    results = replace(results, entries=entries)
    released = work_of(wanted.lesson)
    page, needing_a_person = page_of(
        results, wanted.config, released, why_not_compared=wanted.why_not_compared
    )
    return DrawnClass(
        page=page.encode("utf-8", "replace"),
        submissions=len(results.entries),
        unfinished=results.unfinished,
        needing_a_person=needing_a_person,
        problems={each.key: each.problem for each in results.entries if each.problem},
    )


def work_of(lesson: Lesson) -> Work:
    """The released notebook as similarity wants it."""
    code = [cell.source for cell in lesson.cells if cell.kind == "code"]
    text = [cell.source for cell in lesson.cells if cell.kind != "code"]
    return Work(key="", code=code, answers=text)


def page_of(
    results: Results, config: Config, released: Work, *, why_not_compared: str = ""
) -> tuple[str, int]:
    """The page, and how many submissions it says need a person.

    Submissions are not compared where there is a reason against it.
    """
    entries = results.entries
    rows = [row_of(entry, feedback=_feedback_of(entry)) for entry in entries]
    similar = [] if why_not_compared else _similar(entries, rows, released)
    alike = [
        (members, f"{title.lower()}, {whole_percent(found.share)} in common")
        for title, groups in similar
        for members, found in groups
    ]
    concerns = concerns_of(entries, rows, alike, config)
    scripts = [asset(name) for name in SCRIPTS]
    page = render(
        "report.html",
        assignment=config.assignment,
        rows=rows,
        summary=summary_of(rows),
        concerns=concerns,
        needing_a_person=needing(concerns),
        unfinished=results.unfinished,
        config=config,
        questions=[
            {
                "name": name,
                "prompt": config.reflections.prompts.of(name),
                "points": config.points.of(name),
                "answers": answers_to(name, entries, rows),
            }
            for name in REFLECTION_NAMES
        ],
        confusions=class_confusions(entries),
        matrix=confusion_matrix(entries),
        times=times_of(entries, rows),
        similar=similar,
        why_not_compared=why_not_compared,
        data=script_data(_chart_data(rows, config)),
        scripts=scripts,
        script_hashes=" ".join(script_hash(script) for script in scripts),
    )
    return page, needing(concerns)


def _feedback_of(entry: Entry) -> str:
    """Address of a student's page; empty where it has not been written yet."""
    if not (entry.folder / FEEDBACK_NAME).is_file():
        return ""
    return link_to(SUBMISSIONS_NAME, entry.key, FEEDBACK_NAME)


def _similar(
    entries: list[Entry], rows: list[Row], released: Work
) -> list[tuple[str, list[tuple[list[Row], Similar]]]]:
    by_key = {entry.key: row for entry, row in zip(entries, rows, strict=True)}
    works = [
        Work(
            key=entry.key,
            code=read_code(entry.folder),
            answers=[answer.text for answer in entry.report.reflections.values()],
        )
        for entry in entries
        if entry.report is not None
    ]
    found = find_similar(works, released)
    return [
        (title, [([by_key[key] for key in similar.keys], similar) for similar in found[kind]])
        for kind, title in KINDS.items()
    ]


def _chart_data(rows: list[Row], config: Config) -> dict[str, object]:
    """What the page's script draws."""
    return {
        "assignment": config.assignment.id,
        "threshold": config.accuracy.threshold,
        "budget": config.budget.max_parameters,
        "guessing": 1 / CLASSES,
        "maxScore": config.points.total,
        "scores": histogram_of(rows, config.points.total),
        "checks": list(passed_checks(rows).items()),
        "students": [
            {
                "name": row.name,
                "link": row.link,
                "score": row.score,
                "accuracy": row.accuracy,
                "parameters": row.parameters,
                "passes": row.passes_network,
            }
            for row in rows
        ],
    }
