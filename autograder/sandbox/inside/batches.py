"""UNTRUSTED GROUND: batches that are put together in the loop which trains on them.

Keras hands each batch through an iterator of TensorFlow's, in a thread of its own, and that takes
as long as a third of a small network's step. Here the iterator hands out *places*: the numbers of
the images for many batches, in the order in which Keras shuffled them. The loop picks the images
at these places itself, so that each step has the very batch that it would have had.

`serve_batches` has Keras do so in calls for which a network's ``steps_per_execution`` is `Many`.
"""

from __future__ import annotations

import contextlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src import tree
from keras.src.backend.tensorflow import trainer
from keras.src.trainers.data_adapters import array_slicing
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

NUMBERS = "biuf"
"""Kinds of NumPy's dtypes that are numbers or truth values."""


class Many(int):
    """How many batches to take at once, where it is not the student who says so."""


class Places(ArrayDataAdapter):  # type: ignore[misc]
    """The same arrays, handed out as places of many batches at once."""

    def __init__(self, adapter: Any, many: int) -> None:
        self.__dict__.update(vars(adapter))
        self.many = many

    def get_tf_dataset(self) -> Any:
        arrays = array_slicing.convert_to_sliceable(self._inputs, target_backend="tensorflow")
        # Keras shuffles the places of all images and then cuts them into batches: into larger
        # ones here, with the same order.
        places = ArrayDataAdapter(
            np.arange(self._num_samples),
            batch_size=self._batch_size * self.many,
            shuffle=self._shuffle,
        )
        return Groups(
            arrays=tree.map_structure(tf.convert_to_tensor, tree.lists_to_tuples(arrays)),
            batch_size=self._batch_size,
            is_even=not self._partial_batch_size,
            places=places.get_tf_dataset(),
        )


class Groups:
    """Stands where a dataset would, one group of batches after another.

    Attributes
    ----------
    arrays
        Images and labels, all of them.
    batch_size, is_even
        Images in a batch, and whether the last batch has as many.
    places
        Dataset of the images' numbers in each group.
    """

    def __init__(self, arrays: Any, batch_size: int, is_even: bool, places: Any) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.is_even = is_even
        self.places = places

    def __iter__(self) -> Any:
        return Groups(self.arrays, self.batch_size, self.is_even, iter(self.places))

    def __next__(self) -> Any:
        group = next(self.places)
        return group[0] if isinstance(group, tuple) else group


class EpochIterator(trainer.TFEpochIterator):  # type: ignore[misc]
    """Keras's own, that has `Places` for arrays wherever `Many` are to be taken."""

    @property
    def data_adapter(self) -> Any:
        return self._adapter

    @data_adapter.setter
    def data_adapter(self, adapter: Any) -> None:
        many = self.steps_per_execution
        if isinstance(many, Many) and many > 1 and can_be_picked(adapter):
            adapter = Places(adapter, many)
        self._adapter = adapter


def can_be_picked(adapter: Any) -> bool:
    """Whether these are arrays of images and labels, in an order that `Places` can give."""
    if type(adapter) is not ArrayDataAdapter or adapter._shuffle == "batch":
        return False
    arrays = tree.flatten(adapter._inputs)
    return len(arrays) > 1 and all(
        isinstance(array, tf.Tensor)
        or (isinstance(array, np.ndarray) and array.dtype.kind in NUMBERS)
        for array in arrays
    )


def function_over_groups(model: Any, step: Any) -> Any:
    """What Keras makes of a network's step, for `Groups` as well as for its own iterators."""
    of_keras = model._make_function(step)
    for cell in of_keras.__closure__:
        do_not_warn(cell.cell_contents)
    loops = {}

    def over_groups(groups: Any) -> Any:
        __tracebackhide__ = True
        places = next(groups)
        specs = tree.map_structure(any_number_of, groups.arrays)
        kind = (str(specs), groups.batch_size, groups.is_even)
        if kind not in loops:
            if step == model.train_step:
                make_variables(model, specs)
            loops[kind] = loop_over(model, of_keras, specs, groups.batch_size, groups.is_even)
        return loops[kind](groups.arrays, places)

    def function(iterator: Any) -> Any:
        __tracebackhide__ = True
        return over_groups(iterator) if isinstance(iterator, Groups) else of_keras(iterator)

    return function


def is_of_libraries(thing: Any) -> bool:
    """Whether a function, a class or an object was written for Keras or TensorFlow."""
    return str(getattr(thing, "__module__", "")).startswith(("keras.", "tensorflow."))


def runs_no_line_of_others(model: Any) -> bool:
    """Whether how often a step is traced cannot be seen: else a ``print`` would tell."""
    compilation = model._compile_config.config
    given = [compilation.get(name) for name in ("loss", "metrics", "weighted_metrics")]
    parts = [*model._flatten_layers(include_self=False), model.optimizer]
    held = [value for part in parts for value in vars(part).values() if callable(value)]
    return all(
        is_of_libraries(thing) and not isinstance(thing, keras.layers.Lambda)
        for thing in (model, *parts, *held, *tree.flatten(given))
        if thing is not None and not isinstance(thing, str)
    )


def make_variables(model: Any, specs: Any) -> None:
    """Have the optimizer and the metrics make their variables before a step is traced.

    Keras makes them in the first trace, after which TensorFlow has to trace the step once more.
    """
    with contextlib.suppress(Exception):  # whatever is wrong, Keras shall say so itself
        # A layer such as PReLU that stands as an activation makes its weights in the first trace.
        is_whole = all(layer.built for layer in model._flatten_layers())
        if not is_whole or not runs_no_line_of_others(model):
            return
        optimizer, metrics = model.optimizer, model._compile_metrics
        if not optimizer.built:
            with keras.name_scope(optimizer.name, caller=optimizer):
                optimizer.build(model.trainable_variables)
            optimizer.built = True
        if metrics is not None and not metrics.built:
            # By their form, labels are told to be numbers of classes or one-hot.
            metrics.build(specs[1], model.outputs)


def do_not_warn(function: Any) -> Any:
    """Have TensorFlow keep to itself that a function is traced for nearly every call of it.

    Keras calls its own so often that nobody is told so. Here a short training is one call or two,
    and whoever trains five networks in a loop would be warned of what is none of their doing.
    """
    if hasattr(function, "_omit_frequent_tracing_warning"):
        function._omit_frequent_tracing_warning = True
    return function


def any_number_of(array: Any) -> Any:
    """The form of an array with so many images or others: a graph serves for all of them."""
    return tf.TensorSpec([None, *array.shape[1:]], array.dtype)


def loop_over(model: Any, of_keras: Any, specs: Any, batch_size: int, is_even: bool) -> Any:
    """The graph that takes one step for each batch of a group."""

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def loop(arrays: Any, places: Any) -> Any:
        def take_step(number: Any) -> Any:
            begin = number * batch_size
            batch = places[begin : begin + batch_size]
            if is_even:
                # As Keras knows it: TensorFlow may compute otherwise with a number unknown.
                batch = tf.ensure_shape(batch, [batch_size])
            # Of an iterator that is not TensorFlow's, Keras takes one batch and then another.
            of_keras([tree.map_structure(lambda array: tf.gather(array, batch), arrays)])
            return (number + 1,)

        count = -(-tf.shape(places)[0] // batch_size)
        tf.while_loop(lambda number: number < count, take_step, [0])
        # What the last step would have returned.
        return model.get_metrics_result()

    places = tf.TensorSpec([None], tf.int64)
    return do_not_warn(tf.function(loop, input_signature=[specs, places]))


def serve_batches() -> None:
    """Let Keras use `Places` from now on, wherever it is asked for `Many`."""
    trainer.TFEpochIterator = EpochIterator
