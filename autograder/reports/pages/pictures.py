"""The pictures on a page: learning curves in the page's colours, and digits that are mixed up."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from autograder.core.report import ConfusionReport, NetworkReport
from autograder.network import CLASSES
from autograder.reports.files import Entry

MAX_SERIES = 12
"""Drawn; a model with many outputs has more, and nobody could tell them apart."""
INK, GRID, PAPER = "#010101", "#020202", "#030303"
STROKES = (("#040404", "-", "o"), ("#050505", "--", "s"), ("#060606", ":", "^"))
COLOURS = {
    INK: "var(--ink-soft)",
    GRID: "var(--line)",
    PAPER: "none",
    "#040404": "var(--series-1)",
    "#050505": "var(--series-2)",
    "#060606": "var(--series-3)",
}
"""What Matplotlib is told, and what the page makes of it in the light and in the dark."""

MAX_VALUE = 1e30
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'width="[\d.]+pt" height="[\d.]+pt" ')

MAX_PAIRS = 5
MAX_PICTURES = 6
"""Of one pair of digits, on staff's page."""
MAX_PICTURE_CHARACTERS = 4_000
"""A digit of 28 by 28 grey pixels takes about 500."""
PNG_TEXT = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/]+={0,2}")
"""Base64 of what begins as every PNG does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One measure of a training, epoch by epoch."""

    name: str
    values: Sequence[float | None]


def draw_curves(history: Sequence[Series]) -> list[Markup]:
    """SVGs of the losses, the accuracies and the other measures; none where there is nothing.

    The names of the series come from the submission; Matplotlib escapes what it draws.
    """
    losses = [series for series in history if series.name.endswith("loss")]
    rest = [series for series in history if not series.name.endswith("loss")]
    shares = [series for series in rest if _is_accuracy(series)]
    others = [series for series in rest if series not in shares]
    curves = (
        (losses, "Loss, epoch by epoch", _show_losses),
        (shares, "Accuracy, epoch by epoch", _show_accuracies),
        (others, "Other measures, epoch by epoch", None),
    )
    return [_draw(group[:MAX_SERIES], label, scale) for group, label, scale in curves if group]


def _is_accuracy(series: Series) -> bool:
    """Named as Keras names them (accuracy, acc, sparse_categorical_accuracy), and from 0 to 1."""
    known = [value for value in series.values if value is not None]
    return "acc" in series.name and all(0 <= value <= 1 for value in known)


def _show_losses(axes: Any) -> None:
    """From 0 on, so that a loss that hardly moves looks like one."""
    if axes.dataLim.y0 >= 0:
        axes.set_ylim(0, 1.05 * axes.get_ylim()[1])


def _show_accuracies(axes: Any) -> None:
    """From 0 to 1, with the level of guessing, whatever was reached."""
    axes.set_ylim(0, 1.02)
    axes.axhline(1 / CLASSES, color=INK, linestyle=(0, (1, 2)), linewidth=1.2, label="guessing")


def _draw(group: Sequence[Series], label: str, set_scale: Callable[[Any], None] | None) -> Markup:
    # Imported here, since it takes a second and staff's page does without.
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    settings = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": label,  # two drawings on a page must not share names of their parts
        "font.family": "sans-serif",
        "text.parse_math": False,  # a name with $ in it is a name
    }
    buffer = io.StringIO()
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(4.2, 2.9), facecolor=PAPER)
        # Fixed margins: to have them worked out takes as long as all the rest.
        axes = figure.subplots()
        figure.subplots_adjust(left=0.14, right=0.97, bottom=0.17, top=0.97)
        for number, series in enumerate(group):
            colour, line, marker = STROKES[number % len(STROKES)]
            axes.plot(
                range(1, len(series.values) + 1),
                [_drawable(value) for value in series.values],
                color=colour,
                linestyle=line,
                marker=marker,
                markersize=3.5,
                label=f" {series.name}",  # a name that starts with _ would not be listed
            )
        axes.set_facecolor(PAPER)
        axes.set_xlabel("epoch", color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(colors=INK)
        axes.grid(color=GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRID)
        if set_scale is not None:
            set_scale(axes)
        axes.legend(frameon=False, labelcolor=INK, loc="best")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = _SIZE.sub("", svg[svg.index("<svg") :], count=1)
    svg = _METADATA.sub("", svg)
    for told, made in COLOURS.items():
        svg = svg.replace(told, made)
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))


def _drawable(value: float | None) -> float:
    """Numbers beyond all measure would break the scale's arithmetic."""
    return value if value is not None and abs(value) < MAX_VALUE else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionView:
    """One pair of digits.

    Attributes
    ----------
    pictures
        PNG in base64 of images of `digit` that were taken for `taken_for`.
    """

    digit: int
    taken_for: int
    text: str
    pictures: list[str]


def confusions_of(network: NetworkReport) -> list[ConfusionView]:
    """Those of one network, for its student."""
    return [
        ConfusionView(
            digit=pair.digit,
            taken_for=pair.taken_for,
            text=f"{_name(pair)}: {_times(pair.count)}",
            pictures=_shown(pair.pictures),
        )
        for pair in network.confusions
    ]


def class_confusions(entries: Sequence[Entry]) -> list[ConfusionView]:
    """The pairs that most networks of a class mix up, with the images that most of them misread.

    Networks are counted, not images: one that takes every digit for a 1 has thousands of them,
    and says nothing about the class.
    """
    networks: Counter[tuple[int, int]] = Counter()
    images: Counter[tuple[int, int]] = Counter()
    pictures: dict[tuple[int, int], Counter[str]] = {}
    for entry in entries:
        network = entry.report.network if entry.report else None
        for pair in network.confusions if network else ():
            key = pair.digit, pair.taken_for
            networks[key] += 1
            images[key] += pair.count
            pictures.setdefault(key, Counter()).update(_shown(pair.pictures))
    order = sorted(networks, key=lambda key: (-networks[key], -images[key], key))
    return [
        ConfusionView(
            digit=digit,
            taken_for=taken_for,
            text=f"{digit} taken for {taken_for}: among the most frequent mistakes of "
            f"{networks[digit, taken_for]:,} "
            f"{'network' if networks[digit, taken_for] == 1 else 'networks'}",
            pictures=[text for text, _ in pictures[digit, taken_for].most_common(MAX_PICTURES)],
        )
        for digit, taken_for in order[:MAX_PAIRS]
    ]


def confusion_matrix(entries: Sequence[Entry]) -> list[list[int]]:
    """Networks that have a pair among their most frequent mistakes: a row for each digit."""
    networks = [entry.report.network for entry in entries if entry.report and entry.report.network]
    found = Counter((p.digit, p.taken_for) for network in networks for p in network.confusions)
    return [[found[digit, other] for other in range(CLASSES)] for digit in range(CLASSES)]


def _name(pair: ConfusionReport) -> str:
    return f"{pair.digit} taken for {pair.taken_for}"


def _times(count: int) -> str:
    return f"{count:,} {'time' if count == 1 else 'times'}"


def _shown(pictures: Sequence[str]) -> list[str]:
    """Those that can be pictures and nothing else."""
    return [
        text
        for text in pictures
        if len(text) <= MAX_PICTURE_CHARACTERS and PNG_TEXT.fullmatch(text)
    ]
