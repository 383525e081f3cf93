"""A notebook as lines of text, each with the reflection that it announces."""

from __future__ import annotations

import io
import tokenize
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from autograder.grading.reflections.plain import (
    likeness,
    plain_text,
    readable,
    split_words,
    without_our_comments,
)

MAX_LINES = 5_000
"""With text, of all cells together; the lesson has 400."""
MAX_CODE_CHARACTERS = 200_000
"""Of all code cells together are looked through for answers; the lesson has 10,000."""
LABEL_CHARACTERS = 200
"""At the start of a line, within which a label such as “Reflection 1:” ends."""
MIN_PROMPT_LIKENESS = 0.8
"""Of words that a line shares with the question it repeats."""
MIN_PROSE_SHARE = 0.85
"""Of characters that are letters, blanks or commas, in a code cell that is not Python."""

_LABEL_WORDS = (
    r"(?:r[eé]fl[eé](?:x|ct|kt|ks|ss)|reflect|riflession|refleksj|рефлекси|размышлени|вопрос|"
    r"розду|рефлексі|відпов|ответ|αναστοχασμ|przemyśleni)[\p{L}\p{M}]*|suy ngẫm|yansıtma|"
    r"反思|反省|思考|振り返り|ふりかえり|考察|リフレクション|성찰|회고|돌아보기|تأمل|التأمل|चिंतन|"
    r"प्रतिबिंब|การสะท้อน(?:คิด)?|สะท้อน(?:คิด)?|รีเฟล็กชัน|רפלקציה|"
    r"questions?|preguntas?|perguntas?|fragen?|fråga|domanda|vraag|питання|pytanie|soru|"
    r"问题|問題|質問|問|问|题|題|질문|سؤال|السؤال|प्रश्न|คำถาม|שאלה|"
    r"answers?|respuestas?|respostas?|réponses?|antwort(?:en)?|svar|risposta|odpowiedź|cevap|"
    r"回答|答案|答|답변|إجابة|الإجابة|उत्तर|คำตอบ|תשובה"
)
_ORDINALS = (
    "first primera primero primer primeira primeiro première premier erste erster erstes prima "
    "primo första первый первое первая الأول الأولى 첫",
    "second segunda segundo deuxième seconde zweite zweiter zweites seconda secondo andra второй "
    "второе вторая الثاني الثانية 두",
    "third tercera tercero tercer terceira terceiro troisième dritte dritter drittes terza terzo "
    "tredje третий третье третья الثالث الثالثة 세",
)
_CARDINALS = (
    "one i uno una um uma un eins ett один",
    "two ii dos dois deux zwei due två два",
    "three iii tres três trois drei tre три",
)
_VALUES = {
    word: value
    for words in (_ORDINALS, _CARDINALS)
    for value, line in enumerate(words, start=1)
    for word in line.split()
}

Questions = tuple[tuple[str, tuple[str, ...]], ...]
"""The words of each, by the reflection's name."""


def _any_of(words: Iterable[str]) -> str:
    """A pattern for one of `words`, the longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


_DIGIT = r"(?:\p{Nd}{1,3}|[①-⑨一二三])"
_TAG_OR_SIGN = r"(?:<[a-z][^<>]{0,80}>|[^\p{L}\p{N}<])*"
_END = (
    r"(?P<end>[\s)\]]*(?:[*_]{1,3}\s*|</[a-z0-9]{1,9}>\s*)+[:：.．、)–—,，।-]?|"
    r"[\s*_)\]]*(?:[:：.．、,，।|)\]][*_\s]*|[-–—](?:\s|$)|$))"
)
_LABEL = re2.compile(
    rf"(?i)^\s*(?P<hashes>\#{{1,6}})?{_TAG_OR_SIGN}(?:\p{{Nd}}[\p{{Nd}}.]{{0,5}}[.)]?\s+)?{_TAG_OR_SIGN}"
    rf"(?:(?:第\s*(?P<ahead>{_DIGIT})\s*(?:回|个|個)?|"
    rf"(?P<nth>{_DIGIT})\s*(?:st|nd|rd|th|ª|º|°|ère|er|e|番目の|つ目の|번째|번)|"
    rf"(?:(?:the|la|le|el|die|o|a)\s)?(?P<ordinal>{_any_of(' '.join(_ORDINALS).split())})"
    rf"(?:\s?번째)?)\s*(?:{_LABEL_WORDS})|"
    rf"(?:{_LABEL_WORDS})[\s_-]*(?:n[oº°.]{{1,2}}|nr\.?|№|\#|number|رقم)?\s*[(\[]?"
    rf"(?:(?P<behind>{_DIGIT})|(?P<word>{_any_of(_VALUES)})(?:[^\p{{L}}\p{{N}}]|$))|"
    rf"(?:[qa]|ans[.]?\s?)(?P<short>\p{{Nd}}))(?:{_END})?"
)
_REFLECTS = re2.compile(rf"(?i)(?:^|[^\p{{L}}\p{{M}}])(?:{_LABEL_WORDS})")
_HEADING = re2.compile(r"(?i)^\s{0,3}(?:#{1,6}(?:\s|[^#\s])|<h[1-6](?:\s|>))")

_TEXT_MAGICS = ("%%markdown", "%%html", "%%latex")
_STATEMENTS = ("import ", "from ", "def ", "class ", "raise ", "assert ", "return ", "del ", "@")
_SPEAKING_NAMES = {"print", "display", "markdown", "html", "latex", "md", "ipython", "f", "r", "b"}
"""Functions and prefixes that only show the text handed to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text in the notebook."""

    cell: int
    text: str
    name: str = ""
    """Of the reflection that it announces."""
    rank: int = 0
    """How it does that: 0 by our marker, 1 by a label, 2 by the question."""
    tag: str = ""
    """Of the reflection with which its cell is tagged."""
    is_heading: bool = False
    is_barrier: bool = False
    """Stands for a cell of code, which no answer reaches across."""
    is_cut: bool = False
    """Whether its cell may hold more of an answer than was read."""


def read_lines(
    notebook: Mapping[str, Any], names: Sequence[str], questions: Mapping[str, Sequence[str]]
) -> Iterator[Line]:
    """The lines of all text, and a barrier for each cell of code.

    Parameters
    ----------
    names
        Of the reflections.
    questions
        The words of each question by name, as `split_words` gives them.
    """
    code_left = MAX_CODE_CHARACTERS
    asked = tuple((name, tuple(words)) for name, words in questions.items())
    for cell, node in enumerate(notebook.get("cells", ())):
        tags = _tags(node)
        tag = next((name for name in names if name in tags), "")
        source, is_cut = readable(node.get("source"))
        if node.get("cell_type") == "code":
            text, is_code = "", True
            if not tag and _is_plainly_code(source):
                is_cut = False
            elif len(source) > code_left:
                is_cut = True
            else:
                text, is_code = text_in_code(source)
                code_left -= len(source)
            if is_code:
                yield Line(cell=cell, text="", tag=tag, is_barrier=True, is_cut=is_cut)
            if is_code and not tag:
                continue
            source = text or (source if tag else "")
        for text, name, rank, is_heading in _lines_of(source, tuple(names), asked):
            yield Line(
                cell=cell, text=text, name=name, rank=rank, tag=tag,
                is_heading=is_heading, is_cut=is_cut,
            )  # fmt: skip


@lru_cache(maxsize=256)  # most cells of a class are the released ones
def _lines_of(
    source: str, names: tuple[str, ...], asked: Questions
) -> list[tuple[str, str, int, bool]]:
    """The lines of a cell, each with what it announces and whether it is a heading."""
    lines = []
    was_blank = True
    for text in without_our_comments(source).splitlines():
        if was_blank and not text.strip():
            continue
        was_blank = not text.strip()
        name, rank = _announced(text, names, asked) if not was_blank else ("", 0)
        is_heading = "#" in text[:4] or "<" in text[:4]
        lines.append((text, name, rank, is_heading and _HEADING.match(text) is not None))
    return lines


def after_label(line: str) -> str | None:
    """What follows a marker or a label such as “Reflection 1:” in `line`; None without one."""
    if line.startswith("<!-- m5:"):
        return ""
    number, end = _label(line)
    return line[end:] if number is not None else None


def speaks_of_reflections(heading: str) -> bool:
    """Whether a heading is one under which a student would write answers."""
    return _REFLECTS.search(heading[:LABEL_CHARACTERS]) is not None


def item_number(line: str) -> int:
    """The number with which an item of a list begins; 0 without one."""
    text = line[:LABEL_CHARACTERS].lstrip(" \t*_>#-(")
    return int(text[0]) if text[:1] in tuple("123456789") and text[1:2] in tuple(".):、．") else 0


def _announced(line: str, names: Sequence[str], asked: Questions) -> tuple[str, int]:
    """The reflection that `line` announces, if any, and by what."""
    if line.startswith("<!-- m5:"):
        return next(((name, 0) for name in names if line == f"<!-- m5:{name} -->"), ("", 0))
    number, _ = _label(line)
    if number is not None:
        return (names[number - 1], 1) if 0 < number <= len(names) else ("", 0)
    folded = ""
    for name, question in asked:
        if not question:
            continue
        folded = folded or line[: 20 * LABEL_CHARACTERS].casefold()
        # To compare is slow, and most lines lack even the longest word.
        if max(question, key=len) in folded:
            start = split_words(plain_text(line[: 10 * len("".join(question))]))[: len(question)]
            if likeness(start, question) >= MIN_PROMPT_LIKENESS:
                return name, 2
    return "", 0


@lru_cache(maxsize=8192)
def _label(line: str) -> tuple[int | None, int]:
    """The number in the label at the start of `line`, and where the label ends; None without one.

    It is a heading or is set off: “Reflection 1 showed me that ...” is a sentence, not a label.
    """
    label = _LABEL.match(line[:LABEL_CHARACTERS])
    if not label:
        return None, 0
    hashes, *numbers, end = label.groups()
    if end is None and (not hashes or numbers[-1]):  # “A1” is too short to be known without
        return None, 0
    text = next(number for number in numbers if number).casefold()
    value = _VALUES.get(text) or (int(text) if text.isdecimal() else unicodedata.numeric(text))
    return int(value), label.end()


@lru_cache(maxsize=1024)  # most cells of a class are the released ones
def text_in_code(source: str) -> tuple[str, bool]:
    """Comments and strings of a code cell, and whether it holds code of its own.

    Of a cell that is prose and not Python, all of it. Nothing is run or even compiled.
    """
    if source.lower().startswith(_TEXT_MAGICS):
        return source.partition("\n")[2], False
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    source = "\n".join(lines)
    pieces: list[str] = []
    names: set[str] = set()
    assigned: set[str] = set()
    last, imports_on = "", 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = tokenize.tok_name[token.type]
            if kind == "COMMENT":
                said = token.string.lstrip("#:! ")
                pieces.append(said.removeprefix("@markdown ").removeprefix("@title "))
            elif kind in ("STRING", "FSTRING_MIDDLE"):  # the latter in Python 3.12 and later
                pieces.append(_inside(token.string) if kind == "STRING" else token.string)
            elif token.string in ("import", "from") and "IPython" in token.line[:LABEL_CHARACTERS]:
                imports_on = token.start[0]
            elif kind == "NAME" and token.start[0] != imports_on:
                last = token.string
                names.add(last)
            elif token.string == "=" and last:
                assigned.add(last)
                label = last.replace("_", " ") + ":"
                if _label(label)[0]:
                    pieces.append(label)
            elif kind == "ERRORTOKEN" and not token.string.isspace():
                raise SyntaxError
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return (source, False) if _is_prose(source) else ("\n".join(pieces), True)
    own = {name.lower() for name in names - assigned} - _SPEAKING_NAMES
    if len(own) > 2 and not pieces and _is_prose(source):
        return source, False  # words that happen to be tokens
    return "\n".join(pieces), bool(own) or (not pieces and bool(names or imports_on))


def _inside(literal: str) -> str:
    """The text between a string's quotes, with its line breaks."""
    text = literal.lstrip("rRbBuUfF")
    quotes = 3 if text[:3] in ('"""', "'''") else 1
    return text[quotes:-quotes].replace("\\n", "\n")


@lru_cache(maxsize=1024)
def _is_plainly_code(source: str) -> bool:
    """Whether a cell, like most, need not be taken apart to see that it is not an answer."""
    has_statement = any(line.startswith(_STATEMENTS) for line in source.splitlines())
    return has_statement and "IPython" not in source and not _is_prose(source)


def _is_prose(source: str) -> bool:
    text = source.strip()
    if " " not in text or text.startswith(_STATEMENTS):
        return False
    plain = sum(char.isalpha() or char.isspace() or char in ",.'’" for char in text)
    return plain >= MIN_PROSE_SHARE * len(text)


def _tags(node: Mapping[str, Any]) -> list[Any]:
    metadata = node.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return tags if isinstance(tags, list) else []
