"""Layers that slide a window over an image: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograder.network.layer import (
    ELEMENTWISE_WORK,
    LOOP_WORK,
    Array,
    LayerSpec,
    Plan,
    Planner,
    Shape,
    products,
    takes,
    volume,
)
from autograder.network.layers_shape import padded
from autograder.network.layers_units import activation_of, with_bias


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Windows along one axis."""

    size: int
    """Of a window, without the gaps of dilation."""
    stride: int
    dilation: int
    count: int
    """Of windows."""
    margins: tuple[int, int]

    def cells(self, position: int) -> slice:
        """Of the padded input, the cells at that position within each window."""
        start = position * self.dilation
        return slice(start, start + (self.count - 1) * self.stride + 1, self.stride)


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Windows over images of a known size."""

    rows: Axis
    columns: Axis
    padded_cells: int
    """Cells of one image with its margins, and 0 where there are none."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        return self.rows.size, self.columns.size

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns of windows on an image."""
        return self.rows.count, self.columns.count

    @property
    def cells_of_all(self) -> int:
        """Cells of all windows on an image, for one channel."""
        return volume(self.size) * volume(self.places)

    def work(self, channels: int) -> int:
        """To go through the cells of all windows on an image once, cell by cell."""
        return ELEMENTWISE_WORK * self.cells_of_all * channels + LOOP_WORK * volume(self.size)

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """Images with the margins that the windows need."""
        return padded(x, self.rows.margins, self.columns.margins, value)

    def cells(self, x: Array) -> Iterator[tuple[int, int, Array]]:
        """For each position in the window, its cell in all windows of padded images `x`."""
        for i in range(self.rows.size):
            for j in range(self.columns.size):
                yield i, j, x[:, self.rows.cells(i), self.columns.cells(j)]


def windows_of(
    spec: LayerSpec,
    image: Shape,
    size: tuple[int, int],
    strides: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Windows:
    """Windows of `size` cells, with the layer's `padding`, over images of shape `image`."""
    options = ("valid", "same", "causal") if spec.kind == "Conv1D" else ("valid", "same")
    padding = spec.choice("padding", options, default="valid")
    axes = []
    for extent, cells, stride, gap in zip(image, size, strides, dilation, strict=False):
        span = (cells - 1) * gap + 1
        if padding == "causal":
            # No window reaches beyond its own place.
            count, margins = (extent - 1) // stride + 1, (span - 1, 0)
        elif padding == "same":
            # As TensorFlow does: as many windows as strides, and an odd cell at the end.
            count = -(-extent // stride)
            missing = max((count - 1) * stride + span - extent, 0)
            margins = (missing // 2, missing - missing // 2)
        else:
            count, margins = (extent - span) // stride + 1, (0, 0)
        if count < 1:
            raise spec.refusal(
                f"has windows of {size[0]} x {size[1]}, larger than its input of shape {image}. "
                "Use smaller windows, fewer pooling layers before it, or padding='same'"
            )
        axes.append(Axis(size=cells, stride=stride, dilation=gap, count=count, margins=margins))
    rows, columns = axes
    has_margins = any(rows.margins) or any(columns.margins)
    cells = (image[0] + sum(rows.margins)) * (image[1] + sum(columns.margins))
    return Windows(rows=rows, columns=columns, padded_cells=cells if has_margins else 0)


def _windows(spec: LayerSpec, image: Shape) -> Windows:
    strides, dilation = spec.pair("strides", default=1), spec.pair("dilation_rate", default=1)
    return windows_of(spec, image, spec.pair("kernel_size"), strides, dilation)


@takes(LayerSpec.check_image, learns=True)
def plan_conv2d(spec: LayerSpec, image: Shape) -> Plan:
    """``Conv2D``, with strides, dilation and groups."""
    windows = _windows(spec, image)
    filters, groups = spec.integer("filters"), spec.integer("groups", default=1)
    if image[2] % groups or filters % groups:
        raise spec.refusal(f"cannot split {image[2]} channels and {filters} filters by `groups`")
    depth, width = image[2] // groups, filters // groups
    output_shape = (*windows.places, filters)
    activation = activation_of(spec, output_shape)
    sizes = (*windows.size, depth, filters)
    kernel, bias = with_bias(spec, (filters,), ("kernel", sizes), activation=activation)
    # One matrix for each group: from a window's cells to the group's filters.
    matrices = kernel.reshape(-1, groups, width).transpose(1, 0, 2)

    def run(x: Array) -> Array:
        x = windows.pad(x)
        result = np.empty((len(x), *output_shape), np.float32)
        for group in range(groups):
            part = x[..., group * depth : (group + 1) * depth] if groups > 1 else x
            gathered = _gather(part, windows)
            product = gathered.reshape(-1, gathered.shape[-1]) @ matrices[group]
            result[..., group * width : (group + 1) * width] = product.reshape(
                *result.shape[:-1], width
            )
        result += bias
        return result

    return activation.after(
        run,
        products(kernel, output_shape) + groups * windows.work(depth),
        scratch=windows.cells_of_all * depth
        + windows.padded_cells * image[2]
        + 2 * volume(output_shape),
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
        return runs.reshape(n, *windows.places, -1)
    gathered = np.empty((n, *windows.places, *windows.size, channels), np.float32)
    for i, j, cells in windows.cells(x):
        gathered[:, :, :, i, j] = cells
    return gathered.reshape(n, *windows.places, -1)


@takes(LayerSpec.check_image, learns=True)
def plan_depthwise(spec: LayerSpec, image: Shape) -> Plan:
    """``DepthwiseConv2D``: each channel with filters of its own.

    ``SeparableConv2D`` as well, where ``Dense`` on the channels follows.
    """
    windows = _windows(spec, image)
    multiplier, separable = spec.integer("depth_multiplier", default=1), spec.kind.startswith("Sep")
    units = image[2] * multiplier
    filters = spec.integer("filters") if separable else units
    output_shape = (*windows.places, filters)
    activation = activation_of(spec, output_shape)
    kernels: list[tuple[str, Shape]] = [
        ("depthwise kernel" if separable else "kernel", (*windows.size, image[2], multiplier))
    ]
    if separable:
        kernels.append(("pointwise kernel", (1, 1, units, filters)))
    kernel, *pointwise, bias = with_bias(spec, (filters,), *kernels, activation=activation)

    def run(x: Array) -> Array:
        result = np.zeros((len(x), *windows.places, *kernel.shape[2:]), np.float32)
        for i, j, cells in windows.cells(windows.pad(x)):
            result += cells[..., None] * kernel[i, j]
        result = result.reshape(len(x), *windows.places, units)
        return (result @ pointwise[0][0, 0] if pointwise else result) + bias

    return activation.after(
        run,
        windows.work(2 * units) + sum(products(each, output_shape) for each in pointwise),
        scratch=windows.padded_cells * image[2]
        + 2 * volume((*windows.places, units))
        + 2 * separable * volume(output_shape),
    )


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


PLANNERS: dict[str, Planner] = {
    "Conv2D": plan_conv2d,
    "DepthwiseConv2D": plan_depthwise,
    "SeparableConv2D": plan_depthwise,
    "MaxPooling2D": plan_pooling,
    "AveragePooling2D": plan_pooling,
    "GlobalMaxPooling2D": plan_global,
    "GlobalAveragePooling2D": plan_global,
}
