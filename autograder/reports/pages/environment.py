"""The templates, how values are shown in them, and parts that are kept from page to page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

HERE = Path(__file__).parent
NOT_KNOWN = "–"

_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""What could end a script element, or a line of JavaScript, as JSON may write it."""


@cache
def environment() -> Environment:
    """The templates; everything put into them is escaped, and what is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = (code_marked, percent, count, number, seconds, tenths, measure, whole_percent)
    made.filters |= {function.__name__: function for function in shown}
    made.globals |= {"asset": asset}
    return made


def render(template: str, **values: Any) -> str:
    """The page that `template` makes of `values`."""
    return environment().get_template(template).render(values)


@cache
def asset(name: str) -> Markup:
    """A style sheet or script of ours, as it is; only for files that come with this package."""
    return Markup((HERE / name).read_text(encoding="utf-8").strip())


def script_hash(source: str) -> str:
    """The source as a Content-Security-Policy names an inline script that may run."""
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def script_data(value: Any) -> Markup:
    """JSON that may stand in a script element, whatever strangers put into its strings."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_IN_SCRIPT))


def link_to(*parts: str) -> str:
    """A relative address of a file, whatever its name.

    Examples
    --------
    >>> link_to("submissions", "a b#1", "feedback.html")
    'submissions/a%20b%231/feedback.html'
    """
    return "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)


def code_marked(text: str) -> Markup:
    """A sentence with the names in it that stand between backticks set as code.

    Examples
    --------
    >>> code_marked("`dense_1` < 3"), code_marked("one ` alone")
    (Markup('<code>dense_1</code> &lt; 3'), Markup('one ` alone'))
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def percent(value: float | None) -> str:
    """A fraction as a percentage, never rounded up to what it does not reach.

    Examples
    --------
    >>> percent(0.95), percent(0.97314), percent(0.94999)
    ('95.00\\xa0%', '97.31\\xa0%', '94.99\\xa0%')
    """
    if value is None:
        return NOT_KNOWN
    return f"{int(value * 10_000 + 1e-6) / 100:.2f}\u00a0%"


def count(value: int | None) -> str:
    """A whole number, its thousands set apart."""
    return NOT_KNOWN if value is None else f"{value:,}"


def number(value: float | None) -> str:
    """Points, without needless zeros."""
    return NOT_KNOWN if value is None else f"{round(value, 2):g}"


def seconds(value: float | None) -> str:
    """A time: 0.3 s, 12 s, 3 min 05 s."""
    if value is None:
        return NOT_KNOWN
    if value < 10:
        return f"{value:.1f}\u00a0s"
    whole = round(value)
    if whole < 60:
        return f"{whole}\u00a0s"
    return f"{whole // 60}\u00a0min\u00a0{whole % 60:02d}\u00a0s"


def tenths(value: float | None) -> str:
    """A mean, to one place."""
    return NOT_KNOWN if value is None else f"{value:.1f}"


def measure(value: float | None) -> str:
    """A loss or an accuracy, to four significant digits."""
    return NOT_KNOWN if value is None else f"{value:.4g}"


def whole_percent(value: float) -> str:
    """A rough share: 64 %, and <1 % for what is little but there."""
    return "<1\u00a0%" if 0 < value < 0.005 else f"{value:.0%}".replace("%", "\u00a0%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page that takes long to draw; bytes, since a notebook may be megabytes of them.

    No text or markup of a submission can hold the two comments around it: what is shown has none.
    """

    begin: str
    end: str
    drawn: bytes

    @classmethod
    def of(cls, name: str, made_of: bytes, earlier: bytes, draw: Callable[[], bytes]) -> Part:
        """From an earlier page where it was drawn from the same, else drawn."""
        digest = hashlib.sha256(our_code() + made_of).hexdigest()
        begin, end = f"<!-- {name} {digest} -->", f"<!-- end of {name} -->"
        start = earlier.find(begin.encode()) + len(begin)
        stop = earlier.find(end.encode(), start) if start >= len(begin) else -1
        return cls(begin=begin, end=end, drawn=draw() if stop < 0 else earlier[start:stop])

    def has(self, place: str) -> bool:
        """Whether a link to `place` leads somewhere."""
        return f'id="{place}"'.encode() in self.drawn

    def __html__(self) -> str:
        """What a template puts in its place, until `put_into`."""
        return self.begin

    def put_into(self, page: bytes) -> bytes:
        """The page with the part itself."""
        begin = self.begin.encode()
        return page.replace(begin, b"".join([begin, self.drawn, self.end.encode()]), 1)


@cache
def our_code() -> bytes:
    """Changes when pages are drawn in another way."""
    paths = [*HERE.glob("*.py"), *HERE.glob("templates/notebook/*")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).digest()
