"""Reports made up by chance, on students who do not exist.

The same number gives the same report.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from autograder.core.config import Config
from autograder.core.report import (
    CellReport,
    CheckResult,
    CheckStatus,
    ConfusionReport,
    HintReport,
    IsolationReport,
    NetworkReport,
    ReflectionReport,
    Report,
    UnitReport,
    Verdict,
)
from autograder.grading.describe import HEADLINES, png_text

NAMES = (
    "Amber Sample", "Åsa Exempel", "Ümit Örnek", "Пример Студентов", "範例 學生", "مثال طالبة",
    "예시 학생", "Παράδειγμα Φοιτητής", "उदाहरण छात्र", "Specimen O’Quill",
)  # fmt: skip
SPOKEN = (
    "The first network was bad because its second layer with ten units died at a rate of 0.03 and "
    "every image got the same answer until I made the layer wider and the rate smaller which let "
    "the loss fall in each epoch while validation stayed close so I think it did not overfit but "
    "a dropout layer gave nothing more than patience and 64 units were enough for ninety seven "
    "percent with half of the budget left over to try convolution which took much longer"
)
OTHER_TONGUES = (
    "Das erste Netz hatte in der zweiten Schicht nur zehn Einheiten, und bei einer Lernrate von "
    "0,03 waren sie nach einer Epoche tot. Danach kam für jedes Bild dasselbe heraus.",
    "第一個網路的學習率太大，第二層只有十個單元，全部死掉了，所以每張圖片的答案都一樣，準確率只有一成。",
    "كان معدل التعلم كبيرا جدا فماتت وحدات الطبقة الثانية كلها، "
    "ولذلك أعطت الشبكة الجواب نفسه لكل صورة.",
    "Скорость обучения была слишком велика, и десять нейронов второго слоя умерли: сеть отвечала "
    "одной и той же цифрой на любую картинку.",
    "학습률이 너무 커서 둘째 층의 유닛 열 개가 모두 죽었고, 그래서 어떤 그림에도 같은 답이 나왔다.",
)
PICTURES = tuple(png_text(np.eye(28, k=k, dtype=np.uint8) * 255) for k in (0, 9))
UNGRADED = (Verdict.MALFORMED_SUBMISSION, Verdict.GRADER_ERROR)
STOPPED = (
    Verdict.TIMED_OUT,
    Verdict.OUT_OF_MEMORY,
    Verdict.KERNEL_DIED,
    Verdict.OUTPUT_TOO_LARGE,
    Verdict.UNVERIFIABLE_MODEL,
)


def make_report(number: int, config: Config, verdict: Verdict | None = None) -> Report:
    """The report on student `number`; without `verdict` chance decides, mostly kindly."""
    chance = random.Random(number)
    if verdict is None:
        verdict = chance.choices(
            list(Verdict), weights=[52, 28, 7, 3, 1, 1, 1, 3, 2, 0.5], k=1
        )[0]  # fmt: skip
    key = f"m5_{number:04d}"
    name = f"{NAMES[number % len(NAMES)]} {number}"
    common: dict[str, Any] = {
        "submission": key,
        "name": name,
        "email": f"student{number}@school.example",
        "verdict": verdict,
        "max_score": float(config.points.total),
        "headline": HEADLINES[verdict],
        "content_hash": f"{number:064x}",
        "staff_notes": ["The kernel’s name was fixed."] if number % 9 == 0 else [],
    }
    if verdict in UNGRADED:
        is_ours = verdict is Verdict.GRADER_ERROR
        if is_ours:
            common["staff_notes"] = ["OSError: /autograder/secret cannot be read (grading.log)"]
        return Report(
            **common, score=None if is_ours else 0.0, checks=[], cells=[], network=None,
            reflections={}, isolation=None, seconds=0.0, peak_bytes=0, output_bytes=0,
            notes=[] if is_ours else ["This file is not a notebook: it is empty."],
        )  # fmt: skip
    network = None if verdict in STOPPED else _network(chance, passes=verdict is Verdict.PASSED)
    cells = _cells(chance, verdict)
    reflections = _reflections(chance, all_there=verdict is Verdict.PASSED)
    checks = _checks(config, verdict, network, reflections)
    return Report(
        **common,
        score=sum(check.points for check in checks),
        checks=checks,
        cells=cells,
        network=network,
        reflections=reflections,
        isolation=IsolationReport(kind="namespaces", layers=["bubblewrap"], missing=["landlock"]),
        seconds=sum(cell.seconds for cell in cells),
        peak_bytes=chance.randrange(5 << 26, 1 << 31),
        output_bytes=chance.randrange(1000, 90_000),
        notes=["The slowest was code cell 7: 212 s."] if verdict is Verdict.TIMED_OUT else [],
    )


def _network(chance: random.Random, *, passes: bool) -> NetworkReport:
    units = chance.choice((32, 48, 64, 96, 128)) if passes else chance.choice((8, 64, 512, 1000))
    parameters = 784 * units + units + units * 10 + 10
    good = chance.uniform(0.9505, 0.982)
    accuracy = good if passes or chance.random() < 0.4 else chance.choice((0.0980, 0.1135, 0.93))
    epochs = chance.randrange(3, 15)
    loss = [2.3 * 0.6**epoch + 0.05 for epoch in range(epochs)]
    return NetworkReport(
        accuracy=round(accuracy, 4),
        counted_images=10_000,
        public_accuracy=round(accuracy + 0.0013, 4),
        private_accuracy=round(accuracy - 0.0017, 4),
        training_accuracy=round(min(1, accuracy + 0.01), 4),
        leak_z=0.4321,
        leaked=not passes and chance.random() < 0.03,
        parameters=parameters,
        layers=[
            {"name": "flatten", "kind": "Flatten", "parameters": 0},
            {"name": "dense", "kind": "Dense", "parameters": 785 * units},
            {"name": "dense_1", "kind": "Dense", "parameters": units * 10 + 10},
        ],
        chosen_by="the variable model",
        preparation="x / 255",
        preparation_proved_by="the images given to fit",
        history={
            "loss": list(loss),
            "accuracy": [accuracy / (1 + value / 5) for value in loss],
            "val_loss": [value * 1.1 for value in loss],
            "val_accuracy": [accuracy / (1 + value / 4) for value in loss],
        },
        hints=[HintReport(fault="dead units", text="3 of 64 units of dense are dead. What rate?")],
        units=[UnitReport(layer="dense", units=units, silent=3)],
        confusions=[
            ConfusionReport(
                digit=4, taken_for=9, count=23, examples=[4, 8], pictures=list(PICTURES)
            ),
            ConfusionReport(digit=7, taken_for=2, count=1, examples=[17]),
        ],
    )


def _cells(chance: random.Random, verdict: Verdict) -> list[CellReport]:
    lines = ("import keras", "rows = 4", "model = keras.Sequential([", "plt.plot(history)")
    cells = [
        CellReport(
            number=number,
            status="ok",
            seconds=round(chance.expovariate(1 / 8), 3),
            first_line=line,
            error="",
            traceback=[],
            hint="",
        )
        for number, line in enumerate(lines, start=1)
    ]
    if verdict is Verdict.CELL_ERROR:
        cells.append(
            CellReport(
                number=5,
                status="error",
                seconds=0.1,
                first_line="plot_model(modle)",
                error="NameError: name 'modle' is not defined",
                traceback=["File /tmp/box-1/work/m5.ipynb, line 1", "NameError: name 'modle'"],
                hint="A name is used before it is defined.",
            )
        )
    return cells


def _reflections(chance: random.Random, *, all_there: bool) -> dict[str, ReflectionReport]:
    answers = {}
    for number in (1, 2, 3):
        is_there = all_there or chance.random() < 0.75
        text = " ".join(chance.choices(SPOKEN.split(), k=chance.randrange(25, 90))) + "."
        if chance.random() < 0.25:
            text = chance.choice(OTHER_TONGUES)
        answers[f"reflection_{number}"] = ReflectionReport(
            present=is_there,
            reason="" if is_there else "This is the placeholder.",
            text=text if is_there else "_Type your answer here, replacing this text._",
        )
    return answers


def _checks(
    config: Config,
    verdict: Verdict,
    network: NetworkReport | None,
    reflections: dict[str, ReflectionReport],
) -> list[CheckResult]:
    threshold, budget = config.accuracy.threshold, config.budget.max_parameters
    accuracy = f"{network.accuracy:.2%} of 10,000 test images" if network else "no network"
    size = f"{network.parameters:,} parameters" if network else "no network"
    fine = verdict in (Verdict.PASSED, Verdict.FAILED, Verdict.UNVERIFIABLE_MODEL)
    made = [
        ("runs", "The notebook runs", fine, "5 cells ran" if fine else "a cell failed", "all run"),
        ("accuracy", "Test accuracy", bool(network and network.accuracy > threshold), accuracy,
         f"more than {threshold:.0%}"),
        ("budget", "Parameter budget", bool(network and network.parameters <= budget), size,
         f"at most {budget:,}"),
    ]  # fmt: skip
    for number, (name, answer) in enumerate(reflections.items(), start=1):
        measured = "an answer" if answer.present else answer.reason
        made.append((name, f"Reflection {number}", answer.present, measured, "an answer"))
    return [
        CheckResult(
            name=name,
            title=title,
            status=CheckStatus.PASSED
            if passed
            else CheckStatus.SKIPPED
            if measured == "no network"
            else CheckStatus.FAILED,
            points=float(config.points.of(name)) if passed else 0.0,
            max_points=float(config.points.of(name)),
            measured=measured,
            wanted=wanted,
            next_step="" if passed else "Look at the learning curve: when does it stop to fall?",
        )
        for name, title, passed, measured, wanted in made
    ]
