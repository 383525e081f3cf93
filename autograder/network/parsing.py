"""From Keras's saved description to layers and the calls between them. All of it is hostile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.core.errors import NotEvaluated, UnverifiableModel
from autograder.core.text import shown_name
from autograder.network.layer import LayerSpec, Shape, finite

OWN_CLASS_ADVICE = "Use Keras's own layers, in keras.Sequential([...]) or the functional API"

MAX_STEPS = 2_000
"""Calls of layers, each counted as often as it is used; ResNet50 has 176."""

MAX_OPERANDS = 256
"""Inputs of one layer. DenseNet joins two at a time; nobody joins hundreds."""

MAX_NAME = 200
"""Characters of a layer's name."""

CALL_SETTINGS: dict[str, tuple[str, ...]] = {"GetItem": ("key",), "Pad": ("constant_values",)}
"""Arguments besides the inputs that Keras saves with the call, by the kind of operation."""

ON_A_NUMBER = "is called on a number, not on the output of a layer"

NETWORKS = ("Sequential", "Functional")

Key = tuple[str, int]
"""A call of a layer: the layer's name within its network, and which of its calls."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One use of a layer on the outputs of others."""

    inputs: tuple[Key, ...]
    operands: tuple[float | None, ...]
    """All arguments in order: None for an input, else a number."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Further arguments, by name, that belong to its settings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedLayer:
    """A layer, network or operation, with the settings and calls that were saved with it."""

    name: str
    kind: str
    module: str
    config: Mapping[str, object]
    calls: tuple[Call, ...] = ()

    @property
    def is_network(self) -> bool:
        """Whether it holds layers of its own."""
        return self.kind in NETWORKS

    @property
    def is_input(self) -> bool:
        """Whether it only marks where a network begins."""
        return self.kind == "InputLayer"


def malformed(why: str) -> UnverifiableModel:
    """The error for a description that Keras does not write."""
    return UnverifiableModel(
        f"The saved description of the network cannot be understood: {why}. Build it as "
        "keras.Sequential([...]) or with the functional API, from Keras's own layers."
    )


def parse_layers(network: ParsedLayer, path: tuple[str, ...]) -> list[ParsedLayer]:
    """The layers of a network, which is reached by `path`."""
    raw = network.config.get("layers")
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_STEPS:
        raise malformed("it has no layers, or too many")
    layers = [parse_layer(item, "".join(f"{name}/" for name in path)) for item in raw]
    if len({layer.name for layer in layers}) != len(layers):
        raise malformed("two layers have the same name")
    return layers


def parse_layer(raw: object, path: str) -> ParsedLayer:
    """One entry of a network's list of layers; `path` names that network, or is empty."""
    if not isinstance(raw, dict) or not isinstance(raw.get("config"), dict):
        raise malformed("a layer is not described as one")
    config = raw["config"]
    kind, module, registered = raw.get("class_name"), raw.get("module"), raw.get("registered_name")
    name = raw.get("name", config.get("name"))
    if not isinstance(kind, str) or not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise malformed("a layer has no name or no kind")
    if "/" in name or not name.isprintable():
        raise malformed("a layer's name has a slash or a control character")
    spec = LayerSpec(name=path + name, kind=kind, config=config)
    # Keras registers its own Functional and operations under their plain names; a student's
    # class has no module, or one that is not Keras's, even if it is called Dense.
    is_own = not isinstance(module, str) or module.split(".")[0] != "keras"
    if is_own or (registered is not None and registered != kind):
        raise spec.distrust(
            "is of a class of your own, or not of Keras's, so that the grader cannot know what it "
            f"computes. {OWN_CLASS_ADVICE}"
        )
    assert isinstance(module, str)
    calls = raw.get("inbound_nodes", [])
    if not isinstance(calls, list):
        raise malformed("a layer's inputs are not listed")
    return ParsedLayer(
        name=name,
        kind=kind,
        module=module,
        config=config,
        calls=tuple(_parse_call(call, spec) for call in calls),
    )


def _parse_call(raw: object, spec: LayerSpec) -> Call:
    if not isinstance(raw, dict) or not isinstance(raw.get("args"), list):
        raise malformed("a layer's inputs are not listed")
    arguments, settings = raw["args"], raw.get("kwargs", {})
    if not isinstance(settings, dict):
        raise malformed("a layer's inputs are not listed")
    if not arguments and "inputs" in settings:
        arguments = [settings["inputs"]]
    # Keras writes training=True itself, for augmentation; evaluate and predict override it.
    given = {
        key: value
        for key, value in settings.items()
        if value is not None and key not in ("training", "inputs")
    }
    if spec.kind == "GetItem" and len(arguments) == 2:
        arguments, given["key"] = arguments[:1], arguments[1]
    if unknown := given.keys() - CALL_SETTINGS.get(spec.kind, ()):
        raise spec.refusal(
            f"is called with a further argument, {shown_name(min(unknown))}; give it its input "
            "alone"
        )
    if len(arguments) == 1 and isinstance(arguments[0], list):
        arguments = arguments[0]
    if not 0 < len(arguments) <= MAX_OPERANDS:
        raise spec.refusal("is called without an input, or with too many")
    inputs: list[Key] = []
    operands: list[float | None] = []
    for argument in arguments:
        number = _number(argument, spec)
        if number is None:
            inputs.append(_parse_tensor(argument))
        operands.append(number)
    if not inputs:
        raise spec.refusal(ON_A_NUMBER)
    return Call(inputs=tuple(inputs), operands=tuple(operands), settings=given)


def _number(raw: object, spec: LayerSpec) -> float | None:
    """An operand that is one number, also as Keras saves one of NumPy's or TensorFlow's."""
    if isinstance(raw, dict) and raw.get("class_name") in ("__numpy__", "__tensor__"):
        config = raw.get("config")
        value = config.get("value") if isinstance(config, dict) else None
        if isinstance(value, list):
            raise spec.distrust(
                "computes with an array of numbers that is no layer's weights, so that it is in no "
                "count. Use a single number, or a layer that holds it: Dense, Rescaling or "
                "Normalization"
            )
        raw = value
        if finite(raw) is None:
            raise spec.refusal("is called on something that is not a number")
    return finite(raw)


def _parse_tensor(raw: object) -> Key:
    config = raw.get("config") if isinstance(raw, dict) else None
    if not isinstance(config, dict):
        raise malformed("an input is not the output of a layer")
    return parse_reference(config.get("keras_history"))


def parse_reference(raw: object) -> Key:
    """A layer's output, as ``["dense", 0, 0]``: name, call, and which output."""
    if isinstance(raw, list) and len(raw) == 3:
        name, call, output = raw
        if isinstance(name, str) and type(call) is int and type(output) is int and output == 0:
            return name, call
    raise malformed("an input is not the one output of a layer")


def parse_ends(raw: object, what: str) -> Key:
    """The one input or output of a network, in any of the forms that Keras saves."""
    if isinstance(raw, dict):
        raw = list(raw.values())
    if isinstance(raw, list) and raw and isinstance(raw[0], list):
        if len(raw) != 1:
            raise NotEvaluated(
                f"The network has {len(raw)} {what}s; the grader measures one that takes images "
                f"and gives the ten digits' probabilities. Use a network with one {what}."
            )
        raw = raw[0]
    return parse_reference(raw)


def parse_input_shape(raw: object) -> tuple[int | None, ...]:
    """A shape with the batch axis, as ``[null, 28, 28]``, without it."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= 8:
        raise malformed("its input shape is missing")
    if not all(extent is None or (type(extent) is int and extent > 0) for extent in raw[1:]):
        raise malformed("its input shape is not made of whole numbers")
    return tuple(raw[1:])


def settle_shape(declared: tuple[int | None, ...]) -> Shape:
    """`declared`, with extents that were left open filled in from MNIST's images."""
    default = 28 * 28 if len(declared) == 1 else 28
    return tuple(default if extent is None else extent for extent in declared)
