"""Reads the network that the box wrote out, believing nothing about it.

The folder was writable by the student's code, so that each file may be anything, of any size.
What it says is measured before it is used, and nothing in it is run, unpickled or imported.

Format, version 1: ``network.json`` describes the layers, names the file of the arrays, and lists
them in the order in which that file holds them, little-endian, C order, one directly after the
other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from autograder.core.config import Record
from autograder.core.errors import OutputTooLarge, UnverifiableModel
from autograder.core.files import NotPlain, TooLarge, opened_folder, read_plain_file
from autograder.core.text import one_line, shown_name
from autograder.network import Compilation, Name
from autograder.network.beside import Claim

DESCRIPTION_NAME = "network.json"
BESIDE = ("",)
"""In place of a layer's path: arrays that the model holds and its graph does not use."""
MAX_DESCRIPTION_BYTES = 4 << 20
"""ResNet50, of 177 layers, takes 0.2 MiB."""
HINDRANCE_LENGTH = 400
MAX_DEPTH = 16
"""Networks within networks; Keras's own applications nest two deep."""
MAX_ARRAYS = 10_000
_Float = Literal["float32", "float64"]
_Int = Literal["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
Sentence = Annotated[str, Meta(max_length=HINDRANCE_LENGTH)]
Size = Annotated[int, Meta(ge=0, le=1 << 40)]
Extent = Annotated[int, Meta(ge=1, le=1 << 31)]


class SerializedLayer(Record, frozen=True):
    """A layer, or a whole network, as ``keras.saving.serialize_keras_object`` writes it."""

    module: Name | None
    class_name: Name
    config: dict[str, Any]
    registered_name: Name | None


class _ArrayEntry(Record, frozen=True):
    layer: Annotated[list[Name], Meta(min_length=1, max_length=MAX_DEPTH)]
    index: Annotated[int, Meta(ge=0, lt=MAX_ARRAYS)]
    name: Name
    shape: Annotated[list[Extent], Meta(max_length=8)]
    dtype: _Float | _Int
    trainable: bool
    offset: Size
    bytes: Size


class _Network(Record, frozen=True, tag_field="kind", tag="network"):
    format: Literal[1]
    chosen_by: Name
    keras_version: Name
    network: SerializedLayer
    compile: Compilation | None
    history: Annotated[dict[Name, list[float | None]], Meta(max_length=1000)] | None
    arrays: Annotated[list[_ArrayEntry], Meta(max_length=MAX_ARRAYS)]
    weights: Literal["weights.bin", "retraced.bin"] = "weights.bin"
    hindrance: Sentence = ""
    remedy: Sentence = ""
    always_training: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()


class _Failure(Record, frozen=True, tag_field="kind", tag="failure"):
    format: Literal[1]
    chosen_by: Name
    keras_version: Name
    reason: Literal["no_network", "legacy_keras", "not_built", "subclassed", "failed"]
    class_name: Name
    layers: Annotated[list[Name], Meta(max_length=1000)]
    detail: Sentence
    remedy: Sentence = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedArray:
    """One weight of one layer."""

    layer: tuple[str, ...]
    """Names of the layers that lead to it, outermost first; the network's own is left out."""
    values: npt.NDArray[Any]
    """Read-only; of any shape; NaN and infinite where training diverged."""
    offset: int
    """Where it lies in the file, in bytes. Arrays at the same place are one shared weight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkExport:
    """A network as it left the box: well-formed, but otherwise as claimed by the student."""

    chosen_by: str
    """Which of the notebook's objects it is, in words."""
    network: SerializedLayer
    compilation: Compilation | None
    history: dict[str, list[float | None]]
    """Values per epoch of each metric; None stands for infinite or no number. Empty if unknown."""
    arrays: tuple[ExportedArray, ...]
    """In the order of the layers, and within a layer in Keras's order of its weights."""
    claims: tuple[Claim, ...] = ()
    """What the notebook gave to its networks, read apart: see `autograder.network.preparation`."""
    hindrance: str = ""
    """Why code of the student's could not be followed, a sentence; empty where it could."""
    remedy: str = ""
    """What to write in place of that code, a sentence."""
    always_training: tuple[str, ...] = ()
    """Layers that the student's code calls as in training, also when it evaluates."""


def read_export(folder: Path, *, max_bytes: int) -> NetworkExport:
    """Read what ``export_network`` left in `folder`.

    Parameters
    ----------
    folder
        May hold anything that the student's code put there.
    max_bytes
        Largest size of the weights that is read, in bytes.

    Raises
    ------
    OutputTooLarge
        If a file is larger than allowed.
    UnverifiableModel
        If no network was saved, it cannot be rebuilt by anyone, or the files are not what the
        exporter writes.
    """
    try:
        with opened_folder(folder) as directory:
            description = _parse(_read(directory, DESCRIPTION_NAME, MAX_DESCRIPTION_BYTES))
            if isinstance(description, _Failure):
                raise _failure(description)
            content = _read(directory, description.weights, max_bytes)
    except OSError as error:
        raise UnverifiableModel(_NOT_SAVED) from error
    return NetworkExport(
        chosen_by=one_line(description.chosen_by, 120),
        network=description.network,
        compilation=description.compile,
        history={shown_name(name): values for name, values in (description.history or {}).items()},
        arrays=_arrays(description.arrays, content),
        hindrance=one_line(description.hindrance, HINDRANCE_LENGTH),
        remedy=one_line(description.remedy, HINDRANCE_LENGTH),
        always_training=tuple(shown_name(name) for name in description.always_training),
    )


_NOT_SAVED = (
    "No network was saved after the last cell. Build and train it in the notebook, and keep it "
    "in a variable named `model`."
)
_GARBLED = (
    "The saved network is damaged, or was not written by the grader's own export: {why}. Do not "
    "write into the grader's folders; restart the kernel, run all cells, and submit again."
)


def _read(folder: int, name: str, limit: int) -> bytes:
    try:
        return read_plain_file(folder, name, max_bytes=limit)
    except FileNotFoundError as error:
        raise UnverifiableModel(_NOT_SAVED) from error
    except NotPlain as error:
        raise UnverifiableModel(_GARBLED.format(why=error)) from error
    except TooLarge as error:
        raise OutputTooLarge(
            f"The saved network takes {error.args[0]:,} bytes ({name}); at most {limit:,} are "
            "read. Use fewer or smaller layers."
        ) from error


def _parse(text: bytes) -> _Network | _Failure:
    try:
        return msgspec.json.decode(text, type=_Network | _Failure)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = f"{DESCRIPTION_NAME} is not as expected ({one_line(str(error), 120)})"
        raise UnverifiableModel(_GARBLED.format(why=why)) from error


_STANDARD = "Build it as keras.Sequential([...]) or functionally, from Keras's own layers."
_FAILURES = {
    "no_network": f"What the notebook has as its network ({{kind}}) is no Keras model. {_STANDARD}",
    "legacy_keras": "The network ({kind}) is made with the old tf_keras package. Import Keras by "
    "`from tensorflow import keras`, and nothing from tf_keras.",
    "not_built": "The network ({kind}) has no weights yet. Begin it with "
    "keras.Input(shape=(28, 28)), and call model.fit(...).",
    "subclassed": "The network is an object of a class of your own, {kind}{layers}, and the grader "
    f"could not follow what its call method does. {_STANDARD}",
    "failed": f"The network ({{kind}}) could not be saved: {{detail}}. {_STANDARD}",
}


def _failure(failure: _Failure) -> UnverifiableModel:
    if failure.reason == "subclassed" and failure.detail:
        return UnverifiableModel(
            one_line(failure.detail, HINDRANCE_LENGTH),
            next_step=one_line(failure.remedy, HINDRANCE_LENGTH),
        )
    layers = ", ".join(dict.fromkeys(shown_name(name) for name in failure.layers[:20]))
    return UnverifiableModel(
        _FAILURES[failure.reason].format(
            kind=shown_name(failure.class_name),
            layers=f" (layers: {layers})" if layers else "",
            detail=one_line(failure.detail, 120),
        )
    )


def _arrays(entries: list[_ArrayEntry], content: bytes) -> tuple[ExportedArray, ...]:
    arrays = []
    places: dict[int, tuple[list[int], str]] = {}
    lengths: dict[tuple[str, ...], int] = {}
    end = 0
    for entry in entries:
        layer, place = tuple(entry.layer), (entry.shape, entry.dtype)
        dtype, count = np.dtype(entry.dtype).newbyteorder("<"), math.prod(entry.shape)
        # Python's integers do not overflow; and nothing is allocated before this holds.
        if entry.index != lengths.get(layer, 0) or entry.bytes != count * dtype.itemsize:
            raise UnverifiableModel(_GARBLED.format(why="an array's place or size is wrong"))
        lengths[layer] = entry.index + 1
        if entry.offset == end:
            end += entry.bytes
            places[entry.offset] = place
        elif places.get(entry.offset) != place:
            # Arrays follow each other, or are wholly the same (a layer used in two places).
            raise UnverifiableModel(_GARBLED.format(why="its arrays overlap or leave gaps"))
        if end > len(content):
            raise UnverifiableModel(_GARBLED.format(why="the file of weights is too short"))
        values = np.frombuffer(content, dtype, count, entry.offset).reshape(entry.shape)
        arrays.append(ExportedArray(layer=layer, values=values, offset=entry.offset))
    if end != len(content):
        raise UnverifiableModel(_GARBLED.format(why="the file of weights is too long"))
    return tuple(arrays)
