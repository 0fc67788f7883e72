"""Frames between a run's process and a step's: a length, then a pickle. Both ends are ours, on pipes of our own."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct("<Q")


def pack(message: Any) -> bytes:
    """Return a message as a frame."""
    blob = pickle.dumps(message, protocol=5)
    return _LENGTH.pack(len(blob)) + blob


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, however often it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_frame(fd: int) -> Any:
    """Wait for one message; None when the other end has gone."""
    head = _exactly(fd, _LENGTH.size)
    if head is None:
        return None
    blob = _exactly(fd, _LENGTH.unpack(head)[0])
    return None if blob is None else pickle.loads(blob)  # noqa: S301 - see the module's docstring


def _exactly(fd: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(fd, min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


class Frames:
    """Takes bytes as they come, gives the messages that are whole."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield what became whole with these bytes."""
        self._waiting += data
        while len(self._waiting) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._waiting)[0]
            if len(self._waiting) < end:
                return
            blob = bytes(self._waiting[_LENGTH.size : end])
            del self._waiting[:end]
            yield pickle.loads(blob)  # noqa: S301 - the same
