"""Windows that slide over images: what convolution and pooling share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.network.layers_shape import padded
from autograder.network.spec import Array, LayerSpec


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
    def positions(self) -> int:
        """Cells within a window."""
        return self.rows.size * self.columns.size

    @property
    def count(self) -> int:
        """Windows on an image."""
        return self.rows.count * self.columns.count

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
    image: tuple[int, int, int],
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
