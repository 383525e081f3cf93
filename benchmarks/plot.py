"""``docs/performance.svg``: the comparisons of time, drawn."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.results import Part, Results, Row

OURS, THEIRS, FLOOR = "#0072B2", "#D55E00", "#767676"
"""Colours that colour-blind readers can tell apart."""
PANELS = (
    ("one_notebook", "One notebook, whole process", ("m5 grade", "jupyter execute", "otter run")),
    ("a_class", "A class, for each submission", ("m5 grade", "otter run")),
    ("starting", "A notebook that trains nothing", ("m5 grade of nothing", "import tensorflow")),
)
SUFFIXES = ("", ", time", ", each submission")


def draw(results: Results, path: Path) -> bool:
    """Write the picture; False where no part that it shows was run."""
    parts = {part.name: part for part in results.parts}
    shown, bars = [], []
    for panel in PANELS:
        if panel[0] in parts and (some := _bars(parts, *panel)):
            shown.append(panel)
            bars.append(some)
    if not shown:
        return False
    figure, places = plt.subplots(
        len(shown),
        1,
        figsize=(8, 0.7 * len(shown) + 0.42 * sum(map(len, bars))),
        height_ratios=[len(some) + 0.6 for some in bars],
        layout="constrained",
        squeeze=False,
    )
    for axis, (_, title, _), some in zip(places[:, 0], shown, bars, strict=True):
        _panel(axis, title, some)
    places[-1, 0].set_xlabel("seconds of wall time; lines: from the fastest to the slowest run")
    # Neither date nor random ids: the same numbers give the same file.
    with plt.rc_context({"svg.hashsalt": "m5", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
    return True


def _bars(
    parts: dict[str, Part], name: str, title: str, whats: tuple[str, ...]
) -> list[tuple[str, Row, str]]:
    rows = {row.what: row for row in parts[name].rows}
    found = [
        (what, rows[what + suffix], OURS if what.startswith("m5") else THEIRS)
        for what in whats
        for suffix in SUFFIXES
        if what + suffix in rows
    ]
    if name == "one_notebook" and "floor" in parts:
        found.append(("NumPy by hand", parts["floor"].rows[0], FLOOR))
    return found


def _panel(axis: Axes, title: str, bars: list[tuple[str, Row, str]]) -> None:
    for place, (_, row, colour) in enumerate(bars):
        assert row.value is not None
        value = row.value
        axis.barh(place, value.median, color=colour, height=0.65)
        if value.count > 1:
            axis.plot([value.low, value.high], [place, place], color="black", linewidth=1.2)
        axis.annotate(
            f"{value.median:.1f} s",
            (value.high, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    axis.set_yticks(range(len(bars)), [label for label, _, _ in bars])
    axis.invert_yaxis()
    axis.set_title(title, loc="left", fontsize=11)
    axis.margins(x=0.12)
    axis.set_xlim(left=0)
    axis.spines[["top", "right"]].set_visible(False)
