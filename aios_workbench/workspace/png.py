"""Arrays of pixels as PNG, with nothing but zlib."""

from __future__ import annotations

import struct
import zlib
from typing import Any

_SIDE = 1024


def pixels(array: Any) -> Any | None:
    """Return an array's pixels (height, width, 1 | 3 | 4) as bytes when it looks like a picture, else None.

    A picture is H x W, H x W x 1, H x W x 3 or H x W x 4 of bytes or booleans, or with channels, of floats between
    0 and 1. Pictures beyond 1,024 pixels a side are thinned out to that.

    Examples
    --------
    >>> import numpy as np
    >>> pixels(np.zeros((4, 6, 3), "uint8")).shape, pixels(np.zeros((4, 6, 5)))
    ((4, 6, 3), None)
    """
    import numpy as np

    if (
        array.ndim not in (2, 3)
        or min(array.shape[:2]) < 1
        or (array.ndim == 3 and array.shape[2] not in (1, 3, 4))
    ):
        return None
    if array.dtype not in (np.uint8, np.bool_) and (array.dtype.kind != "f" or array.ndim == 2):
        return None
    step = max(1, -(-max(array.shape[:2]) // _SIDE))
    small = np.asarray(array[::step, ::step])
    small = small if small.ndim == 3 else small[:, :, None]
    if small.dtype.kind == "f":
        if not np.isfinite(small).all() or small.min() < 0 or small.max() > 1:
            return None
        return (small * 255).round().astype(np.uint8)
    return small.astype(np.uint8) * (255 if small.dtype == np.bool_ else 1)


def png(image: Any) -> bytes:
    """Return pixels (height, width, channels) of bytes as a PNG file.

    Examples
    --------
    >>> import numpy as np
    >>> png(np.zeros((2, 2, 3), "uint8"))[1:4]
    b'PNG'
    """
    import numpy as np

    height, width, channels = image.shape
    colour = {1: 0, 3: 2, 4: 6}[channels]
    lines = np.zeros((height, 1 + width * channels), np.uint8)  # each line starts with its filter: none
    lines[:, 1:] = image.reshape(height, width * channels)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    )
