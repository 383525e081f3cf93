"""feedback.html: what one student may read, field by field, and nothing else.

Two parts of the page take long to draw, and depend on no grade: the learning curve, and the
notebook as it ran. Where they are drawn from what an earlier page was drawn from, they are taken
out of that page, so that a class that is judged anew has its pages at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from autograder.core.assignment import Lesson
from autograder.core.config import Record
from autograder.core.files import replace_file
from autograder.core.report import (
    CellReport,
    CheckResult,
    CheckStatus,
    NetworkReport,
    Report,
    Verdict,
)
from autograder.core.text import excerpt
from autograder.reports.files import FEEDBACK_NAME
from autograder.reports.pages.drawing import KeptPage, StudentPage
from autograder.reports.pages.environment import Part, environment, our_code, render
from autograder.reports.pages.executed import (
    MAX_TEXT_CHARACTERS,
    draw_cells,
    render_executed,
    shown_cells,
)
from autograder.reports.pages.folding import NETWORK_ID, REFLECTIONS_ID, fold
from autograder.reports.pages.pictures import ConfusionView, Series, confusions_of, draw_curves
from autograder.reports.results_json import (
    MAX_FAILED_CELLS,
    decided,
    headline_of,
    is_done,
)

MAX_NAME_CHARACTERS = 200
MAX_SENTENCE_CHARACTERS = 2_000
MAX_LAYERS = 200
MAX_EPOCHS = 1_000
"""Shown of a learning curve; students train for 5 to 50."""
PASSED, NOT_YET, NO_GRADE = "PASSED", "NOT YET", "NO GRADE"
"""All that students read of a verdict; the rest is in the sentences."""
PLACES = {"accuracy": NETWORK_ID, "budget": NETWORK_ID}
"""Where in the notebook a check looks, but for reflections."""
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkView:
    """The network as far as students may know it: not how it does on images kept from them."""

    parameters: int
    layers: list[dict[str, Any]]
    more_layers: int
    hints: list[str]
    confusions: list[ConfusionView]
    curves: Part
    history: list[Series]
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackView:
    """The whole page: the allow-list. The template is given this and never the report.

    Attributes
    ----------
    next_step
        The one thing to do next; empty where nothing is left to do.
    next_place
        Where in the notebook that is to be done; empty where nobody can say.
    is_full
        Whether it passed everything by itself, and has all points.
    """

    name: str
    state: str
    headline: str
    next_step: str
    next_place: str
    score: float | None
    max_score: float
    notes: list[str]
    checks: list[CheckResult]
    failed_cells: list[CellReport]
    more_failed_cells: int
    network: NetworkView | None
    is_full: bool
    seconds: float | None
    budget: int
    assignment: str
    executed: Part | None


def draw_feedback(wanted: StudentPage) -> bytes:
    """Draw a student's page: what the clerk does.

    Raises
    ------
    msgspec.MsgspecError
        If the report is not one.
    """
    report = msgspec.json.decode(wanted.report, type=Report)
    if wanted.why_plain:
        report = _plain(report, wanted.why_plain)
    view = feedback_view(report, wanted)
    page = render("feedback.html", view=view).encode("utf-8", "replace")
    for part in (view.network and view.network.curves, view.executed):
        page = part.put_into(page) if part else page
    return page


def redraw_feedback(kept: KeptPage) -> str:
    """Draw the page of a student's folder and write it there: what the clerk does for a class.

    Returns
    -------
    str
        Why it could not be read or written; empty where it was.
    """
    try:
        replace_file(Path(kept.folder) / FEEDBACK_NAME, draw_feedback(kept.read()))
    except OSError as error:
        return str(error)
    return ""


def warm_up() -> None:
    """Load templates, colours and what draws curves, on something small of our own."""
    templates = environment()
    for name in templates.list_templates(extensions=["html"]):
        templates.get_template(name)
    cells = [{"cell_type": "markdown", "source": "*a*"}, {"cell_type": "code", "source": "a = 1"}]
    render_executed({"cells": cells}, Lesson())
    draw_curves([Series(name="loss", values=[1.0, 0.5]), Series(name="accuracy", values=[0.5, 1])])
    our_code()


def _plain(report: Report, why: str) -> Report:
    """The report without what takes long to draw; score, checks and notes are all there."""
    network = report.network
    if network is not None:
        network = msgspec.structs.replace(network, history={}, confusions=[])
    return msgspec.structs.replace(report, network=network, notes=[*report.notes, why])


def feedback_view(report: Report, wanted: StudentPage) -> FeedbackView:
    """Copy from a report what its student may see."""
    # Where the grader failed nothing is known, and no part of a grade may be shown.
    is_known = report.verdict is not Verdict.GRADER_ERROR and report.score is not None
    failed = [cell for cell in report.cells if cell.error] if is_known else []
    executed = _executed(wanted) if is_known else None
    next_step, place = _next_step(report, failed) if is_known else ("", "")
    network = report.network if is_known else None
    return FeedbackView(
        name=excerpt(report.name or report.submission, MAX_NAME_CHARACTERS),
        state=_state(report) if is_known else NO_GRADE,
        headline=_sentence(headline_of(report)),
        next_step=_sentence(next_step),
        next_place=place if executed is not None and executed.has(place) else "",
        score=report.score if is_known else None,
        max_score=report.max_score,
        notes=[_sentence(note) for note in report.notes if note] if is_known else [],
        checks=[_shown(decided(check)) for check in report.checks] if is_known else [],
        failed_cells=[_shown(cell) for cell in failed[:MAX_FAILED_CELLS]],
        more_failed_cells=max(0, len(failed) - MAX_FAILED_CELLS),
        network=_network(network, wanted) if network else None,
        is_full=report.verdict is Verdict.PASSED and report.score == report.max_score,
        seconds=report.seconds if report.cells and is_known else None,
        budget=wanted.config.budget.max_parameters,
        assignment=wanted.config.assignment.title,
        executed=executed,
    )


def _state(report: Report) -> str:
    has_passed = bool(report.checks) and all(map(is_done, report.checks))
    return PASSED if has_passed else NOT_YET


def _next_step(report: Report, failed: Sequence[CellReport]) -> tuple[str, str]:
    """The one thing to do next, and the name of the place in the notebook where to do it.

    Checks stand in an order in which each asks for what the next one needs. What a person has
    marked is decided.
    """
    for check in report.checks:
        if check.next_step and check.override is None and check.status is not CheckStatus.PASSED:
            if check.name == "runs":
                place = f"cell-{failed[0].number}" if failed else ""
            else:
                place = PLACES.get(check.name, REFLECTIONS_ID)
            return check.next_step, place
    return "", ""


def _shown(record: R) -> R:
    """A check or a cell, of which its student may see all, with texts of a length to be read."""
    texts: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, str) and type(value) is str:
            texts[name] = _sentence(value)
        elif name == "traceback":
            texts[name] = [excerpt("\n".join(value), MAX_TEXT_CHARACTERS)] if value else []
    return msgspec.structs.replace(record, **texts)


def _network(network: NetworkReport, wanted: StudentPage) -> NetworkView:
    idle = {
        units.layer: f"{units.silent:,} of {units.units:,}"
        for units in network.units
        if units.silent
    }
    layers = []
    for layer in network.layers[:MAX_LAYERS]:
        parameters = layer.get("parameters")
        parameters = parameters if isinstance(parameters, int) else 0
        name = str(layer.get("name", ""))
        layers.append(
            {
                "name": excerpt(name, MAX_NAME_CHARACTERS),
                "kind": excerpt(str(layer.get("kind", "")), MAX_NAME_CHARACTERS),
                "parameters": parameters,
                "share": parameters / wanted.config.budget.max_parameters,
                "idle": idle.get(name, ""),
            }
        )
    history = [
        Series(name=excerpt(name, MAX_NAME_CHARACTERS), values=values[:MAX_EPOCHS])
        for name, values in network.history.items()
        if any(value is not None for value in values)
    ]
    return NetworkView(
        parameters=network.parameters,
        layers=layers,
        more_layers=max(0, len(network.layers) - MAX_LAYERS),
        hints=[_sentence(hint.text) for hint in network.hints],
        confusions=confusions_of(network),
        curves=Part.of(
            "learning curve",
            msgspec.json.encode(network.history),
            wanted.earlier,
            lambda: "".join(draw_curves(history)).encode("utf-8", "replace"),
        ),
        history=history,
        epochs=max((len(series.values) for series in history), default=0),
    )


def _executed(wanted: StudentPage) -> Part | None:
    """The notebook as it ran; None where none was run."""
    text = wanted.executed
    if text is None:
        return None
    try:
        notebook: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(notebook, Mapping):
        return None
    formulas = wanted.lesson.formulas
    part = Part.of(
        "notebook",
        text.strip() + msgspec.json.encode(formulas),
        wanted.earlier,
        lambda: draw_cells(notebook, formulas),
    )
    return replace(part, drawn=fold(part.drawn, shown_cells(notebook), wanted.lesson))


def _sentence(text: str) -> str:
    return excerpt(text, MAX_SENTENCE_CHARACTERS)
