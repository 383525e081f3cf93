"""Layers that multiply by learned weights: ``Dense`` and the convolutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograder.network.layers_activation import Chosen, activation_of
from autograder.network.limits import ELEMENTWISE_WORK, LOOP_WORK
from autograder.network.spec import Array, LayerSpec, Plan, Planner, Shape, volume
from autograder.network.windows import Windows, windows_of


def _split_bias(
    spec: LayerSpec, units: int, activation: Chosen, *kernels: tuple[str, Shape]
) -> tuple[Array, ...]:
    """The layer's kernels, then its bias, which is zero where it has none."""
    biases = (("bias", (units,)),) if spec.flag("use_bias", default=True) else ()
    arrays = spec.weights(*kernels, *biases, *activation.weights)
    return (*arrays[: len(kernels) + len(biases)], np.zeros(units, np.float32))[: len(kernels) + 1]


def plan_dense(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Dense``, along the last axis."""
    shape = spec.only_input(shapes)
    if not shape:
        raise spec.refusal("needs an input with at least one axis besides the batch's")
    units = spec.integer("units")
    activation = activation_of(spec, (*shape[:-1], units))
    kernel, bias = _split_bias(spec, units, activation, ("kernel", (shape[-1], units)))

    def run(inputs: Sequence[Array]) -> Array:
        result = inputs[0] @ kernel
        result += bias
        return activation.run(result)

    return Plan(
        output_shape=activation.output_shape,
        work=volume(shape) * units + activation.work,
        scratch=volume(shape[:-1]) * units,
        run=run,
        activation=activation.name,
    )


def _windows(spec: LayerSpec, image: tuple[int, int, int]) -> Windows:
    strides, dilation = spec.pair("strides", default=1), spec.pair("dilation_rate", default=1)
    return windows_of(spec, image, spec.pair("kernel_size"), strides, dilation)


def plan_conv2d(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``Conv2D``, with strides, dilation and groups."""
    image = spec.image_shape(spec.only_input(shapes))
    windows = _windows(spec, image)
    filters, groups = spec.integer("filters"), spec.integer("groups", default=1)
    if image[2] % groups or filters % groups:
        raise spec.refusal(f"cannot split {image[2]} channels and {filters} filters by `groups`")
    depth = image[2] // groups
    size = (windows.rows.size, windows.columns.size)
    output_shape = (windows.rows.count, windows.columns.count, filters)
    activation = activation_of(spec, output_shape)
    kernel, bias = _split_bias(spec, filters, activation, ("kernel", (*size, depth, filters)))
    # One matrix for each group: from a window's cells to the group's filters.
    matrices = kernel.reshape(-1, groups, filters // groups).transpose(1, 0, 2)

    def run(inputs: Sequence[Array]) -> Array:
        x = windows.pad(inputs[0])
        n, width = len(x), filters // groups
        result = np.empty((n, *output_shape), np.float32)
        for group in range(groups):
            part = x[..., group * depth : (group + 1) * depth] if groups > 1 else x
            gathered = _gather(part, windows)
            product = gathered.reshape(-1, gathered.shape[-1]) @ matrices[group]
            result[..., group * width : (group + 1) * width] = product.reshape(
                *result.shape[:-1], width
            )
        result += bias
        return activation.run(result)

    cells = windows.count * windows.positions * depth
    return Plan(
        output_shape=activation.output_shape,
        work=cells * filters
        + ELEMENTWISE_WORK * cells * groups
        + LOOP_WORK * windows.positions * groups
        + activation.work,
        scratch=cells + windows.padded_cells * image[2] + 2 * volume(output_shape),
        run=run,
        activation=activation.name,
    )


def _gather(x: Array, windows: Windows) -> Array:
    """The cells of each window side by side: (n, rows, columns, cells * channels)."""
    n, height, width, channels = x.shape
    rows, columns = windows.rows, windows.columns
    if rows.dilation == columns.dilation == 1:
        # A row of a window is one run of memory, copied at once: many times faster than by cell.
        runs = sliding_window_view(
            x.reshape(n, height, width * channels), (rows.size, columns.size * channels), (1, 2)
        )[:, :: rows.stride, :: columns.stride * channels]
        runs = runs[:, : rows.count, : columns.count]
        return runs.reshape(n, rows.count, columns.count, -1)
    shape = (n, rows.count, columns.count, rows.size, columns.size, channels)
    gathered = np.empty(shape, np.float32)
    for i, j, cells in windows.cells(x):
        gathered[:, :, :, i, j] = cells
    return gathered.reshape(n, rows.count, columns.count, -1)


def _depthwise(x: Array, kernel: Array, windows: Windows) -> Array:
    """Each channel with filters of its own; `kernel` is (rows, columns, channels, multiplier)."""
    channels, multiplier = kernel.shape[2:]
    shape = (len(x), windows.rows.count, windows.columns.count, channels, multiplier)
    result = np.zeros(shape, np.float32)
    for i, j, cells in windows.cells(windows.pad(x)):
        result += cells[..., None] * kernel[i, j]
    return result.reshape(*shape[:3], channels * multiplier)


def _depthwise_cost(windows: Windows, channels: int, multiplier: int) -> tuple[int, int]:
    """Work and scratch of ``_depthwise`` for one image."""
    products = windows.count * windows.positions * channels * multiplier
    work = 2 * ELEMENTWISE_WORK * products + LOOP_WORK * windows.positions
    return work, windows.padded_cells * channels + 2 * windows.count * channels * multiplier


def plan_depthwise(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``DepthwiseConv2D``."""
    image = spec.image_shape(spec.only_input(shapes))
    windows = _windows(spec, image)
    multiplier = spec.integer("depth_multiplier", default=1)
    size = (windows.rows.size, windows.columns.size)
    units = image[2] * multiplier
    activation = activation_of(spec, (windows.rows.count, windows.columns.count, units))
    kernel, bias = _split_bias(spec, units, activation, ("kernel", (*size, image[2], multiplier)))
    work, scratch = _depthwise_cost(windows, image[2], multiplier)
    return Plan(
        output_shape=activation.output_shape,
        work=work + activation.work,
        scratch=scratch,
        run=lambda inputs: activation.run(_depthwise(inputs[0], kernel, windows) + bias),
        activation=activation.name,
    )


def plan_separable(spec: LayerSpec, shapes: Sequence[Shape]) -> Plan:
    """``SeparableConv2D``: a depthwise convolution, then ``Dense`` on the channels."""
    image = spec.image_shape(spec.only_input(shapes))
    windows = _windows(spec, image)
    multiplier, filters = spec.integer("depth_multiplier", default=1), spec.integer("filters")
    size = (windows.rows.size, windows.columns.size)
    units = image[2] * multiplier
    output_shape = (windows.rows.count, windows.columns.count, filters)
    activation = activation_of(spec, output_shape)
    depthwise, pointwise, bias = _split_bias(
        spec,
        filters,
        activation,
        ("depthwise kernel", (*size, image[2], multiplier)),
        ("pointwise kernel", (1, 1, units, filters)),
    )
    work, scratch = _depthwise_cost(windows, image[2], multiplier)

    def run(inputs: Sequence[Array]) -> Array:
        return activation.run(_depthwise(inputs[0], depthwise, windows) @ pointwise[0, 0] + bias)

    return Plan(
        output_shape=activation.output_shape,
        work=work + windows.count * units * filters + activation.work,
        scratch=scratch + 2 * volume(output_shape),
        run=run,
        activation=activation.name,
    )


PLANNERS: dict[str, Planner] = {
    "Dense": plan_dense,
    "Conv2D": plan_conv2d,
    "DepthwiseConv2D": plan_depthwise,
    "SeparableConv2D": plan_separable,
}
