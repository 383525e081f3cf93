"""Digits as small pictures, to be put into pages."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_8_BIT = bytes([8, 0, 0, 0, 0])
"""Bits a pixel, colour type, and the only compression, filtering and order without interlacing."""


def png(image: NDArray[np.uint8]) -> bytes:
    """A digit as a PNG (ISO/IEC 15948): dark ink on white paper.

    Parameters
    ----------
    image
        Of shape (height, width), 0 (paper) to 255 (ink), as MNIST has it.
    """
    height, width = image.shape
    lines: NDArray[Any] = np.zeros((height, width + 1), dtype=np.uint8)
    lines[:, 1:] = 255 - image  # each line begins with 0: not filtered
    return SIGNATURE + b"".join(
        _chunk(kind, content)
        for kind, content in (
            (b"IHDR", struct.pack(">II", width, height) + GREY_8_BIT),
            (b"IDAT", zlib.compress(lines.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def png_text(image: NDArray[np.uint8]) -> str:
    """The same in base64, for JSON and for data addresses."""
    return base64.b64encode(png(image)).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
