"""``m5 release``: from the assignment's source to what students, solutions and grader get.

::

    assignment/m5.ipynb ─ template ─► Otter Assign ─┬─► student/m5.ipynb, tests/, requirements.txt
    otter_config.json ──┘                           ├─► solutions/reference.ipynb
    solutions/*.md ─────────────────────────────────┼─► solutions/*.ipynb
                                                    └─► dist/tests/  (with the hidden tests)

Everything is made in memory first, checked for leaks, and only then put in place, so a release
that fails leaves the former one as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.errors import AutograderError, ReleaseError
from autograder.release.build import build_release
from autograder.release.install import differences, install, leftovers
from autograder.release.leaks import find_leaks

__all__ = ["ReleaseSummary", "check_release", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSummary:
    """What a release wrote; paths are relative to the root, with forward slashes, sorted."""

    files: tuple[str, ...]
    """All files of the release."""
    changed: tuple[str, ...]
    """Those that were new or different."""
    removed: tuple[str, ...]
    """Files of an earlier release that this one no longer has."""


def release(root: Path) -> ReleaseSummary:
    """Make the release of the assignment in `root` and put it in place.

    Parameters
    ----------
    root
        Folder that holds ``assignment/``, ``solutions/`` and ``otter_config.json``.

    Raises
    ------
    ConfigError
        If the configuration is missing or wrong.
    ReleaseError
        If the source cannot be turned into a release, or the release would give a solution or a
        hidden test away. The former release is then still in place.
    """
    made = build_release(root)
    student = {path: data for path, data in made.files.items() if path.startswith("student/")}
    if leaks := find_leaks(student, made.source):
        raise ReleaseError("The release would give something away. " + " ".join(leaks))
    stale = leftovers(root, made.files)
    changed = install(root, made.files, stale)
    return ReleaseSummary(
        files=tuple(sorted(made.files)), changed=tuple(changed), removed=tuple(stale)
    )


def check_release(root: Path) -> list[str]:
    """Say what is wrong with the release in `root`, without changing anything.

    The release is made afresh and compared byte for byte; apart from that every file in
    ``student/``, known or not, is searched for solutions and hidden tests.

    Returns
    -------
    list of str
        One sentence for each problem; empty if the release is fresh and gives nothing away.
    """
    try:
        made = build_release(root)
    except AutograderError as error:
        return [str(error)]
    folder = root / "student"
    student = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    return differences(root, made.files) + find_leaks(student, made.source)
