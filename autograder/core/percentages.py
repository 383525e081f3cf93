"""Shares as people read them; everywhere the same, so that no number seems to be another."""

from __future__ import annotations


def percent(fraction: float) -> str:
    """As the lesson writes it, exact for 10,000 images: 0.9512 is 95.12 %."""
    return f"{100 * fraction:.2f} %"


def whole_percent(fraction: float) -> str:
    """Where nothing hangs on hundredths: 0.0912 is 9 %."""
    return f"{100 * fraction:.0f} %"
