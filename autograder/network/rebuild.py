"""The rebuilt network, ready to be measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.core.text import shown_name
from autograder.network import LayerSummary, Observer
from autograder.network.export import (
    BESIDE,
    MAX_DEPTH,
    ExportedArray,
    NetworkExport,
    SerializedLayer,
)
from autograder.network.graph import Assembler, Step
from autograder.network.kinds import COUNTED
from autograder.network.layer import Array, Shape
from autograder.network.parsing import MAX_STEPS, ParsedLayer, malformed, parse_layer

MAX_BATCH_ELEMENTS = 8_000_000
"""Numbers in memory at a time, 32 MB as float32; batches are cut to fit. Measured: convolutions
are up to twice as fast in batches that a processor's cache holds."""

MAX_CONSTANTS = 4 * 28 * 28
"""Numbers that lists in the layers' settings hold, all layers together: a mean and a variance for
each pixel, twice. They are no parameters by Keras's count, so that more of them would be a way to
carry a network past the budget."""

CONSTANT_KEYS = frozenset({"scale", "offset", "mean", "variance", "value"})
"""Settings that are numbers which the network computes with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network that computes what the student's does, without Keras."""

    input_shape: Shape
    """Without the batch axis; extents that the network leaves open are those of 28 x 28 images."""
    output_shape: Shape
    parameters: int
    """All arrays of graph and model together, trainable or not, a shared one once. Equals Keras's
    ``count_params``, unless the graph holds layers that the model does not know of."""
    layers: tuple[LayerSummary, ...]
    """In order of first use, without input layers; those of networks within it one by one."""
    remarks: tuple[str, ...]
    """For staff: in what it differs from the network in the notebook, a sentence each."""
    work: int
    """Multiply-adds for one image; bounded in ``graph``."""
    _steps: tuple[Step, ...] = field(repr=False)
    _output: int
    _elements: int
    """Numbers in memory for each image, at most."""

    @property
    def passages(self) -> frozenset[str]:
        """Layers through whose output all must pass on its way from the image to the answer."""
        passed: set[str] = set()
        earliest = len(self._steps)
        # From the last step backwards: nothing after it may use what was there before it.
        made = {step.output: place for place, step in enumerate(self._steps)}
        for place in reversed(range(len(self._steps))):
            step = self._steps[place]
            if earliest >= place:
                passed.add(step.layer)
            earliest = min([earliest, *(made.get(value, -1) for value in step.inputs)])
        return frozenset(passed)

    def predict(
        self, images: npt.ArrayLike, *, batch_size: int = 256, observer: Observer | None = None
    ) -> Array:
        """What the network puts out.

        Parameters
        ----------
        images
            Of shape (n, *input_shape), of any numeric type, preprocessed as for training.
        batch_size
            Images at a time; fewer are taken where a large network's memory asks for it.
        observer
            Shown every layer's output, batch after batch: that of a layer which is used several
            times each time, under the same name.

        Returns
        -------
        Array of shape (n, *output_shape), float32. It holds NaN where the network overflows.

        Raises
        ------
        ValueError
            If the images are not of that shape.
        UnverifiableModel
            If the network cannot be computed after all.
        """
        images = np.asarray(images)
        if images.shape[1:] != self.input_shape or not images.ndim:
            raise ValueError(f"images of shape {self.input_shape} expected, not {images.shape[1:]}")
        size = max(1, min(batch_size, MAX_BATCH_ELEMENTS // max(1, self._elements)))
        result = np.empty((len(images), *self.output_shape), np.float32)
        last_uses = {value: i for i, step in enumerate(self._steps) for value in step.inputs}
        summaries = {layer.name: layer for layer in self.layers}
        for start in range(0, len(images), size):
            batch = np.ascontiguousarray(images[start : start + size], np.float32)
            values = {0: batch}
            for i, step in enumerate(self._steps):
                with _as_unverifiable(), np.errstate(all="ignore"):
                    inputs = [values[value] for value in step.inputs]
                    output = np.asarray(step.run(inputs), np.float32)
                values[step.output] = output
                for value in step.inputs:
                    if last_uses[value] == i and value != self._output:
                        values.pop(value, None)
                if observer is not None and step.layer in summaries:
                    observer(summaries[step.layer], output)
            result[start : start + size] = values[self._output]
        return result


def rebuild(export: NetworkExport) -> Network:
    """Rebuild an exported network from its settings and arrays.

    Raises
    ------
    UnverifiableModel
        If it holds a layer that is not rebuilt, does not fit together, would take too long to
        compute, or is not described as Keras describes networks. The text names the layer.
    """
    try:
        with _as_unverifiable(), np.errstate(all="ignore"):
            return _rebuild(export)
    except UnverifiableModel as error:
        if not export.hindrance:
            raise
        raise type(error)(export.hindrance, next_step=export.remedy) from None


def _rebuild(export: NetworkExport) -> Network:
    serialized = export.network
    if (constants := _count_constants(serialized.config)) > MAX_CONSTANTS:
        raise UnverifiableModel(
            f"The settings of the network's layers hold {constants:,} numbers, and the grader "
            f"takes {MAX_CONSTANTS:,}. Numbers that the network computes with belong into "
            "weights: use Dense or Conv2D layers, and Normalization with adapt()."
        )
    network = _root(serialized)
    if not network.is_network:
        raise malformed(f"{shown_name(network.kind)} is neither Sequential nor Functional")
    arrays: dict[tuple[str, ...], list[Array]] = {}
    shared: dict[int, Array] = {}
    for array in export.arrays:
        if array.offset not in shared:
            shared[array.offset] = _as_float32(array)
        arrays.setdefault(array.layer, []).append(shared[array.offset])
    assembler = Assembler(arrays)
    output = assembler.add(network, (), assembler.start(network))
    unclaimed = [path for path in arrays if path not in assembler.claimed and path != BESIDE]
    if unclaimed:
        name = shown_name("/".join(unclaimed[0]))
        raise malformed(f"it has weights for a layer {name!r} that it does not have")
    return Network(
        input_shape=assembler.shapes[0],
        output_shape=assembler.shapes[output],
        parameters=sum(array.size for array in shared.values()),
        layers=tuple(assembler.layers.values()),
        remarks=_remarks(export),
        work=assembler.work,
        _steps=tuple(assembler.steps),
        _output=output,
        _elements=assembler.elements,
    )


def _root(network: SerializedLayer) -> ParsedLayer:
    """The whole network, under the name "network"."""
    return parse_layer({**msgspec.structs.asdict(network), "name": "network"}, "")


def _remarks(export: NetworkExport) -> tuple[str, ...]:
    return tuple(
        f"The notebook calls layer {shown_name(name)!r} with training=True, so that there it acts "
        "as in training even in evaluate(); here it was measured as Keras measures by default."
        for name in dict.fromkeys(export.always_training)
    )


def _count_constants(config: object) -> int:
    """Numbers in lists, at any depth, under the names of settings that are computed with."""
    count = 0
    pending: list[tuple[object, bool]] = [(config, False)]
    while pending:
        item, is_constant = pending.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                pending.append((value, is_constant or key in CONSTANT_KEYS))
        elif isinstance(item, list):
            pending += [(part, is_constant) for part in item]
            count += is_constant * sum(isinstance(part, (int, float)) for part in item)
    return count


def _as_float32(array: ExportedArray) -> Array:
    values = np.require(array.values, np.float32, ["C_CONTIGUOUS", "ALIGNED"])
    if np.isfinite(values).all():
        return values
    is_overflow = np.isfinite(array.values).all()
    what = "too large for float32" if is_overflow else "infinite or not a number"
    raise NotEvaluated(
        f"Layer {shown_name('/'.join(array.layer))!r} holds weights that are {what}: training "
        "diverged. Most often the learning rate is too high; try 0.001 with Adam, and scale the "
        "images to 0 ... 1."
    )


@contextmanager
def _as_unverifiable() -> Iterator[None]:
    """Turn what a hostile description can still trip over into the student's error.

    A mistake of ours would look the same: the property tests against Keras stand guard over that.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, AssertionError, LookupError) as error:
        raise malformed(f"{type(error).__name__}") from error
    except (MemoryError, RecursionError, TypeError, ValueError) as error:
        raise malformed(f"{type(error).__name__}") from error


def count_parameters(export: NetworkExport) -> int | None:
    """All parameters, trainable or not, a shared one once; None where some may not be among them.

    For a network that `rebuild` refuses with ``NotEvaluated``: one that diverged, or that has a
    layer which is Keras's own but is not rebuilt. Counted is only what holds all its numbers in
    arrays that left the box: no layer or function of the student's own, no code, no weights in
    the settings beyond what a rebuilt network may have there.
    """
    try:
        layers = set(_layers_within(_root(export.network), ()))
    except UnverifiableModel:
        return None
    sizes = {array.offset: array.values.size for array in export.arrays}
    if not sizes or not {array.layer for array in export.arrays} <= layers | {BESIDE}:
        return None
    return sum(sizes.values())


def _layers_within(network: ParsedLayer, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The path of every layer that is not a network itself.

    Raises
    ------
    UnverifiableModel
        If one of them may hold numbers that are no arrays.
    """
    raw = network.config.get("layers")
    if not isinstance(raw, list) or len(raw) > MAX_STEPS or len(path) > MAX_DEPTH:
        raise malformed("it has no layers, or too many")
    for item in raw:
        # How a layer is called does not matter for counting, and may be why it is not evaluated.
        layer = parse_layer({**item, "inbound_nodes": []} if isinstance(item, dict) else item, "")
        here = (*path, layer.name)
        if layer.is_input:
            continue
        if layer.is_network:
            yield from _layers_within(layer, here)
            continue
        if layer.kind not in COUNTED and not layer.module.startswith("keras.src.ops"):
            raise malformed(f"a {layer.kind} may compute with numbers that are no weights")
        _check_is_of_keras(layer.config)
        yield here


def _check_is_of_keras(config: object) -> None:
    """Raise where settings name a class or a function of the student's: it may hold anything."""
    pending = [config]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                module = item.get("module")
                registered = item.get("registered_name")
                is_own = registered is not None and registered != item["class_name"]
                if is_own or not isinstance(module, str) or module.split(".")[0] != "keras":
                    raise malformed("a layer's settings name something that is not Keras's")
            pending += item.values()
        elif isinstance(item, list):
            pending += item
