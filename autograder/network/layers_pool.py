"""Pooling: the largest or the mean number of a window, or of a whole image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.network.limits import ELEMENTWISE_WORK, LOOP_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume
from autograder.network.windows import Windows, windows_of


def _plan(spec: LayerSpec, shapes: Sequence[Shape]) -> tuple[Windows, Shape, int, int]:
    """Windows, output shape, work and scratch."""
    image = spec.image_shape(spec.only_input(shapes))
    size = spec.pair("pool_size")
    strides = size if spec.config.get("strides") is None else spec.pair("strides")
    windows = windows_of(spec, image, size, strides)
    spec.weights()
    output_shape = (windows.rows.count, windows.columns.count, image[2])
    work = 2 * ELEMENTWISE_WORK * windows.positions * volume(output_shape)
    work += LOOP_WORK * windows.positions
    return windows, output_shape, work, windows.padded_cells * image[2] + volume(output_shape)


def plan_max(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``MaxPooling2D``."""
    windows, output_shape, work, scratch = _plan(spec, shapes)

    def run(inputs: Sequence[Array]) -> Array:
        result = np.full((len(inputs[0]), *output_shape), -np.inf, np.float32)
        for _, _, cells in windows.cells(windows.pad(inputs[0], -np.inf)):
            np.maximum(result, cells, out=result)
        return result

    return Plan(output_shape=output_shape, work=work, scratch=scratch, run=run)


def plan_average(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``AveragePooling2D``; cells of the margin do not count."""
    windows, output_shape, work, scratch = _plan(spec, shapes)

    def total(images: Array) -> Array:
        result = np.zeros((len(images), *output_shape[:2], images.shape[-1]), np.float32)
        for _, _, cells in windows.cells(windows.pad(images)):
            result += cells
        return result

    def run(inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        return total(x) / total(np.ones((1, *x.shape[1:3], 1), np.float32))

    return Plan(output_shape=output_shape, work=2 * work, scratch=scratch, run=run)


def plan_global(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``GlobalMaxPooling2D`` and ``GlobalAveragePooling2D``."""
    image = spec.image_shape(spec.only_input(shapes))
    keep = spec.flag("keepdims", default=False)
    spec.weights()
    is_max = spec.kind.startswith("GlobalMax")

    def run(inputs: Sequence[Array]) -> Array:
        (x,) = inputs
        result: Array = (
            x.max(axis=(1, 2), keepdims=keep) if is_max else x.mean(axis=(1, 2), keepdims=keep)
        )
        return result

    return Plan(
        output_shape=(1, 1, image[2]) if keep else (image[2],),
        work=ELEMENTWISE_WORK * volume(image),
        run=run,
    )


PLANNERS: dict[str, Planner] = {
    "MaxPooling2D": plan_max,
    "AveragePooling2D": plan_average,
    "GlobalMaxPooling2D": plan_global,
    "GlobalAveragePooling2D": plan_global,
}
