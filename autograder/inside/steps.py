"""UNTRUSTED GROUND: the same training in fewer trips through Python.

Keras enters Python once a batch. Where nobody looks at single batches it may as well take many
batches in one go (`steps_per_execution`): the same steps in the same order, the same weights to
the last bit, and about half the time for small networks. `speed_up` has it do so, for the calls
of ``fit``, ``evaluate`` and ``predict`` in which it cannot be seen:

* the student did not choose the number, and does not run eagerly;
* the network's steps are Keras's own, and the data are arrays;
* no callback looks at single batches.

The number is set for the length of the call and put back, so that it is in no saved file.
"""

import contextlib
import functools
import inspect

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.utils import python_utils

OWN_STEPS = ("train_step", "test_step", "predict_step", "make_train_function")
OWN_STEPS += ("make_test_function", "make_predict_function", "_make_function")
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


def is_own(model):
    """Whether what happens in a step is what Keras wrote, nothing of the student's."""
    return all(
        name not in vars(model) and getattr(type(model), name) is getattr(TensorFlowTrainer, name)
        for name in OWN_STEPS
    )


def looks_at_batches(callback):
    """Whether a callback, one of Keras's or of the student's, is told of single batches."""
    if type(callback) is keras.callbacks.ModelCheckpoint:
        return callback.save_freq != "epoch"
    return not all(python_utils.is_default(getattr(callback, hook)) for hook in HOOKS)


def may_take_many(model, data, callbacks):
    """Whether taking many batches at once cannot be seen in this call."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        # Validation within fit: it goes the way that fit went.
        return False
    callbacks = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    return (
        model.compiled
        and model.steps_per_execution == 1
        and not model.run_eagerly
        and not tf.config.functions_run_eagerly()
        and isinstance(data, (np.ndarray, tf.Tensor))
        and is_own(model)
        and not any(looks_at_batches(callback) for callback in callbacks if callback is not None)
    )


def steps_to_predict(data, batch_size, steps):
    """How many batches ``predict`` takes at once, of `steps` allowed; 1 where more do not pay."""
    batches = len(data) / (batch_size or 32)
    return min(steps, MOST_STEPS_TO_PREDICT) if batches >= MANY_BATCHES_TO_PREDICT else 1


class Functions:
    """The functions that a network built for taking many batches, until it is compiled anew."""

    def __init__(self, compilation):
        self.compilation = compilation
        self.built = dict.fromkeys(FUNCTIONS)


@contextlib.contextmanager
def taking(model, steps):
    """Have `model` take so many batches at once, and put back what was there."""
    fast = vars(model).get("_m5_functions")
    if fast is None or fast.compilation is not model._compile_config:
        # Kept with the network, so that they go when it goes.
        fast = vars(model)["_m5_functions"] = Functions(model._compile_config)
    slow = {name: getattr(model, name) for name in FUNCTIONS}
    for name in FUNCTIONS:
        setattr(model, name, fast.built[name])
    model.steps_per_execution = steps
    try:
        yield
    finally:
        model.steps_per_execution = 1
        for name in FUNCTIONS:
            fast.built[name] = getattr(model, name)
            setattr(model, name, slow[name])


def wrap(original, steps):
    """One of ``fit``, ``evaluate`` and ``predict``, taking many batches where it may."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def call(*arguments, **options):
        __tracebackhide__ = True
        try:
            given = signature.bind_partial(*arguments, **options).arguments
        except TypeError:
            # A call that Keras will refuse: it shall say so itself.
            given = {}
        model = given.get("self")
        data = given.get("x")
        if model is not None and may_take_many(model, data, given.get("callbacks")):
            many = steps
            if original.__name__ == "predict":
                many = steps_to_predict(data, given.get("batch_size"), steps)
            if many > 1:
                with taking(model, many):
                    return original(*arguments, **options)
        return original(*arguments, **options)

    return call


def speed_up(steps):
    """Change ``fit``, ``evaluate`` and ``predict`` of all networks of this process."""
    for name in ("fit", "evaluate", "predict"):
        setattr(TensorFlowTrainer, name, wrap(getattr(TensorFlowTrainer, name), steps))
