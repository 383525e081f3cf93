"""UNTRUSTED GROUND: follows a network with code of the student's own, such as a ``call``.

The network is called once on a symbolic input, and every class that is not Keras's answers by its
own ``call`` instead of being a node of the graph. What comes out is a plain functional network of
Keras's layers and operations, which is exported in place of the student's. Whatever a ``call`` does
meanwhile can only change which network that is: it is rebuilt and measured as any other.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from typing import Any

LINE_LIMIT = 100

COMMUTATIVE = ("Add", "Multiply")
WITH_WEIGHTS = (*COMMUTATIVE, "Subtract", "TrueDivide", "Divide", "Matmul", "Dot")
"""Operations that are rebuilt with one of the network's own weights in place of an input."""


IN_ITS_PLACE = "Use a layer of Keras's in its place, such as layers.Dense(32)."
AS_IT_IS = (
    "Use layers.Dense(32) in its place, or weights that self.add_weight(...) made, as they are, in "
    "ops.matmul(x, w), x + w or x * w."
)


class Hindrance(Exception):
    """What stands in the way, as a sentence about what the student wrote."""

    def __init__(self, text: str, remedy: str = IN_ITS_PLACE) -> None:
        super().__init__(text)
        self.remedy = remedy
        """The shortest change that would do, a sentence."""


def needs_retracing(model: Any) -> bool:
    """Whether `model` is a Keras network with code in it that is not Keras's."""
    try:
        return hasattr(model, "layers") and not _is_plain(model)
    except BaseException:
        # Then it cannot be followed either.
        return False


class Retraced:
    """What came out."""

    def __init__(self, network: Any, always_training: list[str]) -> None:
        self.network = network
        """Keras's own, functional, with the layers of the student's network."""
        self.always_training = always_training
        """Layers that the student's code calls with training=True, whatever it is called with."""


def retrace(model: Any) -> Retraced:
    """A functional network that computes what `model` does, with the same weights.

    Raises
    ------
    Hindrance
        If it cannot be followed; the text names what stands in the way.
    """
    keras = sys.modules["keras"]
    calls = _tensorflow_calls()
    tracer = _Tracer(model.weights)
    try:
        with tracer:
            shape, dtype = _input_of(model)
            source = keras.Input(shape[1:], dtype=dtype)
            result = tracer.call(model, source)
            leaves = keras.tree.flatten(result)
            if len(leaves) != 1 or not isinstance(leaves[0], keras.KerasTensor):
                remedy = "Return one tensor from `call`, the ten digits' probabilities."
                raise Hindrance("returns something else than one tensor", remedy)
            tracer.rename_namesakes()
            return Retraced(keras.Model(source, leaves[0]), tracer.always_training)
    except BaseException as error:
        # Also SystemExit and KeyboardInterrupt: the network that was written before stays.
        raise _hindrance(error, tracer.culprit or model, calls) from None


def _tensorflow_calls() -> Any:
    path = __file__.replace("retrace.py", "tensorflow_calls.py")
    with open(path) as file:
        namespace: dict[str, Any] = {"__name__": "tensorflow_calls"}
        exec(compile(file.read(), path, "exec"), namespace)
    calls: Any = namespace["Calls"]()
    calls.register()
    return calls


def _is_own(thing: Any) -> bool:
    """Whether a layer's class is not Keras's, or holds a function of the student's."""
    root = str(type(thing).__module__).split(".")[0]
    return root != "keras" or type(thing).__name__ == "Lambda"


def _has_own_activation(layer: Any) -> bool:
    """Whether a layer's activation is a function that Keras would save by name only."""
    activation = getattr(layer, "activation", None)
    module = str(getattr(activation, "__module__", "keras"))
    is_function = callable(activation) and not isinstance(activation, sys.modules["keras"].Layer)
    return is_function and module.split(".")[0] not in ("keras", "tensorflow")


def _is_plain(model: Any) -> bool:
    layers = model._flatten_layers(include_self=True, recursive=True)
    is_graph = type(model).__name__ in ("Sequential", "Functional")
    return is_graph and not any(_is_own(one) or _has_own_activation(one) for one in layers)


def _input_of(model: Any) -> tuple[tuple[Any, ...], str]:
    """Shape with the batch axis, and kind of numbers, with which `model` was built."""
    inputs = getattr(model, "inputs", None)
    if inputs:
        if len(inputs) != 1:
            raise Hindrance(f"has {len(inputs)} inputs", "Give it one input, the images.")
        return tuple(inputs[0].shape), str(inputs[0].dtype)
    shapes = list((model.get_build_config() or {}).values())
    if len(shapes) != 1 or not all(type(extent) in (int, type(None)) for extent in shapes[0]):
        remedy = "Call model.fit(...) in the notebook."
        raise Hindrance("was built for an input of unknown shape", remedy)
    return tuple(shapes[0]), "float32"


class _Tracer:
    """While it is entered, own classes are followed through instead of becoming nodes."""

    def __init__(self, weights: Any) -> None:
        keras = sys.modules["keras"]
        # Whoever asks a variable for its `value` gets the backend's, always the same.
        self._weights = {id(form): one for one in weights for form in (one, one.value)}
        self._layer, self._operation = keras.Layer, keras.Operation
        self._tensor, self._flatten = keras.KerasTensor, keras.tree.flatten
        self._linear = keras.activations.linear
        self._variable = next(one for one in keras.Variable.__mro__ if "__add__" in vars(one))
        self._methods: dict[str, Any] = {}
        self._met: dict[int, Any] = {}
        self.always_training: list[str] = []
        self.culprit: Any = None
        """The innermost layer whose code of the student's own raised."""

    def __enter__(self) -> _Tracer:
        tracer = self
        self._before = self._layer.__call__, self._operation.symbolic_call
        call, symbolic_call = self._before

        def layer_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if not tracer._are_symbolic(args, kwargs):
                return call(layer, *args, **kwargs)
            return tracer.call(layer, *args, **kwargs)

        def operation_call(operation: Any, *args: Any, **kwargs: Any) -> Any:
            if any(id(item) in tracer._weights for item in args):
                return tracer.call_with_weight(operation, *args)
            tracer._check(args, kwargs)
            tracer._met[id(operation)] = operation
            return symbolic_call(operation, *args, **kwargs)

        self._layer.__call__, self._operation.symbolic_call = layer_call, operation_call
        self._answer_for_weights()
        return self

    def __exit__(self, *_: object) -> None:
        self._layer.__call__, self._operation.symbolic_call = self._before
        for name, method in self._methods.items():
            setattr(self._variable, name, method)

    def _answer_for_weights(self) -> None:
        """Have ``w * x`` done as ``ops.multiply(w, x)``: a weight's own method takes arrays."""
        ops = sys.modules["keras"].ops
        for name, function in (("__add__", ops.add), ("__mul__", ops.multiply)):
            method = self._methods[name] = getattr(self._variable, name)

            def answer(weight: Any, other: Any, do: Any = function, plain: Any = method) -> Any:
                return (do if isinstance(other, self._tensor) else plain)(weight, other)

            setattr(self._variable, name, answer)

    def call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer` on symbolic inputs: through its own code, or as a node."""
        is_network = hasattr(layer, "layers") and hasattr(layer, "_flatten_layers")
        if _is_own(layer) or (is_network and not _is_plain(layer)):
            return self._follow(layer, args, kwargs)
        self._check(args, kwargs)
        self._met[id(layer)] = layer
        if kwargs.get("training") is True:
            self.always_training.append(layer.name)
        if _has_own_activation(layer):
            activation, layer.activation = layer.activation, self._linear
            return self._blaming(layer, activation, self._before[0](layer, *args, **kwargs))
        return self._before[0](layer, *args, **kwargs)

    def call_with_weight(self, operation: Any, *args: Any) -> Any:
        """`operation` on a symbolic input and one of the network's own weights, as a layer."""
        kind = type(operation).__name__
        weights = [self._weights[id(item)] for item in args if id(item) in self._weights]
        inputs = [item for item in args if isinstance(item, self._tensor)]
        in_order = isinstance(args[0], self._tensor) or kind in COMMUTATIVE
        if kind not in WITH_WEIGHTS or len(args) != 2 or len(inputs) != 1 or not in_order:
            raise Hindrance(f"uses a weight of its own in {kind}", AS_IT_IS)
        return _with_weight(operation, weights[0])(inputs[0])

    def _follow(self, layer: Any, args: Any, kwargs: Any) -> Any:
        function = layer.call
        # What tf.function made of it takes no symbolic tensors; the function within does.
        python = getattr(function, "python_function", None)
        if python is not None:
            function = python
        # As in evaluate: False, unless the student's code says otherwise.
        training = kwargs.pop("training", None)
        if "training" in inspect.signature(function).parameters:
            kwargs["training"] = bool(training)
        return self._blaming(layer, function, *args, **kwargs)

    def _blaming(self, layer: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException:
            self.culprit = self.culprit or layer
            raise

    def _are_symbolic(self, args: Any, kwargs: Any) -> bool:
        return any(isinstance(item, self._tensor) for item in self._flatten((args, kwargs)))

    def _check(self, args: Any, kwargs: Any) -> None:
        """Raise if an array is about to become part of the graph."""
        for item in self._flatten((args, kwargs)):
            if isinstance(item, self._tensor):
                continue
            size = 1
            for extent in tuple(getattr(item, "shape", None) or ()):
                size *= int(extent)
            if size != 1:
                why = f"computes with an array of {size:,} numbers that is not a layer's weight"
                raise Hindrance(why, AS_IT_IS)

    def rename_namesakes(self) -> None:
        """Give layers of the same name, from different places, names of their own."""
        names: set[str] = set()
        for thing in self._met.values():
            name, number = thing.name, 1
            while thing.name in names:
                number += 1
                thing.name = f"{name}_{number}"
            names.add(thing.name)


def _with_weight(operation: Any, weight: Any) -> Any:
    """A layer that does `operation` with `weight`, which is written and counted as the layer's."""
    kind = type(operation)
    members = {
        "__module__": kind.__module__,
        "weights": property(lambda self: [weight]),
        "call": lambda self, x: operation.call(x, weight),
        "compute_output_spec": lambda self, x: operation.compute_output_spec(x, weight),
    }
    return type(kind.__name__, (sys.modules["keras"].Layer,), members)()


def _hindrance(error: BaseException, culprit: Any, calls: Any) -> Hindrance:
    remedy = IN_ITS_PLACE
    if isinstance(error, Hindrance):
        why, remedy = str(error), error.remedy
    elif "KerasTensor cannot be used as input to a TensorFlow function" in str(error):
        why = f"calls TensorFlow's {calls.refused.removesuffix('_v2')} on a symbolic input"
        remedy = "Use what keras.ops has for it."
    elif "KerasTensor is symbolic" in str(error):
        why = "needs the images' values, as NumPy's functions do"
        remedy = "Use functions of keras.ops in place of NumPy's."
    elif "used as a boolean" in str(error):
        why = "decides by the images' values"
        remedy = "Use keras.ops.where(...) in place of `if`."
    else:
        first = (str(error).strip().splitlines() or [""])[0]
        why = f"raises {type(error).__name__} {first[:LINE_LIMIT]}".strip()
    return Hindrance(
        f"{_named(culprit)} {why}{_place(error)}, and the grader cannot follow that.", remedy
    )


def _named(layer: Any) -> str:
    kind = type(layer).__name__
    if hasattr(layer, "layers") and kind in ("Sequential", "Functional"):
        return "Your network"
    if kind == "Lambda":
        return f"Your Lambda layer `{layer.name}`"
    return f"Your class `{kind}`" if _is_own(layer) else f"The activation of layer `{layer.name}`"


def _place(error: BaseException) -> str:
    """The line of the notebook in which it happened, if one can be told."""
    ours = ("site-packages", "/lib/python", "retrace.py", "tensorflow_calls.py")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not any(part in frame.filename for part in ours):
            return f", in the line `{(frame.line or '').strip()[:LINE_LIMIT]}`"
    return ""
