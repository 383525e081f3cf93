"""A class as it hands in: each file is the released notebook with one student's changes.

Where a grade does not hang on it, the network is trained for a second only.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.notebooks import (
    ANSWERS,
    answer,
    cell_of,
    colab,
    fix_network,
    released,
    replace_cell,
    train_little,
    write,
)

TRUE_ANSWERS = {
    "english": ANSWERS,
    "chinese": (
        "学习率太大，第一步就把十个神经元全部推到负数区域，它们从此永远输出零，所以网络只能乱猜。",
        "我把学习率降到千分之一，并去掉了那个只有十个单元的窄层，之后每一轮的准确率都在上升。",
        "每次只改一个设置，再看曲线，这样才知道是什么起了作用；网络更大并不一定更好。",
    ),
    "arabic": (
        "كان معدل التعلم كبيرا جدا فماتت وحدات الطبقة الضيقة كلها وصارت تعطي صفرا لكل صورة.",
        "خفضت معدل التعلم إلى واحد من ألف وحذفت الطبقة الضيقة فارتفعت الدقة في كل دورة تدريب.",
        "تعلمت أن أغير إعدادا واحدا في كل مرة وأن أنظر إلى المنحنى لا إلى الرقم الأخير وحده.",
    ),
    "russian": (
        "Скорость обучения была слишком большой, и все нейроны узкого слоя сразу умерли.",
        "Я уменьшил скорость обучения и убрал узкий слой, после этого точность стала расти.",
        "Лучше менять по одному параметру за раз и смотреть на кривую обучения после каждой эпохи.",
    ),
}
ONE_WORD = ("no idea", "banana", "bigger")
NOT_ANSWERED = {
    "untouched": (),
    "colab_untouched": (),
    "one_word": ONE_WORD,
    "thrice_the_same": (ANSWERS[1],) * 3,
}
ANSWERED = {**TRUE_ANSWERS, "colab_english": ANSWERS, "colab_chinese": TRUE_ANSWERS["chinese"]}
PASSING = ("english", "colab_english")
MODEL_CELL, _first_code = cell_of(released(), "model")["source"].splitlines()[:2]
"""How the cell begins."""
MODEL_CODE = _first_code.partition("  #")[0]
"""Its first line of code, by which pages name it."""
TRAINED_WIDTHS = (8, 200)


def whole_class() -> dict[str, object]:
    """Each student's file by name: a notebook, or what is left of one."""
    handed_in: dict[str, object] = {}
    for name, answers in {**NOT_ANSWERED, **ANSWERED}.items():
        made = released(*answers)
        if name in PASSING:
            fix_network(made)
        elif name == "untouched":
            train_little(made, images=12_000, epochs=2)  # long enough for its units to die
        else:
            train_little(made)
        handed_in[name] = colab(made) if name.startswith("colab") else made
    for width in TRAINED_WIDTHS:
        made = released(*ANSWERS)
        fix_network(made, units=width)
        train_little(made, images=200 * width)
        answer(made, "reflection_3", f"{ANSWERS[2]} I tried {width} units in the hidden layer.")
        handed_in[f"width_{width}"] = made
    typo = released(*ANSWERS)
    train_little(typo)
    replace_cell(
        typo, "model", cell_of(typo, "model")["source"].replace("    x_train", "    x_trian")
    )
    handed_in["typo"] = typo
    handed_in["twin_of_typo"] = typo
    handed_in["damaged"] = nbformat.writes(released(*ANSWERS))[:20_000]
    handed_in["an_empty_file"] = b""
    handed_in["no_network"] = nothing = released(*ANSWERS)
    replace_cell(nothing, "model", "history = None  # later")
    return handed_in


def write_class(folder: Path) -> Path:
    """Put everybody's file into a folder, as a TA has downloaded them."""
    for name, made in whole_class().items():
        write(folder / f"{name}.ipynb", made)
    return folder
