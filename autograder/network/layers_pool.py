"""Pooling: the largest or the mean number of a window, or of a whole image. And layers in 1D.

Convolution and pooling along one axis are the same as on images of a single row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograder.network import layers_dense, layers_shape
from autograder.network.layer import Array, LayerSpec, Plan, Planner, Shape, takes, volume
from autograder.network.layers_activation import activation_of
from autograder.network.layers_dense import windows_of


@takes(LayerSpec.check_image)
def plan_pooling(spec: LayerSpec, image: Shape) -> Plan:
    """``MaxPooling2D`` and ``AveragePooling2D``, in which cells of the margin do not count."""
    size = spec.pair("pool_size")
    strides = size if spec.config.get("strides") is None else spec.pair("strides")
    windows = windows_of(spec, image, size, strides)
    output_shape = (*windows.places, image[2])
    is_max = spec.kind.startswith("Max")

    def largest(x: Array) -> Array:
        result = np.full((len(x), *output_shape), -np.inf, np.float32)
        for _, _, cells in windows.cells(windows.pad(x, -np.inf)):
            np.maximum(result, cells, out=result)
        return result

    def total(x: Array) -> Array:
        result = np.zeros((len(x), *windows.places, x.shape[-1]), np.float32)
        for _, _, cells in windows.cells(windows.pad(x)):
            result += cells
        return result

    def mean(x: Array) -> Array:
        return total(x) / total(np.ones((1, *x.shape[1:3], 1), np.float32))

    return Plan(
        output_shape=output_shape,
        work=(1 if is_max else 2) * windows.work(2 * image[2]),
        scratch=windows.padded_cells * image[2] + volume(output_shape),
        run=lambda inputs: (largest if is_max else mean)(inputs[0]),
    )


@takes(LayerSpec.check_image)
def plan_global(spec: LayerSpec, image: Shape) -> Plan:
    """``GlobalMaxPooling2D`` and ``GlobalAveragePooling2D``."""
    keep = spec.flag("keepdims", default=False)
    is_max = spec.kind.startswith("GlobalMax")

    def run(x: Array) -> Array:
        return np.asarray((x.max if is_max else x.mean)(axis=(1, 2), keepdims=keep))

    return Plan.by_element((1, 1, image[2]) if keep else (image[2],), run, over=image)


_ALONG_THE_AXIS = ("kernel_size", "strides", "dilation_rate", "pool_size")


def _on_one_row(planner: Planner) -> Planner:
    """Plan a layer on sequences of shape (steps, channels) by `planner`, which takes images."""

    def plan(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
        shape = spec.only_input(shapes)
        spec.check_sequence(shape, "channels")
        spec.check_channels_last()
        config = dict(spec.config)
        for key in _ALONG_THE_AXIS:
            if config.get(key) is not None:
                config[key] = [1, *spec.integers(key, low=1)]
        for key in ("padding", "cropping"):
            if not isinstance(config.get(key, ""), str):
                config[key] = [[0, 0], config[key]]
        learned = 0
        if config.get("activation") is not None:
            # Planned apart: it may name axes, and they are the sequence's.
            learned = len(activation_of(spec, (*shape[:1], 2)).weights)
            config["activation"] = None
        own = spec.arrays[: len(spec.arrays) - learned]
        arrays = tuple(array[None] if array.ndim == 3 else array for array in own)
        row = planner(replace(spec, config=config, arrays=arrays), [(1, *shape)])
        # Global pooling without keepdims leaves the channels alone.
        keeps_row = len(row.output_shape) == 3
        activation = activation_of(spec, row.output_shape[keeps_row:])
        replace(spec, arrays=spec.arrays[len(own) :]).weights(*activation.weights)

        def run(x: Array) -> Array:
            result = row.run([x[:, None]])
            return result[:, 0] if keeps_row else result

        whole = activation.after(run, row.work, scratch=row.scratch)
        return whole if "activation" in spec.config else replace(whole, activation=None)

    return plan


_ON_IMAGES: dict[str, Planner] = {
    "MaxPooling2D": plan_pooling,
    "AveragePooling2D": plan_pooling,
    "GlobalMaxPooling2D": plan_global,
    "GlobalAveragePooling2D": plan_global,
}
_IN_ONE_DIMENSION = {
    **{k: v for k, v in layers_dense.PLANNERS.items() if k.endswith("2D")},
    **{k: layers_shape.PLANNERS[k] for k in ("ZeroPadding2D", "Cropping2D")},
    **_ON_IMAGES,
}
PLANNERS: dict[str, Planner] = {
    **_ON_IMAGES,
    **{k.replace("2D", "1D"): _on_one_row(plan) for k, plan in _IN_ONE_DIMENSION.items()},
}
