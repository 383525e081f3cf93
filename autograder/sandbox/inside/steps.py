"""UNTRUSTED GROUND: the same training in fewer trips through Python.

Keras enters Python once a batch. Where nobody looks at single batches it may as well take many
batches in one go (`steps_per_execution`): the same steps in the same order, the same weights to
the last bit, and about half the time for small networks. `speed_up` has it do so, for the calls
of ``fit``, ``evaluate`` and ``predict`` in which it cannot be seen:

* the student did not choose the number, nor how many batches there are, and does not run eagerly;
* the network's steps and metrics are Keras's own, and the data are arrays;
* no callback looks at single batches.

The number is set for the length of the call and put back, so that it is in no saved file. How the
batches then come to the network is in batches.py.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import runpy
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.utils import python_utils

BATCHES = runpy.run_path(os.path.join(os.path.dirname(__file__), "batches.py"))
Many = BATCHES["Many"]

OWN_STEPS = (
    *("train_step", "test_step", "predict_step", "make_train_function"),
    *("make_test_function", "make_predict_function", "_make_function"),
    *("compute_metrics", "get_metrics_result"),
)
NUMBERS_OF_BATCHES = ("steps_per_epoch", "validation_steps", "steps")
FUNCTIONS = ("train_function", "test_function", "predict_function")
HOOKS = [
    f"on_{kind}batch_{end}"
    for kind in ("", "train_", "test_", "predict_")
    for end in ("begin", "end")
]

# Keras writes every one of predict's steps into the graph: with 50 of them the graph of a small
# network took 1.2 s to build, more than the 313 trips that the test images need without.
MANY_BATCHES_TO_PREDICT = 1000
MOST_STEPS_TO_PREDICT = 10


def is_own(model: Any) -> bool:
    """Whether what happens in a step is what Keras wrote, nothing of the student's."""
    compiled = model._compile_metrics
    metrics = [compiled._user_metrics, compiled._user_weighted_metrics] if compiled else []
    return all(
        name not in vars(model) and getattr(type(model), name) is getattr(TensorFlowTrainer, name)
        for name in OWN_STEPS
    ) and all(
        type(metric).__module__.startswith("keras.src.")
        for metric in [*model.metrics, *keras.tree.flatten(metrics)]
        if isinstance(metric, keras.Metric)
    )


def looks_at_batches(callback: Any) -> bool:
    """Whether a callback, one of Keras's or of the student's, is told of single batches."""
    if type(callback) is keras.callbacks.ModelCheckpoint:
        return bool(callback.save_freq != "epoch")
    return not all(python_utils.is_default(getattr(callback, hook)) for hook in HOOKS)


def may_take_many(model: Any, given: dict[str, Any]) -> Any:
    """Whether taking many batches at once cannot be seen in this call, by what it is given."""
    callbacks = given.get("callbacks")
    callbacks = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    return (
        not model.run_eagerly
        and not tf.config.functions_run_eagerly()
        and not tf.distribute.has_strategy()
        and model._distribute_strategy is None
        and isinstance(given.get("x"), (np.ndarray, tf.Tensor))
        # The last group would go beyond that number.
        and all(given.get(name) is None for name in NUMBERS_OF_BATCHES)
        and is_own(model)
        and not any(looks_at_batches(callback) for callback in callbacks if callback is not None)
    )


def steps_for(name: str, model: Any, given: dict[str, Any], steps: int) -> Any:
    """How many batches to take at once in a call; None to leave the number as it is."""
    if not model.compiled or isinstance(given.get("callbacks"), keras.callbacks.CallbackList):
        # Not compiled, Keras will refuse. The list is Keras's own in a validation within fit,
        # which goes the way that fit went.
        return None
    if model.steps_per_execution != 1 and not isinstance(model.steps_per_execution, Many):
        return None
    if not may_take_many(model, given):
        return 1
    if name == "predict":
        batches = len(given["x"]) / (given.get("batch_size") or 32)
        steps = min(steps, MOST_STEPS_TO_PREDICT) if batches >= MANY_BATCHES_TO_PREDICT else 1
    return Many(steps)


class Functions:
    """The functions that a network built, by the number of batches, until it is compiled anew."""

    def __init__(self, model: Any) -> None:
        self.compilation = model._compile_config
        self.built: dict[int, list[Any]] = {}

    def bring(self, model: Any, steps: int) -> None:
        """Have `model` take so many batches at once."""
        self.built[model.steps_per_execution] = [getattr(model, name) for name in FUNCTIONS]
        if steps not in self.built:
            train, test = (
                BATCHES["function_over_groups"](model, step)
                for step in (model.train_step, model.test_step)
            )
            self.built[steps] = [train, test, None] if steps > 1 else [None] * 3
        for name, function in zip(FUNCTIONS, self.built[steps], strict=True):
            setattr(model, name, function)
        model.steps_per_execution = steps


@contextlib.contextmanager
def taking(model: Any, steps: int) -> Iterator[Any]:
    """Have `model` take so many batches at once, and put back what was there."""
    kept = vars(model).get("_m5_functions")
    if kept is None or kept.compilation is not model._compile_config:
        # Kept with the network, so that they go when it goes.
        kept = vars(model)["_m5_functions"] = Functions(model)
    before = model.steps_per_execution
    kept.bring(model, steps)
    try:
        yield
    finally:
        if kept.compilation is model._compile_config:
            kept.bring(model, before)


def wrap(original: Callable[..., Any], steps: int) -> Any:
    """One of ``fit``, ``evaluate`` and ``predict``, taking many batches where it may."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        try:
            given = signature.bind_partial(*arguments, **options).arguments
        except TypeError:
            # A call that Keras will refuse: it shall say so itself.
            given = {}
        model = given.get("self")
        many = None if model is None else steps_for(original.__name__, model, given, steps)
        if model is None or many is None or many == model.steps_per_execution:
            return original(*arguments, **options)
        with taking(model, many):
            return original(*arguments, **options)

    return call


def speed_up(steps: int) -> None:
    """Change ``fit``, ``evaluate`` and ``predict`` of all networks of this process."""
    BATCHES["serve_batches"]()
    for name in ("fit", "evaluate", "predict"):
        setattr(TensorFlowTrainer, name, wrap(getattr(TensorFlowTrainer, name), steps))
