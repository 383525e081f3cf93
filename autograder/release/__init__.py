"""``m5 release``: from the assignment's source to what students, solutions and grader get.

::

    assignment/m5.ipynb ─ template ─► Otter Assign ─┬─► student/m5.ipynb, tests/, requirements.txt
    otter_config.json ──┘                           ├─► solutions/reference.ipynb
    solutions/*.md ─────────────────────────────────┼─► solutions/*.ipynb
                                                    └─► dist/tests/  (with the hidden tests)

Everything is made in memory first, checked for leaks, and only then put in place, so a release
that is refused leaves the former one as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.core.assignment import DATA_PATH
from autograder.core.errors import AutograderError, ReleaseError
from autograder.core.files import replace_file
from autograder.core.mnist import load_mnist
from autograder.release.assign import HEADER
from autograder.release.build import build_release
from autograder.release.notebooks import METADATA_KEY
from autograder.release.source import find_leaks

__all__ = ["ReleaseCheck", "ReleaseSummary", "check_release", "hand_out_data", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSummary:
    """What a release wrote; paths are relative to the root, with forward slashes, sorted."""

    files: tuple[str, ...]
    """All files of the release."""
    changed: tuple[str, ...]
    """Those that were new or different."""
    removed: tuple[str, ...]
    """Files of an earlier release that this one no longer has."""
    remarks: tuple[str, ...]
    """What was no reason to refuse it, but should be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCheck:
    """What is to be said of the release that is there, a sentence each."""

    problems: tuple[str, ...]
    """Empty if the release is current, gives nothing away and can be passed."""
    remarks: tuple[str, ...] = ()


def release(root: Path, *, believe_measured: bool = True) -> ReleaseSummary:
    """Make the release of the assignment in `root` and put it in place.

    Parameters
    ----------
    root
        Folder that holds ``assignment/``, ``solutions/`` and ``otter_config.json``.
    believe_measured
        False where reference and starter are about to be measured again.

    Raises
    ------
    ConfigError
        If the configuration is missing or wrong.
    ReleaseError
        If the source cannot be turned into a release, the release would give a solution or a
        hidden test away, or nobody could pass it, or everybody. The former release is then still
        in place.
    """
    made = build_release(root, believe_measured=believe_measured)
    if made.obstacles:
        raise ReleaseError(" ".join(made.obstacles))
    student = {path: data for path, data in made.files.items() if path.startswith("student/")}
    if leaks := find_leaks(student, made.source):
        raise ReleaseError("The release would give something away. " + " ".join(leaks))
    stale = leftovers(root, made.files)
    changed = install(root, made.files, stale)
    return ReleaseSummary(
        files=tuple(sorted(made.files)),
        changed=tuple(changed),
        removed=tuple(stale),
        remarks=made.remarks,
    )


def check_release(root: Path) -> ReleaseCheck:
    """Say what is wrong with the release in `root`, without changing anything.

    The release is made afresh and compared byte for byte; apart from that every file in
    ``student/``, known or not, is searched for solutions and hidden tests.
    """
    try:
        made = build_release(root)
    except AutograderError as error:
        return ReleaseCheck(problems=(str(error),))
    folder = root / "student"
    student = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = [*made.obstacles, *differences(root, made.files), *find_leaks(student, made.source)]
    return ReleaseCheck(problems=tuple(found), remarks=made.remarks)


def hand_out_data(root: Path) -> tuple[str, ...]:
    """Write ``dist/data``: the digits, which the lesson takes from beside it, and their terms.

    For a class without internet. No part of the release, which would then hold them twice.

    Raises
    ------
    DataError
        If the digits are missing, or are not those that were shipped.
    """
    load_mnist(root / DATA_PATH)
    written = []
    for name in (DATA_PATH.name, "README.md"):
        path = Path("dist/data") / name
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        replace_file(root / path, (root / DATA_PATH.parent / name).read_bytes())
        written.append(path.as_posix())
    return tuple(written)


# --------------------------------------------------------------------------------- putting in place


LONGEST_QUOTE = 80
"""Characters of a line that are quoted in a message."""


def leftovers(root: Path, files: Iterable[str]) -> list[str]:
    """Return the paths of an earlier release that are not among `files`.

    A file counts as released only if it says so itself: a test file by its first line, a solution
    by its metadata. What people have put there by hand stays.
    """
    found: list[str] = []
    for folder in ("student/tests", "dist/tests"):
        for path in (root / folder).glob("*.py"):
            if path.read_text("utf-8", errors="replace").startswith(HEADER):
                found.append(path.relative_to(root).as_posix())
    for path in (root / "solutions").glob("*.ipynb"):
        if _solution_name(path) == path.stem:
            found.append(path.relative_to(root).as_posix())
    return sorted(set(found) - set(files))


def _solution_name(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_bytes())["metadata"][METADATA_KEY]["solution"])
    except (ValueError, KeyError, TypeError):
        return None


def differences(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Say in which files the release in `root` is not `files`, one sentence each."""
    problems: list[str] = []
    for path in sorted(files):
        try:
            there = (root / path).read_bytes()
        except FileNotFoundError:
            problems.append(f"{path} is missing: run `m5 release`.")
            continue
        if there != files[path]:
            problems.append(f"{path} {_difference(there, files[path])}: run `m5 release`.")
    for path in leftovers(root, files):
        problems.append(f"{path} is left over from an earlier release: run `m5 release`.")
    return problems


def _difference(there: bytes, wanted: bytes) -> str:
    """Say how two contents differ, by their first line that does."""
    old = there.decode("utf-8", errors="replace").splitlines()
    new = wanted.decode("utf-8").splitlines()
    for number, (before, after) in enumerate(zip(old, new), start=1):  # noqa: B905
        if before != after:
            return (
                f"differs from a fresh release from line {number} on, "
                f"'{_quote(before)}' in place of '{_quote(after)}'"
            )
    if len(old) != len(new):
        return f"has {len(old)} lines where a fresh release has {len(new)}"
    return "has other line ends than a fresh release"


def _quote(line: str) -> str:
    line = line.strip()
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def install(root: Path, files: Mapping[str, bytes], stale: Iterable[str]) -> list[str]:
    """Write `files` and remove `stale`; each file is replaced in one step.

    Where that ends halfway, `m5 release --check` names the files that are of the former release,
    and version control has them all.

    Returns
    -------
    list of str
        The paths that were new or different.

    Raises
    ------
    ReleaseError
        If a file cannot be written or removed; the text says what was written until then.
    """
    changed = [path for path in sorted(files) if _contents(root / path) != files[path]]
    for done, path in enumerate(changed):
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            replace_file(root / path, files[path])
        except OSError as error:
            raise ReleaseError(
                f"{path} could not be written: {error.strerror}. {done} of {len(changed)} files "
                "of the new release are in place, the others are of the former one: run "
                "`m5 release` again before you hand anything out."
            ) from error
    for path in stale:
        try:
            (root / path).unlink(missing_ok=True)
        except OSError as error:
            raise ReleaseError(
                f"{path} is left over from an earlier release and could not be removed: "
                f"{error.strerror}."
            ) from error
    return changed


def _contents(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
