"""docs/calibration.md and docs/calibration.svg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.core.config import Config
from studies.calibration.conditions import conditions_of
from studies.calibration.figures import Row

PAGE_NAME = "calibration.md"
PLOT_NAME = "calibration.svg"
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"
"""Those of the lesson's pictures: colour-blind readers can tell them apart."""
SHOWN_BELOW = 0.08
"""Of the accuracy, in the plot: networks that guess would press all others together."""
HEADINGS = (
    "network", "hidden units", "epochs", "parameters", "accuracy: mean", "standard deviation",
    "lowest", "highest", "passed", "probability of passing (95 %)", "with second runs",
    "runs each",
)  # fmt: skip


def write_pages(
    rows: Sequence[Row], folder: Path, *, config: Config, command: str, missing: int = 0
) -> list[Path]:
    """Write the page and the plot; returns where they are.

    Parameters
    ----------
    command
        The command line that measured this.
    missing
        Runs that were planned and not made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, plot = folder / PAGE_NAME, folder / PLOT_NAME
    _draw(rows, plot, config)
    page.write_text(_page(rows, config, command, missing), encoding="utf-8")
    return [page, plot]


def table_of(rows: Sequence[Row]) -> list[list[str]]:
    """The cells of the table, without its head."""
    return [
        [
            row.subject.name,
            "" if row.subject.width is None else str(row.subject.width),
            _epochs(row),
            "" if row.parameters is None else f"{row.parameters:,}",
            _accuracy(row.mean),
            _accuracy(row.spread),
            _accuracy(min(row.accuracies, default=None)),
            _accuracy(max(row.accuracies, default=None)),
            f"{row.passed} of {row.runs}",
            f"{row.share:.2f} ({row.interval[0]:.2f} to {row.interval[1]:.2f})",
            f"{row.again:.2f}",
            f"{row.runs_each:.1f}",
        ]
        for row in rows
    ]


def _epochs(row: Row) -> str:
    own, epochs = row.subject.own_epochs, row.subject.epochs
    return str(epochs) if epochs == own else f"{epochs} of {own}"


def _accuracy(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _page(rows: Sequence[Row], config: Config, command: str, missing: int) -> str:
    table = [HEADINGS, ["---"] * len(HEADINGS), *table_of(rows)]
    seeds, margin = config.verification.seed, config.second_runs.margin
    lines = [
        "# Calibration: how often does each network pass?",
        "",
        f"Written by `{command}`; change nothing here by hand.",
        "",
        "Training begins from random numbers, so one and the same network comes out a little "
        "better or worse from one seed to the next. Each network below was trained and graded "
        "from several seeds, one run each, by the way that submissions go: in the box, then "
        "rebuilt and measured on all test images. Of the notebooks the cells that load the data "
        "and train were run, since the others come after or change nothing; every seed in them "
        f"was raised by the same number, from {seeds} on.",
        "",
        f"Wanted is an accuracy of more than {config.accuracy.threshold:g}. *Passed* counts the "
        "check of accuracy alone, not that of the budget. The probability is that of passing in "
        "one run, with Wilson's interval. *With second runs* is the share that passes where a "
        f"network that misses by less than {margin:g} is run up to {config.second_runs.count} "
        "times more and the best run counts: over every order of the measured seeds. *Runs each* "
        "is how often a submission is then run on average.",
        "",
        *("| " + " | ".join(cells) + " |" for cells in table),
        "",
        f"![Accuracy of each network, and its probability of passing]({PLOT_NAME})",
        "",
        f"Measured with {conditions_of(config)}. Other versions and processors may differ in "
        "the third digit. Epochs *n of m*: trained for n, where the notebook itself trains for m.",
    ]
    if missing:
        lines += ["", f"Of the runs that were planned, {missing} were not made."]
    surprises = [row.surprise for row in rows if row.surprise]
    if surprises:
        lines += ["", "**Not as it should be:** " + "; ".join(surprises) + "."]
    return "\n".join(lines) + "\n"


def _draw(rows: Sequence[Row], path: Path, config: Config) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same numbers shall give the same file.
    with mpl.rc_context({"svg.hashsalt": "calibration", "font.size": 10}):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_accuracies(left, rows, config)
        _draw_chances(right, rows)
        for axis in (left, right):
            axis.set_xticks(range(len(rows)), [row.subject.name for row in rows])
            axis.tick_params(axis="x", rotation=60)
            axis.set_xlim(-0.6, len(rows) - 0.4)
            axis.grid(alpha=0.3)
            axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.08), ncols=3, frameon=False)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _draw_accuracies(axis: Any, rows: Sequence[Row], config: Config) -> None:
    threshold, margin = config.accuracy.threshold, config.second_runs.margin
    lowest = threshold - SHOWN_BELOW
    axis.axhspan(
        threshold - margin, threshold, color=ORANGE, alpha=0.15, label="run again", linewidth=0
    )
    axis.axhline(threshold, color=ORANGE, linewidth=1, label="wanted: more than this")
    for place, row in enumerate(rows):
        label = "one run" if place == 0 else None
        shown = [accuracy for accuracy in row.accuracies if accuracy >= lowest]
        places = [place] * len(shown)
        axis.plot(places, shown, "o", color=BLUE, alpha=0.5, markersize=4, label=label)
        if len(shown) < len(row.accuracies):
            below = [accuracy for accuracy in row.accuracies if accuracy < lowest]
            text = f"↓ {len(below)} at {min(below):.2f} to {max(below):.2f}"
            axis.text(place, lowest, text, rotation=90, ha="center", va="bottom", fontsize=8)
    axis.set(title="test accuracy, one mark a seed", ylabel="accuracy")
    axis.set_ylim(bottom=lowest)


def _draw_chances(axis: Any, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        low, high = row.interval
        axis.plot([place, place], [low, high], color=BLUE, linewidth=1.5, alpha=0.6)
    places = range(len(rows))
    axis.plot(places, [row.share for row in rows], "o", color=BLUE, label="one run, with 95 %")
    axis.plot(
        places, [row.again for row in rows], "s", color=GREY, label="with second runs",
        markerfacecolor="none",
    )  # fmt: skip
    axis.set(title="probability of passing", ylabel="probability", ylim=(-0.05, 1.05))
