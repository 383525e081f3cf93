"""Where things lie in the container, and how a file there is replaced. Standard library alone."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.files import replace_file

GRADER = Path(__file__).resolve().parents[2]
"""The folder that holds the package, the configuration, the data and the tests."""


@dataclass(frozen=True)
class Place:
    """Gradescope's folders below one root, ``/autograder`` in its container."""

    root: Path

    @property
    def submission(self) -> Path:
        """What the student uploaded, any files."""
        return self.root / "submission"

    @property
    def metadata(self) -> Path:
        """Who submitted, and what was submitted before."""
        return self.root / "submission_metadata.json"

    @property
    def results(self) -> Path:
        """What Gradescope reads."""
        return self.root / "results" / "results.json"

    @property
    def pickle(self) -> Path:
        """What `otter grade` reads; it puts an empty file there before the run."""
        return self.root / "results" / "results.pkl"

    def close_to_others(self) -> None:
        """Let nobody but us read the grader, and what was said about earlier submissions.

        Where the box has no mounts of its own and the kernel no Landlock, these modes are what
        keeps the hidden tests from the student's user.
        """
        for path, mode in ((self.root / "source", 0o700), (self.metadata, 0o600)):
            try:
                os.chmod(path, mode)  # noqa: PTH101 (follows a link, as the test's folders have)
            except OSError:
                continue


def replace_json(path: Path, content: dict[str, Any]) -> str:
    """Replace a JSON file in one step, in a folder that is made if it is not there.

    Returns
    -------
    str
        Why that failed; empty if it did not.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
        replace_file(path, text.encode("ascii"))
    except (OSError, ValueError) as error:
        return f"{path.name} could not be written: {error}"
    return ""
