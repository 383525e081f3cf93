"""submission_metadata.json, in which every key may be missing or be something else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.text import safe_name

MAX_BYTES = 64 << 20
"""It holds the results of the submission before, tracebacks and all: mostly some kilobytes."""
MAX_USERS = 50
MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitters:
    """Who handed in, as far as Gradescope says so.

    Attributes
    ----------
    submission
        Gradescope's number of this submission, as a name for a folder.
    names, emails
        Of each member of a group, in Gradescope's order; those that are missing are left out.
    """

    submission: str
    names: tuple[str, ...]
    emails: tuple[str, ...]


def read_metadata(path: Path) -> Submitters:
    """Read what can be read; whatever the file holds, there is an answer."""
    try:
        with path.open("rb") as file:
            content: Any = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    users = content.get("users")
    users = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    number = content.get("id")
    known = isinstance(number, (int, str)) and not isinstance(number, bool)
    return Submitters(
        submission=safe_name(f"submission_{str(number)[:40]}" if known else "submission"),
        names=_texts(users, "name"),
        emails=_texts(users, "email"),
    )


def _texts(users: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    found = [user.get(key) for user in users[:MAX_USERS]]
    texts = [" ".join(text.split()) for text in found if isinstance(text, str)]
    clean = ["".join(c for c in text if c.isprintable())[:MAX_CHARACTERS] for text in texts]
    return tuple(text for text in clean if text)
