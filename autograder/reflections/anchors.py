"""Lines that say which reflection comes next: a marker, a numbered heading, or the question."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import IntEnum

from autograder.reflections.plain import plain_text, split_words

MAX_LINE_CHARACTERS = 1_000
"""A line that announces a reflection is short."""

MIN_PROMPT_LIKENESS = 0.8
"""Of words in order that a line shares with the question it repeats."""

_WORDS = (
    r"r[eé]fl[eé](?:x|ct|kt|ks|ss)\w*|reflect[a-z]*|riflession[ei]|przemyślenia|refleksj[aei]|"
    r"размышлени[еяй]|рефлекси[яи]|роздуми?|рефлексі[яї]|αναστοχασμ[οό]ς|suy ngẫm|yansıtma|"
    r"反思|反省|思考|振り返り|ふりかえり|考察|リフレクション|성찰|회고|돌아보기|تأمل|التأمل|चिंतन|"
    r"प्रतिबिंब|सोच|การสะท้อน(?:คิด)?|สะท้อน(?:คิด)?|รีเฟล็กชัน|רפלקציה|"
    r"question|pregunta|pergunta|frage|fråga|domanda|vraag|вопрос|питання|pytanie|soru|问题|問題|"
    r"質問|問|질문|سؤال|السؤال|प्रश्न|คำถาม|שאלה|"
    r"answer|respuesta|resposta|réponse|antwort|svar|risposta|ответ|відповідь|odpowiedź|cevap|"
    r"回答|答案|答|답변|إجابة|الإجابة|उत्तर|คำตอบ|תשובה"
)
_NUMBER = r"(?:[0-9٠-٩०-९๑-๙０-９]|[①-⑨]|[ivIV]{1,3}(?!\w)|[一二三四五六七八九])"
_LABEL = re.compile(
    rf"\s*(?P<hashes>\#{{1,6}})?[\s>*_-]*(?:\W\s*)?(?:<[a-z]\w*[^<>]{{0,80}}>\s*)*[*_]*"
    rf"(?:第\s*(?P<ahead>{_NUMBER})\s*(?:回|个|個)?\s*)?(?:{_WORDS})\s*"
    rf"(?:n[oº°.]{{1,2}}|nr\.?|№|\#|number|رقم)?\s*(?P<behind>{_NUMBER})?"
    r"(?P<end>[*_\s]*(?:</\w{1,9}>\s*)*(?:[:：.．、)）\-–—,，।]|$)[*_\s]*(?:</\w{1,9}>\s*)*)?",
    re.IGNORECASE,
)
_MARKER = re.compile(r"<!--\s{0,9}m5:([\w-]{1,40})\s{0,9}-->")
_HEADING = re.compile(r"\s{0,3}#{1,6}(?:\s|[^#\s])|\s{0,3}<h[1-6]\b", re.IGNORECASE)
_KANJI_NUMBERS = {char: i for i, char in enumerate("一二三四五六七八九", start=1)}
_ROMAN_NUMBERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}


class AnchorKind(IntEnum):
    """How a line names a reflection, the surest first."""

    MARKER = 0
    HEADING = 1
    PROMPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A line that says which reflection comes next."""

    name: str
    kind: AnchorKind


def is_heading(line: str) -> bool:
    """Whether a line of Markdown is a heading."""
    return _HEADING.match(line) is not None


def find_anchor(
    line: str, numbers: Mapping[int, str], questions: Mapping[str, Sequence[str]]
) -> Anchor | None:
    """The reflection that `line` announces, if any.

    Parameters
    ----------
    line
        Of a text cell, as it was written.
    numbers
        The reflections' names by their numbers.
    questions
        The words of each question by name, as `split_words` gives them.
    """
    if len(line) > MAX_LINE_CHARACTERS:
        return None
    marker = _MARKER.search(line)
    if marker and marker[1] in numbers.values():
        return Anchor(name=marker[1], kind=AnchorKind.MARKER)
    label = _numbered_label(line)
    if label:
        name = numbers.get(_number(label["ahead"] or label["behind"]))
        return Anchor(name=name, kind=AnchorKind.HEADING) if name else None
    words = split_words(plain_text(line))
    for name, question in questions.items():
        if _begins_with(words, question):
            return Anchor(name=name, kind=AnchorKind.PROMPT)
    return None


def numbered_rest(line: str) -> str | None:
    """What follows a label such as “Reflection 1:” in `line`; None where there is no label."""
    if len(line) > MAX_LINE_CHARACTERS:
        return None
    line = _MARKER.sub("", line)
    label = _numbered_label(line)
    return line[label.end() :] if label else None


def _numbered_label(line: str) -> re.Match[str] | None:
    """The label at the start of `line`: it has a number, and it is a heading or is set off.

    “Reflection 1 showed me that ...” is a sentence, not a label.
    """
    label = _LABEL.match(line)
    if not label or not (label["ahead"] or label["behind"]):
        return None
    return label if label["hashes"] or label["end"] is not None else None


def _number(text: str) -> int:
    char = unicodedata.normalize("NFKC", text).lower()
    if char in _ROMAN_NUMBERS:
        return _ROMAN_NUMBERS[char]
    return _KANJI_NUMBERS.get(char) or int(unicodedata.numeric(char, 0)) if len(char) == 1 else 0


def _begins_with(words: Sequence[str], question: Sequence[str]) -> bool:
    """Whether a line starts with the question, perhaps retyped."""
    start = words[: len(question)]
    # Comparing in order is slow, and most lines share too few words for it to matter.
    shared = len(set(start) & set(question))
    if not question or 2 * shared < MIN_PROMPT_LIKENESS * len(question):
        return False
    matcher = SequenceMatcher(None, start, question, autojunk=False)
    return matcher.ratio() >= MIN_PROMPT_LIKENESS
