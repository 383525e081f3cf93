"""How many parameters a network has that cannot be evaluated: the budget needs no accuracy."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.core.errors import UnverifiableModel
from autograder.network.advice import KINDS_OF_KERAS
from autograder.network.export import BESIDE, MAX_DEPTH, NetworkExport
from autograder.network.limits import MAX_STEPS
from autograder.network.parsing import LAYER_PLANNERS, ParsedLayer, malformed, parse_layer

COUNTED = (KINDS_OF_KERAS | set(LAYER_PLANNERS)) - {
    # What these compute with is code, a file or a table, and no array of the network.
    *("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    *("TextVectorization", "StringLookup", "IntegerLookup", "CategoryEncoding"),
    *("Discretization", "Hashing", "HashedCrossing"),
}
"""Kinds of layers that hold all their numbers in arrays, whether they are rebuilt or not."""


def count_parameters(export: NetworkExport) -> int | None:
    """All parameters, trainable or not, a shared one once; None where some may not be among them.

    For a network that `rebuild` refuses with ``NotEvaluated``: one that diverged, or that has a
    layer which is Keras's own but is not rebuilt. Counted is only what holds all its numbers in
    arrays that left the box: no layer or function of the student's own, no code, no weights in
    the settings beyond what a rebuilt network may have there.
    """
    try:
        layers = set(_layers_within(_root(export), ()))
    except UnverifiableModel:
        return None
    sizes = {array.offset: array.values.size for array in export.arrays}
    if not sizes or not {array.layer for array in export.arrays} <= layers | {BESIDE}:
        return None
    return sum(sizes.values())


def _root(export: NetworkExport) -> ParsedLayer:
    network = export.network
    raw = {
        "module": network.module,
        "class_name": network.class_name,
        "registered_name": network.registered_name,
        "config": network.config,
        "name": "network",
    }
    return parse_layer(raw, "")


def _layers_within(network: ParsedLayer, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The path of every layer that is no network itself.

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
