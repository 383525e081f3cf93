"""UNTRUSTED GROUND: TensorFlow's functions on a symbolic input.

Keras refuses to give its symbolic tensors to ``tf.reshape`` and the like. While a student's
network is retraced, the operation or layer of Keras's that does the same is called instead.
"""

from __future__ import annotations

import sys
from typing import Any


def _reshaped(ops: Any, tensor: Any, shape: Any) -> Any:
    extents = [-1 if extent is None else int(extent) for extent in shape]
    if extents.count(-1) > 1:
        # (tf.shape(x)[0], -1): the first is the batch's, the other what the rest leaves over.
        rest = 1
        for extent in tensor.shape[1:]:
            rest *= extent
        for extent in extents[1:]:
            rest //= max(extent, 1)
        extents = [-1, *(rest if extent == -1 else extent for extent in extents[1:])]
    return ops.reshape(tensor, extents)


def _resized(images: Any, size: Any, method: Any = "bilinear") -> Any:
    height, width = size
    layer = sys.modules["keras"].layers.Resizing(height, width, interpolation=str(method))
    return layer(images)


def _first(function: Any) -> Any:
    # TensorFlow names the tensor `input`; Keras names the other arguments alike.
    def call(*args: Any, **given: Any) -> Any:
        tensor = [given.pop("input")] if "input" in given else []
        return function(*tensor, *args, **given)

    return call


def _reduction(function: Any) -> Any:
    return lambda input_tensor, axis=None, keepdims=False: function(
        input_tensor, axis=axis, keepdims=keepdims
    )


def _activation(function: Any) -> Any:
    return lambda features: function(features)


def _unary(function: Any) -> Any:
    return lambda x: function(x)


def _binary(function: Any) -> Any:
    return lambda x, y: function(x, y)


def translations(ops: Any) -> dict[str, Any]:
    """By the names that TensorFlow's functions have in its source; arguments as it names them."""

    def cast(x: Any, dtype: Any) -> Any:
        return ops.cast(x, getattr(dtype, "name", dtype))

    return {
        "reshape": lambda tensor, shape: _reshaped(ops, tensor, shape),
        "shape_v2": _first(lambda x: tuple(x.shape)),
        "cast": cast,
        "identity": _first(lambda x: x),
        "convert_to_tensor_v2_with_dispatch": lambda value, dtype=None: (
            value if dtype is None else cast(value, dtype)
        ),
        "expand_dims_v2": _first(ops.expand_dims),
        "squeeze_v2": _first(ops.squeeze),
        "transpose_v2": lambda a, perm=None: ops.transpose(a, perm),
        "concat": lambda values, axis: ops.concatenate(values, axis),
        "stack": lambda values, axis=0: ops.stack(values, axis),
        "pad_v2": lambda tensor, paddings, mode="CONSTANT", constant_values=0: ops.pad(
            tensor, paddings, mode.lower(), constant_values
        ),
        "where_v2": lambda condition, x, y: ops.where(condition, x, y),
        "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(
            t, clip_value_min, clip_value_max
        ),
        "resize_images_v2": _resized,
        "flip_left_right": lambda image: ops.flip(image, axis=-2),
        "flip_up_down": lambda image: ops.flip(image, axis=-3),
        "softmax_v2": lambda logits, axis=-1: ops.softmax(logits, axis),
        "log_softmax_v2": lambda logits, axis=-1: ops.log_softmax(logits, axis),
        "leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, alpha),
        "gelu": lambda features, approximate=False: ops.gelu(features, approximate),
        "swish": lambda features, beta=1.0: ops.silu(features),
        **{name: _activation(getattr(ops, name)) for name in ("relu", "relu6", "elu", "selu")},
        "softplus": _activation(ops.softplus),
        **{
            f"reduce_{name}": _reduction(getattr(ops, name))
            for name in ("mean", "sum", "max", "min")
        },
        **{
            name: _unary(getattr(ops, name))
            for name in ("abs", "square", "sqrt", "exp", "log", "sign", "floor", "sigmoid", "tanh")
        },
        **{
            name: _binary(getattr(ops, name))
            for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
        },
        "pow": _binary(ops.power),
        "matmul": lambda a, b: ops.matmul(a, b),
        "bias_add": lambda value, bias: ops.add(value, bias),
    }


class Calls:
    """Asked by TensorFlow wherever one of its functions is given what it refuses."""

    def __init__(self) -> None:
        self.refused = ""
        """The last function that was called on a symbolic tensor and is not answered."""
        self._known = translations(sys.modules["keras"].ops)

    def handle(self, function: Any, args: Any, kwargs: Any) -> Any:
        """What `function` would give, or TensorFlow's sign that it is not known."""
        keras = sys.modules["keras"]
        everything = keras.tree.flatten((args, kwargs))
        name = str(getattr(function, "__name__", ""))
        if any(isinstance(item, keras.KerasTensor) for item in everything):
            if name in self._known:
                return self._known[name](
                    *args, **{key: value for key, value in kwargs.items() if key != "name"}
                )
            self.refused = name
        dispatch = sys.modules["tensorflow"].__internal__.dispatch
        return dispatch.GlobalOpDispatcher.NOT_SUPPORTED

    def register(self) -> None:
        """Have TensorFlow ask from now on; for good, as nothing runs after the retracing."""
        dispatch = sys.modules["tensorflow"].__internal__.dispatch
        handle = self.handle

        class Dispatcher(dispatch.GlobalOpDispatcher):  # type: ignore[name-defined,misc]
            def handle(self, op: Any, args: Any, kwargs: Any) -> Any:
                return handle(op, args, kwargs)

        Dispatcher().register()
