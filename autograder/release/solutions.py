"""Further answers to the assignment, each written as one Markdown file.

::

    # A title, and what is right or wrong with this answer

    ## model
    ```python
    the whole code of the cell
    ```

    ## reflection_1
    Text in Markdown. A reflection that is left out keeps its placeholder.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from autograder.core.config import REFLECTION_NAMES
from autograder.core.errors import ReleaseError

SECTION = re.compile(r"^## +(\S+) *$", re.MULTILINE)
FENCED = re.compile(r"```python\n(.*?)\n```", re.DOTALL)
SECTIONS = ("model", *REFLECTION_NAMES)


def parse_solution(text: str, name: str) -> Mapping[str, str]:
    """Read a solution.

    Returns
    -------
    mapping of str to str
        New sources by the id of the cell that they belong in.

    Raises
    ------
    ReleaseError
        If the model is missing or no valid Python, or a section is unknown or doubled.
    """
    _, *parts = SECTION.split(text)
    titles, bodies = parts[::2], parts[1::2]
    answers: dict[str, str] = {}
    for title, body in zip(titles, bodies, strict=True):
        if title not in SECTIONS:
            raise ReleaseError(f"{name}: '## {title}' is none of {', '.join(SECTIONS)}.")
        cell_id = title.replace("_", "-")
        if cell_id in answers:
            raise ReleaseError(f"{name}: there are two sections '## {title}'.")
        answers[cell_id] = body.strip()
    fenced = FENCED.fullmatch(answers.get("model", ""))
    if fenced is None:
        raise ReleaseError(f"{name}: a section '## model' with one block of Python is needed.")
    try:
        ast.parse(fenced[1])
    except SyntaxError as error:
        raise ReleaseError(f"{name}: line {error.lineno} of the model: {error.msg}.") from error
    return {**answers, "model": fenced[1]}
