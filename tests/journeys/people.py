"""A class as it hands in: each file is the released notebook with one student's changes.

Where a grade does not hang on it, the network is trained for a second only.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.notebooks import (
    ANSWERS,
    cell_of,
    colab,
    fix_network,
    released,
    replace_cell,
    train_little,
    write,
)

CHINESE = (
    "学习率太大，第一步就把十个神经元全部推到负数区域，它们从此永远输出零，所以网络只能乱猜。",
    "我把学习率降到千分之一，并去掉了那个只有十个单元的窄层，之后每一轮的准确率都在上升。",
    "每次只改一个设置，再看曲线，这样才知道是什么起了作用；网络更大并不一定更好。",
)
ANSWERED = {"english": ANSWERS, "colab_chinese": CHINESE}
ONE_WORD = ("no idea", "banana", "bigger")
THRICE_THE_SAME = {"no_network": (ANSWERS[1],) * 3, "colab_no_network": (ANSWERS[1],) * 3}
NOT_ANSWERED = {"untouched": (), "typo": ONE_WORD, **THRICE_THE_SAME}
MODEL_CELL = cell_of(released(), "model")["source"].splitlines()[0]
"""How the cell begins, by which pages name it."""
UNREADABLE = {
    "damaged": "notebook",
    "an_empty_file": "empty",
    "a_web_page": "Download",
    "in_r": "Python",
    "ancient": "format",
}
"""Files that are no notebooks of this course, and a word of what their students are told."""


def whole_class() -> dict[str, object]:
    """Each student's file by name: a notebook, or what is left of one."""
    handed_in: dict[str, object] = {}
    for name, answers in {**NOT_ANSWERED, **ANSWERED}.items():
        made = released(*answers)
        if name == "english":
            fix_network(made)
        elif name == "untouched":
            train_little(made, images=2_000, epochs=2)  # long enough for its units to die
        elif name.endswith("no_network"):
            replace_cell(made, "model", "history = None  # later")
        else:
            train_little(made)
        if name == "typo":
            source = cell_of(made, "model")["source"]
            replace_cell(made, "model", source.replace("    x_train", "    x_trian"))
        handed_in[name] = colab(made) if name.startswith("colab") else made
    handed_in["twin_of_typo"] = handed_in["typo"]
    in_r = released(*ANSWERS)
    in_r.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    in_r.metadata["language_info"] = {"name": "R"}
    handed_in["damaged"] = nbformat.writes(released(*ANSWERS))[:20_000]
    handed_in["an_empty_file"] = b""
    handed_in["a_web_page"] = "<!DOCTYPE html><html><body class='jp-Notebook'></body></html>"
    handed_in["in_r"] = in_r
    handed_in["ancient"] = '{"nbformat": 2, "nbformat_minor": 0, "worksheets": [], "metadata": {}}'
    return handed_in


def write_class(folder: Path) -> Path:
    """Put everybody's file into a folder, as a TA has downloaded them."""
    for name, made in whole_class().items():
        write(folder / f"{name}.ipynb", made)
    return folder
