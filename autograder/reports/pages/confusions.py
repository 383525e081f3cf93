"""Which digits are mixed up, with pictures: of one network, and of a class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.core.report import ConfusionReport, NetworkReport
from autograder.reports.pages.reading import Entry

MAX_PAIRS = 5
MAX_PICTURES = 6
"""Of one pair of digits, on staff's page."""
MAX_PICTURE_CHARACTERS = 4_000
"""A digit of 28 by 28 grey pixels takes about 500."""
PNG_TEXT = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/]+={0,2}")
"""Base64 of what begins as every PNG does."""


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
