"""The lesson's formulas in MathML, which browsers draw without a script: made once, at release.

Students' pages show the lesson as it ran. A formula of the lesson is drawn there; one that a
student wrote stays as written, so that no converter ever reads what students wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from latex2mathml.converter import convert

from autograder.core.errors import ReleaseError
from autograder.release.template import Notebook

FORMULA = re.compile(r"(?<!\\)\$\$.+?(?<!\\)\$\$|(?<![$\\])\$[^$\n]+(?<!\\)\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
"""Dollars in it stand for themselves."""
MATHML = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = frozenset(
    {"math", "mfrac", "mi", "mn", "mo", "mover", "mroot", "mrow", "mspace", "msqrt", "mstyle"}
    | {"msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"}
)
ATTRIBUTES = frozenset(
    {"accent", "columnalign", "display", "displaystyle", "linethickness", "mathvariant"}
    | {"maxsize", "minsize", "scriptlevel", "separator", "stretchy", "width"}
)


def formulas_of(notebook: Notebook, name: str) -> bytes:
    """The file of all formulas of a notebook, with what browsers draw them from.

    Raises
    ------
    ReleaseError
        If one of them cannot be converted, or into more than plain MathML.
    """
    found = {formula for cell in notebook["cells"] for formula in _formulas_in(cell)}
    made = {formula: _mathml(formula, name) for formula in sorted(found)}
    return (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()


def _formulas_in(cell: Notebook) -> Iterator[str]:
    if cell["cell_type"] == "markdown":
        yield from FORMULA.findall(CODE.sub("", "".join(cell["source"])))


def _mathml(formula: str, name: str) -> str:
    display = "block" if formula.startswith("$$") else "inline"
    try:
        made = str(convert(formula.strip("$"), display=display))
        root = ElementTree.fromstring(made)
    except Exception as error:  # the library has a dozen of its own, without a common one
        why = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ReleaseError(f"{name}: {formula} cannot be turned into MathML: {why}.") from error
    for element in root.iter():
        tag = element.tag.removeprefix(MATHML)
        if tag not in ELEMENTS or not set(element.attrib) <= ATTRIBUTES:
            kinds = " ".join([tag, *element.attrib])
            raise ReleaseError(f"{name}: {formula} makes more than a formula: <{kinds}>.")
    return made
