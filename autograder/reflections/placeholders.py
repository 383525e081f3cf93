"""Texts that stand where an answer is to come."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from autograder.reflections.plain import split_words

RELEASED_PLACEHOLDER = "Type your answer here, replacing this text."
"""What the released notebook has in each answer cell."""

PLACEHOLDERS = tuple(
    tuple(split_words(text))
    for text in (
        RELEASED_PLACEHOLDER,
        "Double-click (or enter) to edit",
        "Type Markdown and LaTeX",
        "Click here to add text",
        "Escribe tu respuesta aquí, reemplazando este texto.",
        "Escriba su respuesta aquí, reemplazando este texto.",
        "Haz doble clic para editar",
        "Digite sua resposta aqui, substituindo este texto.",
        "Escreva a sua resposta aqui, substituindo este texto.",
        "Écrivez votre réponse ici, en remplaçant ce texte.",
        "Tapez votre réponse ici, en remplaçant ce texte.",
        "Geben Sie hier Ihre Antwort ein und ersetzen Sie diesen Text.",
        "Schreibe deine Antwort hier, anstelle dieses Textes.",
        "Skriv ditt svar här och ersätt den här texten.",
        "Scrivi qui la tua risposta, sostituendo questo testo.",
        "Typ hier je antwoord en vervang deze tekst.",
        "Wpisz tutaj swoją odpowiedź, zastępując ten tekst.",
        "Cevabınızı buraya yazın, bu metnin yerine.",
        "Введите ваш ответ здесь, заменив этот текст.",
        "Напишите свой ответ здесь вместо этого текста.",
        "在此处输入您的答案，替换此文本。",
        "請在此輸入你的答案，取代這段文字。",
        "ここに回答を入力して、このテキストを置き換えてください。",
        "여기에 답을 입력하여 이 텍스트를 바꾸세요.",
        "اكتب إجابتك هنا بدلاً من هذا النص.",
        "अपना उत्तर यहाँ लिखें, इस पाठ को बदलकर।",
        "พิมพ์คำตอบของคุณที่นี่ แทนที่ข้อความนี้",
        "הקלידו את תשובתכם כאן במקום טקסט זה.",
    )
)

PLACEHOLDER_WORDS = frozenset(
    split_words(
        "type write enter insert add put fill in out give your my the an a answer answers response "
        "reflection text here replacing replace this that with please goes below above cell will "
        "be is to todo tbd tba wip fixme xxx na n none nil null nothing empty blank placeholder "
        "sample example words sentences question complete finish later come back it i ll own and "
        "double click edit done ok yes no idk test not yet applicable written must should go"
    )
)
"""Nothing that is made of these alone says anything about a network."""

LOREM_WORDS = frozenset(
    split_words(
        "lorem ipsum dolor sit amet consectetur adipiscing adipisicing elit sed do eiusmod tempor "
        "incididunt ut labore et dolore magna aliqua enim ad minim veniam quis nostrud "
        "exercitation ullamco laboris nisi aliquip ex ea commodo consequat duis aute irure in "
        "reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint "
        "occaecat cupidatat non proident sunt culpa qui officia deserunt mollit anim id est laborum"
    )
)

MIN_LIKENESS = 0.8
"""Of letters shared in order with a known placeholder; a word or two may differ."""

MIN_LOREM_SHARE = 0.7
"""Of words; a true answer in Latin or Romanian shares a few short ones."""


def is_placeholder(words: Sequence[str]) -> bool:
    """Whether `words`, as `split_words` gives them, hold the place of an answer."""
    if not words:
        return False
    if all(word in PLACEHOLDER_WORDS for word in words):
        return True
    lorem = sum(word in LOREM_WORDS for word in words)
    if "ipsum" in words and lorem >= MIN_LOREM_SHARE * len(words):
        return True
    text = "".join(words)
    return any(_is_like(text, "".join(known)) for known in PLACEHOLDERS)


def _is_like(text: str, known: str) -> bool:
    if not 0.6 < len(text) / len(known) < 1.6:
        return False
    matcher = SequenceMatcher(None, known, text, autojunk=False)
    return matcher.quick_ratio() >= MIN_LIKENESS and matcher.ratio() >= MIN_LIKENESS
