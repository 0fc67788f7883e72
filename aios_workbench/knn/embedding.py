"""Texts made vectors by a function of the user's, each text once: what was made is kept beside the vectors."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError
from aios_workbench.knn.fingerprint import text_key
from aios_workbench.knn.rows import as_rows, check_numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Texts given to the function at a time.
BATCH = 256
_ASKED = 500  # keys in one statement
_CLOSE = 1e-3  # a model on another machine, or in other batches, rounds a little differently


class Embedder:
    """A function from texts to vectors, with a memory.

    Texts seen before are not embedded again, in this process or another. Whether the function is still the same
    cannot be read off it (a model may hide behind a global name), so a known text is embedded again first: when its
    vector has changed, everything kept of the function is dropped.

    Parameters
    ----------
    embed : callable
        Takes a list of texts, returns one vector for each: an array, a tensor or lists.
    folder : Path
        Where vectors are kept; shared by all functions.
    batch : int
        Texts at a time.

    Examples
    --------
    >>> import tempfile
    >>> def lengths(texts):
    ...     print("asked for", len(texts))
    ...     return [[len(t), t.count("a")] for t in texts]
    >>> folder = Path(tempfile.mkdtemp())
    >>> Embedder(lengths, folder)(["banana", "fig", "fig"]).tolist()
    asked for 2
    [[6.0, 3.0], [3.0, 0.0], [3.0, 0.0]]
    >>> Embedder(lengths, folder)(["fig", "pear"]).tolist()  # one known text to see that nothing changed, one new
    asked for 1
    asked for 1
    [[3.0, 0.0], [4.0, 1.0]]
    """

    def __init__(self, embed: Callable[[list[str]], Any], folder: Path, *, batch: int = BATCH) -> None:
        if not callable(embed):
            raise KnnInputError(
                f"embed is {type(embed).__name__}; give a function from a list of texts to their vectors, such as "
                "model.encode"
            )
        self.name = name_of(embed)
        self.made = self.known = 0
        self.notes: list[str] = []
        self._embed, self._batch = embed, batch
        self._checked = False
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        self._path = folder / f"{re.sub('[^A-Za-z0-9_.-]', '_', self.name)[:60]}-{digest}.sqlite"

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of texts, (n, d).

        Raises
        ------
        KnnInputError
            When the function fails or returns something else than one vector of numbers for each text. What it made
            before is kept.
        """
        import numpy as np

        keys = [text_key(t) for t in texts]
        first = dict(
            zip(reversed(keys), reversed(range(len(keys))), strict=True)
        )  # of equal texts, the first
        with closing(self._open()) as con:
            found = self._read(con, first)
            if found and not self._checked:
                found = self._still_the_same(con, found, {k: texts[i] for k, i in first.items()})
            self._checked = True
            self.known += len(found)
            todo = sorted(i for k, i in first.items() if k not in found)
            for start in range(0, len(todo), self._batch):
                rows = todo[start : start + self._batch]
                vectors = self._ask([texts[i] for i in rows])
                self._write(con, [keys[i] for i in rows], vectors)
                found |= {keys[i]: v for i, v in zip(rows, vectors, strict=True)}
                self.made += len(rows)
        sizes = {len(v) for v in found.values()}
        if len(sizes) > 1:
            raise KnnInputError(
                f"{self.name} returned vectors of {' and of '.join(map(str, sorted(sizes)))} dimensions; it must "
                "always return the same"
            )
        return np.stack([found[k] for k in keys]) if keys else np.zeros((0, 0), np.float32)

    def _ask(self, texts: list[str]) -> npt.NDArray[np.float32]:
        import numpy as np

        shown = f"{len(texts)} texts, the first of which is {texts[0][:60]!r}"
        try:
            made = self._embed(texts)
        except Exception as e:
            raise KnnInputError(
                f"{self.name} failed on {shown}: {type(e).__name__}: {e}. What it made before is kept: calling again "
                "goes on from there"
            ) from e
        made = made.detach().cpu().numpy() if hasattr(made, "detach") else made
        rows = as_rows(made, f"vectors of {self.name}")
        if len(rows) != len(texts) or np.ndim(made) == 1 < len(texts):
            raise KnnInputError(
                f"{self.name} returned an array of the shape {np.shape(made)} for {shown}; it must return one vector "
                "for each text"
            )
        check_numbers(rows, what=f"{self.name}, asked for {shown}")
        return np.ascontiguousarray(rows, np.float32)

    def _still_the_same(
        self, con: sqlite3.Connection, found: dict[bytes, npt.NDArray[np.float32]], texts: dict[bytes, str]
    ) -> dict[bytes, npt.NDArray[np.float32]]:
        import numpy as np

        key = next(iter(found))
        now, then = self._ask([texts[key]])[0], found[key]
        if now.shape == then.shape and np.linalg.norm(now - then) <= _CLOSE * max(
            float(np.linalg.norm(then)), 1e-9
        ):
            return found
        con.execute("delete from vectors")
        con.commit()
        self.notes.append(
            f"{self.name} embeds a known text differently than before: all texts are embedded anew"
        )
        return {}

    def _open(self) -> sqlite3.Connection:
        con = sqlite3.connect(self._path, timeout=60)
        try:
            con.execute("pragma journal_mode = wal")
            con.execute(
                "create table if not exists vectors (key blob primary key, vector blob) without rowid"
            )
        except sqlite3.DatabaseError:  # a cache that cannot be read is worth nothing
            con.close()
            self._path.unlink(missing_ok=True)
            con = sqlite3.connect(self._path, timeout=60)
            con.execute("create table vectors (key blob primary key, vector blob) without rowid")
        return con

    @staticmethod
    def _read(con: sqlite3.Connection, keys: Iterable[bytes]) -> dict[bytes, npt.NDArray[np.float32]]:
        import numpy as np

        asked = list(keys)
        found: dict[bytes, npt.NDArray[np.float32]] = {}
        for start in range(0, len(asked), _ASKED):
            part = asked[start : start + _ASKED]
            marks = ",".join("?" * len(part))
            rows = con.execute(f"select key, vector from vectors where key in ({marks})", part)  # noqa: S608
            found |= {key: np.frombuffer(data, "<f4") for key, data in rows}
        return found

    @staticmethod
    def _write(con: sqlite3.Connection, keys: list[bytes], vectors: npt.NDArray[np.float32]) -> None:
        rows = [(k, v.astype("<f4").tobytes()) for k, v in zip(keys, vectors, strict=True)]
        with con:
            con.executemany("insert or replace into vectors values (?, ?)", rows)


def name_of(embed: Any) -> str:
    """Return what a function is called, with the model behind a method where that says its name."""
    owner = getattr(embed, "__self__", embed)
    name = getattr(embed, "__qualname__", type(embed).__qualname__)
    module = getattr(embed, "__module__", None) or type(owner).__module__
    for attribute in ("version", "model_name", "name_or_path"):
        said = getattr(owner, attribute, None)
        if isinstance(said, str) and said:
            return f"{module}.{name} ({said})"
    return f"{module}.{name}"
