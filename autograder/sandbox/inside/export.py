"""UNTRUSTED GROUND: writes a Keras network out as data, in the student's process.

Whatever this writes could as well have been written by the student, so that nothing here is a
check; ``autograder.network.export`` reads it as hostile. It imports nothing of the grader's, and
Keras only through the model that it is given.

The folder then holds ``network.json``, either a record of kind "network" or one of kind
"failure", and with the first a file of all arrays one after the other, little-endian, C order,
without gaps: ``weights.bin``, or ``retraced.bin`` where the network was retraced.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

FORMAT = 1
LIST_LIMIT = 1000
NAME_LIMIT = 200
HINDRANCE_LIMIT = 400
HISTORY_LIMIT = 10_000


def export_network(
    model: Any,
    folder: Any,
    *,
    chosen_by: str,
    history: Any = None,
    retraced: Any = None,
    hindrance: str = "",
    remedy: str = "",
) -> None:
    """Write `model` into `folder`; an odd model is described rather than raised about.

    Parameters
    ----------
    model
        What the notebook left behind as its network; any object at all.
    folder
        An existing folder.
    chosen_by
        Which object this is, in a few words, such as "model variable `model`".
    history
        What ``fit`` returned, or its ``history`` mapping of metric names to values per epoch.
    retraced
        What ``retrace.retrace`` made of `model`: this network is written, and with it the arrays
        that only `model` holds.
    hindrance
        Why it could not be retraced, where it had to be.
    remedy
        What the student can change then.
    """
    folder = Path(folder)
    common = {"format": FORMAT, "chosen_by": _text(chosen_by), "keras_version": _version()}
    try:
        record = _describe(model, folder, history, retraced, hindrance)
        if hindrance:
            record["remedy"] = remedy[:HINDRANCE_LIMIT]
    except Exception as error:
        record = _failure("failed", model, f"{type(error).__name__}: {error}")
    try:
        # Decimal forms of whole numbers are limited in length; so is the depth of nesting.
        text = json.dumps({**common, **record}, allow_nan=False)
    except Exception as error:
        record = _failure("failed", model, f"{type(error).__name__}: {error}")
        text = json.dumps({**common, **record}, allow_nan=False)
    temporary = folder / "network.json.part"
    temporary.write_text(text)  # ASCII: json.dumps escapes the rest
    temporary.replace(folder / "network.json")


def _describe(
    model: Any, folder: Path, history: Any, retraced: Any, hindrance: str
) -> dict[str, Any]:
    if not _is_keras_model(model):
        reason = "legacy_keras" if _root_module(model) == "tf_keras" else "no_network"
        return _failure(reason, model)
    if not getattr(model, "built", False):
        return _failure("not_built", model)
    graph = model if retraced is None else retraced.network
    try:
        network = _serialize(graph)
    except Exception:
        if hindrance:
            # A class whose __init__ takes arguments has no configuration.
            return _failure("subclassed", model, hindrance)
        raise
    if not isinstance(network.get("config"), dict) or "layers" not in network["config"]:
        return _failure("subclassed", model, hindrance)
    name = "weights.bin" if retraced is None else "retraced.bin"
    arrays = _write_arrays(graph, model.weights, folder / name)
    return {
        "kind": "network",
        "network": network,
        "weights": name,
        "hindrance": hindrance[:HINDRANCE_LIMIT],
        "always_training": [] if retraced is None else [*map(_text, retraced.always_training)],
        "compile": _compile(model),
        "history": _history(history),
        "arrays": arrays,
    }


def _failure(reason: str, model: Any, detail: str = "") -> dict[str, Any]:
    try:
        layers = [_text(type(layer).__name__) for layer in list(model.layers)[:LIST_LIMIT]]
    except Exception:
        layers = []
    return {
        "kind": "failure",
        "reason": reason,
        "class_name": _text(type(model).__name__),
        "layers": layers,
        "detail": str(detail)[:HINDRANCE_LIMIT],
    }


def _root_module(model: Any) -> str:
    for cls in type(model).__mro__:
        root = str(getattr(cls, "__module__", "")).split(".")[0]
        if root in ("keras", "tf_keras") and cls.__name__ in ("Model", "Sequential", "Layer"):
            return root
    return ""


def _is_keras_model(model: Any) -> bool:
    return _root_module(model) == "keras" and hasattr(model, "layers")


def _version() -> str:
    return _text(getattr(sys.modules.get("keras"), "__version__", ""))


def _serialize(model: Any) -> dict[str, Any]:
    try:
        full = sys.modules["keras"].saving.serialize_keras_object(model)
    except Exception:
        if type(model).__name__ != "Sequential":
            raise
        # One unserialisable part, such as a partial function as an activation, makes the whole
        # fail; layer by layer, only that one is lost.
        full = {
            "module": type(model).__module__,
            "class_name": type(model).__name__,
            "config": {"layers": [_serialize_layer(layer) for layer in model._layers]},
            "registered_name": None,
        }
    return {
        key: _plain(full.get(key)) for key in ("module", "class_name", "config", "registered_name")
    }


def _serialize_layer(layer: Any) -> Any:
    try:
        return sys.modules["keras"].saving.serialize_keras_object(layer)
    except Exception as error:
        return {
            "module": None,
            "class_name": type(layer).__name__,
            "config": {"name": layer.name, "error": str(error)[:NAME_LIMIT]},
            "registered_name": type(layer).__name__,
        }


def _write_arrays(graph: Any, held: Any, file_path: Path) -> list[dict[str, Any]]:
    """Write the arrays of `graph`, then those of `held` that are not among them, each once."""
    import numpy as np

    entries: list[dict[str, Any]] = []
    written: dict[int, dict[str, Any]] = {}
    offset = 0
    temporary = file_path.with_suffix(".part")
    with temporary.open("wb") as file:
        for path, index, weight in _weights(graph, held):
            entry = {
                "layer": list(path),
                "index": index,
                "name": _text(weight.name),
                "trainable": bool(weight.trainable),
            }
            if id(weight) in written:
                # A layer that is reached by two paths: the same bytes, named twice.
                entry.update(written[id(weight)])
            else:
                values = _little_endian(np, weight)
                place = {
                    "shape": list(values.shape),
                    "dtype": values.dtype.name,
                    "offset": offset,
                    "bytes": values.nbytes,
                }
                file.write(values.tobytes())
                offset += values.nbytes
                written[id(weight)] = place
                entry.update(place)
            entries.append(entry)
    temporary.replace(file_path)
    return entries


def _weights(graph: Any, held: Any) -> Any:
    """(names of layers, index within the layer, weight) of all that is to be written."""
    seen = set()
    for path, layer in _leaves(graph, (), set()):
        for index, weight in enumerate(layer.weights):
            seen.add(id(weight))
            yield path, index, weight
    rest = [weight for weight in held if id(weight) not in seen]
    for index, weight in enumerate(rest):
        yield ("",), index, weight


def _leaves(model: Any, path: tuple[str, ...], seen: set[int]) -> Any:
    """Every layer that is not a network itself, with the names that lead to it."""
    for layer in model.layers:
        here = (*path, str(layer.name))
        if _is_keras_model(layer):
            if id(layer) not in seen:
                yield from _leaves(layer, here, seen | {id(layer)})
        else:
            yield here, layer


def _little_endian(np: Any, weight: Any) -> Any:
    values = np.asarray(weight.numpy() if hasattr(weight, "numpy") else weight)
    if values.dtype.kind not in "iub" and values.dtype.name not in ("float32", "float64"):
        values = values.astype("float32")
    if values.dtype.kind == "b":
        values = values.astype("uint8")
    return np.asarray(values.astype(values.dtype.newbyteorder("<")), order="C")


def _compile(model: Any) -> dict[str, Any] | None:
    try:
        optimizer = model.optimizer
        if optimizer is None:
            return None
        loss = model.loss
        if not isinstance(loss, str):
            loss = getattr(loss, "name", None) or getattr(loss, "__name__", None)
        return {
            "loss": None if loss is None else _text(loss),
            "optimizer": _text(type(optimizer).__name__),
            "learning_rate": _finite(optimizer.learning_rate),
        }
    except Exception:
        return None


def _history(history: Any) -> dict[str, list[float | None]] | None:
    try:
        metrics = getattr(history, "history", history)
        if not isinstance(metrics, dict):
            return None
        return {
            _text(name): [_finite(value) for value in list(values)[-HISTORY_LIMIT:]]
            for name, values in list(metrics.items())[:LIST_LIMIT]
        }
    except Exception:
        return None


def _finite(value: Any) -> float | None:
    """A number that JSON can hold; a loss that became infinite or no number is null."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _plain(value: Any) -> Any:
    """JSON for whatever Keras leaves in a configuration."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        # No infinities in JSON; the reader refuses a word where it expects a number.
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if hasattr(value, "numpy"):
        return _plain(value.numpy())
    return {"class_name": _text(type(value).__name__)}


def _text(value: Any) -> str:
    return str(value)[:NAME_LIMIT]
