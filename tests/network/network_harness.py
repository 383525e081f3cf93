"""From a Keras model to its rebuilt twin, and the comparison of the two."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
from hypothesis import HealthCheck, settings

from autograder.network.export import NetworkExport, read_export
from autograder.network.rebuild import Network, rebuild
from autograder.sandbox.inside.export import export_network
from autograder.sandbox.inside.retrace import needs_retracing, retrace

MAX_BYTES = 1 << 24

BOUNDED = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For properties that build Keras models: slow, and the first one compiles."""

FUZZ = settings(BOUNDED, max_examples=300)
"""For properties that only read files."""


def randomize(model: Any, seed: int = 0) -> None:
    """Give every weight a random value, so that none is left at the zero or one it began with."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if "int" in weight.dtype:
            continue
        if "variance" in weight.name or "stddev" in weight.name:
            weight.assign(random.uniform(0.2, 2.0, weight.shape))
        else:
            weight.assign(random.normal(0.0, 0.4, weight.shape))
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def images_for(model: Any, seed: int = 0, count: int = 5) -> Any:
    """Random images in the shape that the model asks for."""
    shape = model.input_shape[1:]
    return np.random.default_rng(seed).normal(0.3, 1.0, (count, *shape)).astype(np.float32)


def exported(model: Any, folder: Path | None = None, **options: Any) -> NetworkExport:
    """`model`, written by the untrusted exporter and read back."""
    where = Path(folder or tempfile.mkdtemp())
    try:
        export_network(model, where, chosen_by="the test's model", **options)
        return read_export(where, max_bytes=MAX_BYTES)
    finally:
        if folder is None:
            shutil.rmtree(where)


def followed(model: Any, folder: Path | None = None) -> NetworkExport:
    """`model`, retraced as the box does it, written, and read back.

    Raises
    ------
    Hindrance
        If its code cannot be followed.
    """
    assert needs_retracing(model)
    return exported(model, folder, retraced=retrace(model))


def assert_followed(model: Any, images: Any, *, parameters: int | None = None) -> Network:
    """Assert that what comes of retracing counts and computes as the student's own does."""
    model(images)
    randomize(model)
    expected = np.asarray(model(images, training=False))
    network = rebuild(followed(model))
    assert network.parameters == (parameters or model.count_params())
    np.testing.assert_allclose(network.predict(images), expected, rtol=1e-4, atol=1e-4)
    return network


def assert_agrees(model: Any, *, seed: int = 0, tolerance: float = 1e-4) -> Network:
    """Assert that the rebuilt network counts and computes as Keras does."""
    images = images_for(model, seed)
    if not all(layer.built for layer in model._flatten_layers()):
        model(images)  # a layer as an activation has weights only now
    randomize(model, seed)
    network = rebuild(exported(model))
    expected = np.asarray(model(images, training=False))
    actual = network.predict(images, batch_size=2)
    assert network.parameters == model.count_params()
    assert actual.shape == expected.shape == (len(images), *network.output_shape)
    assert actual.dtype == np.float32
    assert np.isfinite(expected).all(), "the test itself must not overflow"
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    return network
