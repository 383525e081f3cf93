"""Can the assignment be passed, and not by handing in what was handed out?

What can be told in seconds, without training: from the layers in the notebooks, and from what was
measured of reference and starter when they were last trained.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.core.config import CHECK_NAMES, Config
from autograder.release.expectations import REFERENCE, STARTER, Expectation, misfits
from autograder.release.notebooks import MODEL_CELL_ID
from autograder.release.template import Notebook

_KEEPS_SHAPE = ("Dropout", "Activation", "ReLU", "GaussianNoise")
"""Layers without parameters, whatever their arguments."""
PROVE = "`m5 release --prove` trains both and measures them anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What the code of a `Sequential` network says of it."""

    layers: tuple[str, ...]
    """The code of each layer."""
    optimizer: str
    parameters: int | None
    """None where that cannot be told from the code of these layers."""


def find_obstacles(
    student: Notebook,
    reference: Notebook,
    config: Config,
    expected: Mapping[str, Expectation],
) -> list[str]:
    """Say why nobody can pass, or why the starter does; a sentence for each reason.

    Parameters
    ----------
    student, reference
        As they were just made.
    expected
        What is known of the trained networks; empty where that is not to be believed.
    """
    return [
        *_no_way_to_pass(reference, config, expected.get(REFERENCE)),
        *_passed_already(student, reference, config, expected.get(STARTER)),
    ]


def find_remarks(
    student: Notebook,
    reference: Notebook,
    config: Config,
    expected: Mapping[str, Expectation],
) -> list[str]:
    """Say what is no reason to refuse the release, but should be known; as `find_obstacles`."""
    found = misfits(expected, config)
    for name, notebook in ((STARTER, student), (REFERENCE, reference)):
        sketch, known = sketch_of(notebook), expected.get(name)
        if sketch is None or known is None:
            continue
        if sketch.parameters not in (None, known.parameters):
            found.append(
                f"The {name} has {sketch.parameters:,} parameters, but {known.parameters:,} when "
                f"it was measured, so that its accuracy is not known. {PROVE}"
            )
        if known.optimizer and sketch.optimizer != known.optimizer:
            found.append(
                f"The {name} trains with {sketch.optimizer}, but {known.optimizer} when it was "
                f"measured, so that its accuracy is not known. {PROVE} Then put the new one into "
                f"solutions/{name}.expect.json."
            )
    return found


def _no_way_to_pass(notebook: Notebook, config: Config, expected: Expectation | None) -> list[str]:
    found = []
    sketch = sketch_of(notebook)
    parameters = sketch.parameters if sketch else None
    if parameters is None and expected is not None:
        parameters = expected.parameters
    budget, threshold = config.budget.max_parameters, config.accuracy.threshold
    if parameters is not None and parameters > budget:
        found.append(
            f"The reference solution has {parameters:,} parameters, but budget.max_parameters is "
            f"{budget:,}: raise the budget, or make the reference smaller."
        )
    if expected is None:
        return found
    if not expected.measured_accuracy > threshold:
        found.append(
            f"The reference solution was measured at an accuracy of {expected.measured_accuracy:g},"
            f" but accuracy.threshold is {threshold:g}: lower the threshold, or improve the "
            f"reference. {PROVE}"
        )
    if lost := [name for name in CHECK_NAMES if name not in expected.passes]:
        found.append(f"The reference solution is expected to fail: {', '.join(lost)}.")
    return found


def _passed_already(
    student: Notebook, reference: Notebook, config: Config, expected: Expectation | None
) -> list[str]:
    found = []
    starter, solution = sketch_of(student), sketch_of(reference)
    same_code = _code(student) == _code(reference)
    same_network = (
        starter is not None
        and solution is not None
        and ((starter.layers, starter.optimizer) == (solution.layers, solution.optimizer))
    )
    if same_code or same_network:
        found.append(
            "The starter has the same network as the reference solution, so that there is nothing "
            "to fix: change `starter` in the configuration, or the cell `model`."
        )
    if config.points.accuracy == config.points.budget == 0:
        found.append(
            "Neither accuracy nor budget is worth a point, so that the starter's network earns as "
            "much as any other: give one of them points."
        )
    threshold = config.accuracy.threshold
    if expected is not None and expected.accuracy[1] > threshold:
        found.append(
            f"The starter was measured at an accuracy of {expected.measured_accuracy:g}, and may "
            f"come to {expected.accuracy[1]:g}, but accuracy.threshold is only {threshold:g}: "
            f"raise it. {PROVE}"
        )
    return found


def _code(notebook: Notebook) -> list[str]:
    return [_plain(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _plain(source: str) -> str:
    """Code without comments and layout, which change nothing."""
    try:
        return ast.unparse(ast.parse(source))
    except SyntaxError:
        return source


def sketch_of(notebook: Notebook) -> Sketch | None:
    """What the cell `model` says; None where it builds no `Sequential` from a list of layers."""
    for cell in notebook["cells"]:
        if cell.get("id") == MODEL_CELL_ID and cell["cell_type"] == "code":
            try:
                tree = ast.parse(cell["source"])
            except SyntaxError:
                return None
            return _sketch(tree)
    return None


def _sketch(tree: ast.Module) -> Sketch | None:
    layers: list[ast.expr] | None = None
    optimizer = ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node)
        if name == "Sequential" and node.args and isinstance(node.args[0], ast.List):
            layers = node.args[0].elts
        elif name == "compile":
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            optimizer = words.get("optimizer", ast.unparse(node.args[0]) if node.args else "")
    if layers is None:
        return None
    return Sketch(
        layers=tuple(map(ast.unparse, layers)), optimizer=optimizer, parameters=_count(layers)
    )


def _count(layers: list[ast.expr]) -> int | None:
    """Parameters of plain dense layers; None if there is any other that could have some."""
    size, total = 0, 0
    for layer in layers:
        if not isinstance(layer, ast.Call):
            return None
        name = _name(layer)
        arguments = [_value(argument) for argument in layer.args]
        words = {word.arg: _value(word.value) for word in layer.keywords}
        if name in ("Input", "InputLayer"):
            shape = words.get("shape", arguments[0] if arguments else None)
            if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
                return None
            size = 1
            for length in shape:
                size *= length
        elif name == "Dense":
            units = words.get("units", arguments[0] if arguments else None)
            if not isinstance(units, int) or not size or "use_bias" in words:
                return None
            total, size = total + (size + 1) * units, units
        elif name != "Flatten" and name not in _KEEPS_SHAPE:
            return None
    return total


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
