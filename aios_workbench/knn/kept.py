"""What a tuning is about, in files: the vectors it searches and the queries it asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aios_workbench.errors import NotFoundError, ParameterError
from aios_workbench.knn.models import Metric
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aios_workbench.knn.vectors import Vectors

#: Queries of the search, at least and at most; there are as many more to verify with.
_LEAST, _MOST = 500, 2000


@dataclass(frozen=True)
class Asked:
    """The queries of a tuning.

    Attributes
    ----------
    queries : ndarray
        (m, inner) float32.
    rows : ndarray
        Which rows of the vectors they are; empty when they were given.
    tuning : int
        So many, the first, are the search's; the others verify.
    path : Path
        A .npy file of the vectors to search: without `rows`.
    """

    queries: NDArray[np.float32]
    rows: NDArray[np.int64]
    tuning: int
    path: Path

    def row(self, query: int) -> int | None:
        """Return which row of the vectors a query is, None when it is none."""
        return int(self.rows[query]) if len(self.rows) else None

    def keep(self, folder: Path) -> Path:
        """Write the queries; return their file."""
        import numpy as np

        np.save(folder / "queries.npy", self.queries)
        np.save(folder / "rows.npy", self.rows)
        about = {"tuning": self.tuning, "path": str(self.path)}
        (folder / "asked.json").write_text(json.dumps(about), encoding="utf-8")
        return folder / "queries.npy"

    @classmethod
    def reopen(cls, folder: Path) -> Self:
        """Read what `keep` wrote.

        Raises
        ------
        NotFoundError
            When it is gone.
        """
        import numpy as np

        try:
            about = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
            queries, rows = (np.load(folder / name) for name in ("queries.npy", "rows.npy"))
        except OSError as e:
            raise NotFoundError(
                f"the queries of tuning {folder.name} are gone ({e}); call tune() again with its vectors"
            ) from e
        return cls(queries, rows, about["tuning"], Path(about["path"]))


def prepare(source: Any, ws: Workspace, *, metric: Metric, seed: int, **given: Any) -> Vectors:
    """Return vectors made ready, in the workspace's own folder; `given` goes to `open_vectors`.

    Raises
    ------
    ParameterError
        When vectors that are ready come with what was to be said when they were opened.
    """
    from aios_workbench.knn.vectors import Vectors, open_vectors

    if not isinstance(source, Vectors):
        return open_vectors(source, folder=ws.root / "knn" / "vectors", metric=metric, seed=seed, **given)
    late = [name for name, value in given.items() if value is not None and name != "embed"]
    if late:
        raise ParameterError(f"these vectors are opened already; give {', '.join(late)} to open_vectors()")
    return source


def ask(vectors: Vectors, k: int, seed: int, recall: float = 0.95) -> Asked:
    """Return the queries to tune and to verify with, in random order; without given ones rows are held out."""
    import numpy as np

    from aios_workbench.knn.recall import queries_needed

    vectors.check_k(k)
    most = 2 * min(max(_LEAST, queries_needed(recall)), _MOST)
    if vectors.queries is None:
        most = min(most, vectors.n - int(k))
    sample = vectors.sample_queries(most, seed)
    count = len(sample.queries)
    # held out rows come sorted: their first half would be the first half of the data
    order = np.random.default_rng(seed).permutation(count)
    rows = sample.rows[order] if len(sample.rows) else sample.rows
    return Asked(np.ascontiguousarray(sample.queries[order]), rows, -(-count // 2), Path(sample.path))


def describe(vectors: Vectors, folder: Path) -> dict[str, Any]:
    """Write what is known of vectors beside their file into a folder; return what `reopen` needs."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"ids": pa.array(vectors.ids)}
    if vectors.lengths is not None:
        columns["lengths"] = np.asarray(vectors.lengths)
    pq.write_table(pa.table(columns), folder / "beside.parquet")
    if vectors.metadata is not None:
        pq.write_table(vectors.metadata, folder / "metadata.parquet")
    return {
        "folder": str(folder), "path": str(vectors.path), "space": vectors.space.to_dict(), "n": vectors.n,
        "fingerprint": vectors.fingerprint, "source": vectors.source, "repairs": vectors.repairs,
        "text_column": vectors.text_column, "queries_given": vectors.queries is not None,
    }  # fmt: skip


def reopen(about: dict[str, Any]) -> Vectors:
    """Return vectors that `describe` wrote down.

    Raises
    ------
    NotFoundError
        When their files are gone.
    """
    import numpy as np
    import pyarrow.parquet as pq

    from aios_workbench.knn.space import Space
    from aios_workbench.knn.vectors import Vectors

    folder, path = Path(about["folder"]), Path(about["path"])
    try:
        path.stat()
        beside = pq.read_table(folder / "beside.parquet")
        table = folder / "metadata.parquet"
        metadata = pq.read_table(table) if table.exists() else None
    except OSError as e:
        raise NotFoundError(
            f"the vectors of tuning {folder.name} are gone ({e}); call tune() again with them, it goes on from what is "
            "measured"
        ) from e
    ids = beside.column("ids").to_numpy()
    lengths = beside.column("lengths").to_numpy() if "lengths" in beside.column_names else None
    return Vectors(
        path=path, space=Space.from_dict(about["space"]), n=about["n"], fingerprint=about["fingerprint"],
        source=about["source"], ids=ids, metadata=metadata, repairs=about["repairs"],
        lengths=None if lengths is None else lengths.astype(np.float32), text_column=about["text_column"],
        queries=np.load(folder / "queries.npy") if about["queries_given"] else None,
    )  # fmt: skip
