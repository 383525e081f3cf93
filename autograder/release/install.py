"""Put a release in place, and compare one with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.core.errors import ReleaseError
from autograder.core.files import replace_file
from autograder.release.notebooks import METADATA_KEY
from autograder.release.testfiles import HEADER

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
