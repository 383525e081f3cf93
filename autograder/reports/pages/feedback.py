"""feedback.html: what one student may read, field by field, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from markupsafe import Markup

from autograder.core.config import Config
from autograder.core.report import CellReport, CheckStatus, NetworkReport, Report
from autograder.core.text import excerpt
from autograder.core.verdict import Verdict
from autograder.reports.pages.drawing import StudentPage
from autograder.reports.pages.environment import environment, render
from autograder.reports.pages.executed import MAX_TEXT_CHARACTERS, render_executed
from autograder.reports.pages.pictures import ConfusionView, Series, confusions_of, draw_curves
from autograder.reports.results_json import MAX_FAILED_CELLS

MAX_NAME_CHARACTERS = 200
MAX_SENTENCE_CHARACTERS = 2_000
MAX_LAYERS = 200
MAX_EPOCHS = 1_000
"""Shown of a learning curve; students train for 5 to 50."""
STATUS_WORDS = {
    CheckStatus.PASSED: "passed",
    CheckStatus.FAILED: "not passed",
    CheckStatus.SKIPPED: "could not be checked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One check."""

    title: str
    status: str
    status_words: str
    points: float
    max_points: float
    measured: str
    wanted: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One cell that failed."""

    number: int
    first_line: str
    error: str
    traceback: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView:
    """One layer, with the share of the budget that its parameters take."""

    name: str
    kind: str
    parameters: int
    share: float
    idle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkView:
    """The network as far as students may know it: not how it does on images kept from them."""

    parameters: int
    layers: list[LayerView]
    more_layers: int
    hints: list[str]
    confusions: list[ConfusionView]
    curves: list[Markup]
    history: list[Series]
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackView:
    """The whole page: the allow-list. The template is given this and never the report."""

    name: str
    headline: str
    verdict: str
    score: float | None
    max_score: float
    notes: list[str]
    checks: list[CheckView]
    failed_cells: list[CellView]
    more_failed_cells: int
    network: NetworkView | None
    seconds: float | None
    budget: int
    assignment: str
    executed: str


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
    view = feedback_view(report, wanted.executed, wanted.config)
    return render("feedback.html", view=view).encode("utf-8", "replace")


def warm_up() -> None:
    """Load templates, colours and what draws curves, on something small of our own."""
    environment().get_template("feedback.html")
    cells = [{"cell_type": "markdown", "source": "*a*"}, {"cell_type": "code", "source": "a = 1"}]
    render_executed({"cells": cells})
    draw_curves([Series(name="loss", values=[1.0, 0.5]), Series(name="accuracy", values=[0.5, 1])])


def _plain(report: Report, why: str) -> Report:
    """The report without what takes long to draw; score, checks and notes are all there."""
    network = report.network
    if network is not None:
        network = msgspec.structs.replace(network, history={}, confusions=[])
    return msgspec.structs.replace(report, network=network, notes=[*report.notes, why])


def feedback_view(report: Report, executed: str | bytes | None, config: Config) -> FeedbackView:
    """Copy from a report what its student may see."""
    # Where the grader failed nothing is known, and no part of a grade may be shown.
    is_known = report.verdict is not Verdict.GRADER_ERROR and report.score is not None
    failed = [cell for cell in report.cells if cell.error] if is_known else []
    budget = config.budget.max_parameters
    return FeedbackView(
        name=_name(report.name or report.submission),
        headline=_sentence(report.headline),
        verdict=report.verdict.value,
        score=report.score if is_known else None,
        max_score=report.max_score,
        notes=[_sentence(note) for note in report.notes if note] if is_known else [],
        checks=_checks(report) if is_known else [],
        failed_cells=[_cell(cell) for cell in failed[:MAX_FAILED_CELLS]],
        more_failed_cells=max(0, len(failed) - MAX_FAILED_CELLS),
        network=_network(report.network, budget) if report.network and is_known else None,
        seconds=report.seconds if report.cells and is_known else None,
        budget=budget,
        assignment=config.assignment.title,
        executed=_executed(executed) if is_known else "",
    )


def _checks(report: Report) -> list[CheckView]:
    return [
        CheckView(
            title=_name(check.title),
            status=check.status.value,
            status_words=STATUS_WORDS[check.status],
            points=check.points,
            max_points=check.max_points,
            measured=_sentence(check.measured),
            wanted=_sentence(check.wanted),
            next_step=_sentence(check.next_step),
        )
        for check in report.checks
    ]


def _cell(cell: CellReport) -> CellView:
    return CellView(
        number=cell.number,
        first_line=_name(cell.first_line),
        error=_sentence(cell.error),
        traceback=excerpt("\n".join(cell.traceback), MAX_TEXT_CHARACTERS),
        hint=_sentence(cell.hint),
    )


def _network(network: NetworkReport, budget: int) -> NetworkView:
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
            LayerView(
                name=_name(name),
                kind=_name(str(layer.get("kind", ""))),
                parameters=parameters,
                share=parameters / budget,
                idle=idle.get(name, ""),
            )
        )
    history = [
        Series(name=_name(name), values=values[:MAX_EPOCHS])
        for name, values in network.history.items()
        if any(value is not None for value in values)
    ]
    return NetworkView(
        parameters=network.parameters,
        layers=layers,
        more_layers=max(0, len(network.layers) - MAX_LAYERS),
        hints=[_sentence(hint.text) for hint in network.hints],
        confusions=confusions_of(network),
        curves=draw_curves(history),
        history=history,
        epochs=max((len(series.values) for series in history), default=0),
    )


def _executed(text: str | bytes | None) -> str:
    """The page for the frame; empty where no notebook was run."""
    if text is None:
        return ""
    try:
        notebook: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    return render_executed(notebook) if isinstance(notebook, Mapping) else ""


def _name(text: str) -> str:
    return excerpt(text, MAX_NAME_CHARACTERS)


def _sentence(text: str) -> str:
    return excerpt(text, MAX_SENTENCE_CHARACTERS)
