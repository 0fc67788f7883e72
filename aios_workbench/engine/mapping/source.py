"""What a map goes over, piece by piece: a stored value is one piece, a list stored in parts is many."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aios_workbench.errors import MapFailed
from aios_workbench.workspace import Artifact, Workspace

#: Loaded pieces that are kept: workers are at most a few batches apart.
_KEPT = 3


@dataclass(frozen=True)
class Piece:
    """Consecutive items; `hash` names their bytes."""

    first: int
    items: int
    artifact: Artifact

    @property
    def hash(self) -> str:
        """Name of the bytes."""
        return self.artifact.hash


class Source(Protocol):
    """Where the items come from."""

    @property
    def total(self) -> int | None:
        """How many there are; None while that is not known."""

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces in order; may wait for the next."""

    def load(self, piece: Piece) -> Any:
        """Return a piece's items."""

    def taken(self, items: int) -> None:
        """Hear how many items are done for good."""

    def leave(self) -> None:
        """Hear that nothing more will be read."""


class Loader:
    """Loads pieces, each once for all threads."""

    def __init__(self, ws: Workspace, what: str) -> None:
        self._ws, self._what = ws, what
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, piece: Piece) -> Any:
        """Return a piece's items."""
        with self._lock:
            if piece.hash not in self._kept:
                self._kept[piece.hash] = checked(self._ws.artifacts.get(piece.artifact), self._what)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[piece.hash]


class Stored:
    """A value that is there as a whole."""

    def __init__(self, ws: Workspace, artifact: Artifact, what: str) -> None:
        self._loader = Loader(ws, what)
        self._pieces: list[Piece] = []
        if artifact.kind == "parts":
            first = 0
            for part in ws.artifacts.parts(artifact):
                self._pieces.append(Piece(first, part.items, part.artifact))
                first += part.items
        else:
            whole = Piece(0, 0, artifact)
            self._pieces.append(Piece(0, len(self._loader.load(whole)), artifact))
        self.total: int | None = sum(p.items for p in self._pieces)

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces in order."""
        yield from self._pieces

    def load(self, piece: Piece) -> Any:
        """Return a piece's items."""
        return self._loader.load(piece)

    def taken(self, items: int) -> None:
        """Nobody waits for that."""

    def leave(self) -> None:
        """The same."""


def checked(values: Any, what: str) -> Any:
    """Return what can be cut into batches.

    Raises
    ------
    MapFailed
        For anything else, with what to do.
    """
    kind = type(values)
    root = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    if isinstance(values, (list, tuple, range)) or root in ("pandas.DataFrame", "pandas.Series"):
        return values
    if root == "numpy.ndarray" and values.ndim > 0:
        return values
    advice = "list(x.items())" if isinstance(values, dict) else "a list"
    raise MapFailed(
        f"a map goes over a list, tuple, range, array, series or data frame, but {what} is of type {kind.__name__}; "
        f"give it {advice}"
    )


def cut(values: Any, start: int, stop: int, *, whole: bool) -> Sequence[Any]:
    """Return some of the items: with `whole` as a piece of the same type, else one by one (a row as a dict)."""
    kind = type(values).__name__ if hasattr(values, "iloc") else ""
    if kind:
        rows = values.iloc[start:stop]
        if whole:
            return rows  # type: ignore[no-any-return]
        return rows.to_dict("records") if kind == "DataFrame" else rows.tolist()  # type: ignore[no-any-return]
    part: Sequence[Any] = values[start:stop]
    return list(part) if isinstance(part, range) and whole else part
