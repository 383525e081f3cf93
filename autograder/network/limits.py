"""How much computing one network may ask for, checked on shapes alone before any array is made.

Work is counted in multiply-adds of a matrix product, per image. What NumPy does without BLAS is
counted at what it costs in the same time, measured on one core.
"""

from __future__ import annotations

MAX_WORK = 150_000_000
"""Per image. A convolution uses each weight at most once per pixel, so that no network of 110,000
parameters needs more than 110,000 * 28 * 28 = 86 million without enlarging the images. Measuring
takes some 30,000 images: five minutes on one core, at the 15 billion a second that it was seen to
do."""

MAX_ELEMENTS = 4_000_000
"""Numbers per image that all layers together put out or need meanwhile: 16 MB as float32. A plain
convolutional network of 32 and 64 filters needs 0.1 million."""

MAX_BATCH_ELEMENTS = 8_000_000
"""Numbers in memory at a time, 32 MB as float32; batches are cut to fit. Measured: convolutions
are up to twice as fast in batches that a processor's cache holds."""

MAX_STEPS = 2_000
"""Calls of layers, each counted as often as it is used; ResNet50 has 176."""

ELEMENTWISE_WORK = 8
"""For one addition, comparison or copy of an element: bound by memory, not by arithmetic."""

CHEAP_ACTIVATION_WORK = 20
"""For one element of an activation that only compares, adds and multiplies, such as ReLU."""

ACTIVATION_WORK = 100
"""For one element of any other; the dearest is a handful of exponentials and logarithms."""

LOOP_WORK = 30_000
"""For one turn of a Python loop, spread over a batch."""

MAX_CONSTANTS = 4 * 28 * 28
"""Numbers that lists in the layers' settings hold, all layers together: a mean and a variance for
each pixel, twice. They are no parameters by Keras's count, so that more of them would be a way to
carry a network past the budget."""

CONSTANT_KEYS = frozenset({"scale", "offset", "mean", "variance", "value"})
"""Settings that are numbers which the network computes with."""
