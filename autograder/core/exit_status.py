"""The exit statuses of `m5`, for scripts that call it."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """How a command ended; the table in docs/tas.md and `m5 grade --help` are made of this."""

    GRADED = 0
    NOT_ALL_GRADED = 1
    WRONG_USAGE = 2
    """Also what click ends with where it does not know an option."""
    OUR_FAULT = 3
    INTERRUPTED = 130
    """As shells count: 128, and the number of SIGINT."""

    @property
    def meaning(self) -> str:
        """What it says about `m5 grade`, as a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitStatus.GRADED: "Every submission was graded.",
    ExitStatus.NOT_ALL_GRADED: "Some could not be graded; the table and the messages say which "
    "and why. The others were graded.",
    ExitStatus.WRONG_USAGE: "Wrong usage: a path, an option, the configuration or the release is "
    "not as it must be. Nothing was graded or written.",
    ExitStatus.OUR_FAULT: "The grader or this machine failed. A submission that this concerns has "
    "no score; --resume grades it again.",
    ExitStatus.INTERRUPTED: "Stopped by Ctrl-C or SIGTERM. What was finished is kept; --resume "
    "goes on.",
}


def statuses_for_help() -> str:
    r"""The table for `--help`; ``\b`` tells click to leave the lines as they are."""
    width = max(len(str(status.value)) for status in ExitStatus)
    lines = [f"  {status.value:>{width}}  {status.meaning}" for status in ExitStatus]
    return "\n".join(["\b", "Exit status:", *lines])


def statuses_as_table() -> str:
    """The same as a table in Markdown."""
    rows = [f"| {status.value} | {status.meaning} |" for status in ExitStatus]
    return "\n".join(["| exit status | means |", "|---|---|", *rows, ""])
