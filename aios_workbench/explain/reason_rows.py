"""Rows to be given reasons, a chunk at a time: of a frame, or of a Parquet file larger than memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ExplainInputError, NotFoundError, hint

if TYPE_CHECKING:
    import pandas as pd


class Source:
    """Rows, a chunk at a time."""

    def __init__(self, path: Path | None, frame: pd.DataFrame | None, chunk: int) -> None:
        self.path, self.frame, self.chunk = path, frame, chunk

    @classmethod
    def of(cls, rows: Any, keep: Sequence[str], chunk: int) -> Source:
        """Look at the rows.

        Raises
        ------
        NotFoundError, ExplainInputError
            When there is no such file, or a column to be kept is not in it.
        """
        from aios_workbench.explain.space import as_frame

        if isinstance(rows, (str, Path)) and str(rows).lower().endswith((".parquet", ".pq")):
            import pyarrow as pa
            from pyarrow import parquet

            path = Path(rows).expanduser()
            if not path.is_file():
                raise NotFoundError(f"there is no file {path}; check the path")
            try:
                known = parquet.read_schema(path).names
            except (pa.ArrowInvalid, OSError) as e:
                raise ExplainInputError(f"{path} is no Parquet file ({e}); write it again") from e
            source = cls(path, None, chunk)
        else:
            frame = as_frame(rows)
            known, source = [str(c) for c in frame.columns], cls(None, frame, chunk)
        for name in keep:
            if name not in known:
                raise ExplainInputError(f"the rows have no column {name!r}{hint(str(name), known)}")
        return source

    @property
    def rows(self) -> int:
        """How many there are."""
        from pyarrow import parquet

        if self.path is None:
            return 0 if self.frame is None else len(self.frame)
        return int(parquet.read_metadata(self.path).num_rows)

    def beside(self) -> Path:
        """Return where the reasons of a file go by themselves."""
        path = self.path or Path("rows.parquet")
        return path.with_name(path.stem + ".reasons.parquet")

    def key(self) -> list[Any]:
        """Return what changes when the rows do."""
        import pandas as pd

        if self.path is not None:
            state = self.path.stat()
            return [str(self.path.resolve()), state.st_size, state.st_mtime_ns]
        frame = self.frame if self.frame is not None else pd.DataFrame()
        try:
            digest = hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        except TypeError:  # a column of lists, say
            digest = hashlib.sha256(frame.to_json().encode())
        return [len(frame), digest.hexdigest()]

    def parts(self, skip: Callable[[int], bool] = lambda _: False) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield each chunk with the position of its first row, but those to be skipped."""
        if self.path is None:
            frame = self.frame
            for at in range(0, 0 if frame is None else len(frame), self.chunk):
                if not skip(at) and frame is not None:
                    yield at, frame.iloc[at : at + self.chunk]
            return
        from pyarrow import parquet

        at = 0
        with parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=self.chunk):
                if not skip(at):
                    yield at, batch.to_pandas()
                at += len(batch)
