"""UNTRUSTED GROUND: sees the first batches of a dataset or a generator pass on their way.

Nothing is asked of either that Keras does not ask: what it takes goes through a function here,
which looks at the first batches and hands all of them on as they are.
"""

from __future__ import annotations

import contextlib
import functools
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

ENOUGH_ROWS = 128
MOST_BATCHES = 16

py_datasets: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()
"""Each ``keras.utils.PyDataset`` that a network was given, and what to call with its batches."""


def passing(x: Any, note: Callable[[Any], None]) -> Any:
    """`x`, or what stands in its place where it is a dataset or a generator.

    Parameters
    ----------
    note
        Called with the images that passed so far, an array, until there are `ENOUGH_ROWS`.
    """
    look = looker(note)
    with contextlib.suppress(Exception):  # whatever is wrong with it, Keras shall say so itself
        if isinstance(x, types.GeneratorType):
            return through_generator(x, look)
        if isinstance(x, tf.data.Dataset):
            return through_dataset(x, look)
        if isinstance(x, keras.utils.PyDataset):
            py_datasets[x] = look
    return x


def looker(note: Callable[[Any], None]) -> Any:
    """What to call with each batch: ``(images, labels)``, or images alone."""
    seen: list[Any] = []

    def look(batch: Any) -> None:
        with contextlib.suppress(Exception):
            if sum(len(batch) for batch in seen) < ENOUGH_ROWS and len(seen) < MOST_BATCHES:
                images = batch[0] if isinstance(batch, (tuple, list)) else batch
                seen.append(np.array(images))
                note(np.concatenate(seen))

    return look


def through_generator(generator: Any, look: Callable[[Any], None]) -> Iterator[Any]:
    """The batches of a generator, one when one is asked for."""
    __tracebackhide__ = True
    for batch in generator:
        look(batch)
        yield batch


def through_dataset(dataset: Any, look: Callable[[Any], None]) -> Any:
    """A dataset of the same batches."""

    def see(images: Any) -> Any:
        look(images)
        return np.int32(0)

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def pass_on(number: Any, batch: Any) -> Any:
        images = batch[0] if isinstance(batch, tuple) else batch
        seen = tf.cond(
            number < MOST_BATCHES,
            lambda: tf.numpy_function(see, [images], tf.int32),
            lambda: tf.constant(0),
        )
        with tf.control_dependencies([seen]):
            return tf.nest.map_structure(tf.identity, batch)

    watched = dataset.enumerate().map(pass_on)
    return watched if watched.element_spec == dataset.element_spec else dataset


def watch_py_datasets() -> None:
    """Look at the batches of `py_datasets` when Keras has taken them."""
    original = PyDatasetAdapter._standardize_batch

    @functools.wraps(original)
    def standardize(self: Any, batch: Any) -> Any:
        __tracebackhide__ = True
        with contextlib.suppress(Exception):
            look = py_datasets.get(self.py_dataset)
            if look is not None:
                look(batch)
        return original(self, batch)

    PyDatasetAdapter._standardize_batch = standardize
