"""Which vectors these are: the same numbers give the same name, whatever container or batches they came in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

#: Changes with what is hashed, so that a newer version never takes an older one's measurements for its own.
_SCHEME = b"aios-knn-1"


class Fingerprint:
    """A running SHA-256 over rows of numbers, taken as little-endian float32.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6, dtype=np.float64).reshape(3, 2)
    >>> whole, parts = Fingerprint("l2"), Fingerprint("l2")
    >>> whole.add(x)
    >>> parts.add(x[:1].astype(np.float32)); parts.add(x[1:])
    >>> whole.name() == parts.name() != Fingerprint("cosine").name()
    True
    """

    def __init__(self, *words: str) -> None:
        self._hash = hashlib.sha256(_SCHEME)
        self._rows = self._width = 0
        for word in words:
            self._word(word)

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Take in rows, (n, d)."""
        import numpy as np

        self._rows, self._width = self._rows + len(rows), rows.shape[1]
        self._hash.update(np.ascontiguousarray(rows, "<f4").data)

    def name(self, *words: str) -> str:
        """Return the fingerprint so far, with what else tells two problems apart; 64 hexadecimal digits."""
        end = self._hash.copy()
        for word in (str(self._rows), str(self._width), *words):
            end.update(_framed(word))
        return end.hexdigest()

    def _word(self, word: str) -> None:
        self._hash.update(_framed(word))


def fingerprint(*arrays: npt.NDArray[Any], words: tuple[str, ...] = ()) -> str:
    """Return the name of some arrays of rows, such as vectors and queries, and of words, such as the metric."""
    return hashlib.sha256(
        b"".join(_framed(part) for part in (*words, *(_one(a) for a in arrays)))
    ).hexdigest()


def text_key(text: str) -> bytes:
    """Return 16 bytes that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _one(array: npt.NDArray[Any]) -> str:
    made = Fingerprint()
    made.add(array)
    return made.name()


def _framed(word: str) -> bytes:
    """Return a word with its length before it: ("ab", "c") is not ("a", "bc")."""
    data = word.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8, "little") + data
