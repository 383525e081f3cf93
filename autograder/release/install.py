"""Put a release in place, all of it or nothing, and compare one with what is there."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.core.errors import ReleaseError
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
    """Write `files`, remove `stale`, and put everything back if that fails half-way.

    All is first written beside its place, on the same file system, and every file that is
    replaced is kept until the end, so that only renames remain to go wrong.

    Returns
    -------
    list of str
        The paths that were new or different.

    Raises
    ------
    ReleaseError
        If a file cannot be written; `root` is then as it was.
    """
    changed = [path for path in sorted(files) if _contents(root / path) != files[path]]
    staging = Path(tempfile.mkdtemp(prefix=".m5-release-", dir=root))
    moved: list[tuple[Path, Path]] = []  # (where it is kept, where it was)
    placed: list[Path] = []
    try:
        for path in changed:
            new = staging / "new" / path
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(files[path])
        for path in [*changed, *stale]:
            target, kept = root / path, staging / "old" / path
            if target.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                target.rename(kept)
                moved.append((kept, target))
            if path in files:
                target.parent.mkdir(parents=True, exist_ok=True)
                (staging / "new" / path).replace(target)
                placed.append(target)
    except BaseException as error:  # also when someone presses Ctrl-C
        for target in placed:
            target.unlink()
        for kept, target in moved:
            kept.replace(target)
        if not isinstance(error, OSError):
            raise
        raise ReleaseError(
            f"The release could not be written, and the former one is back in place: {error}."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return changed


def _contents(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
