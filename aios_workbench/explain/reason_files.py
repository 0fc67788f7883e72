"""A file of reasons in the making: in parts that outlive whatever ends the work, then in one piece.

Rows are explained in chunks. Each chunk is a file of its own beside the result until all are there, so that the next
call goes on where this one ended; then the chunks become one Parquet file in one step.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench._util import write_whole
from aios_workbench._wire import Message
from aios_workbench.errors import ExplainError, NotFoundError
from aios_workbench.explain.models import Column, Stopped
from aios_workbench.explain.reason_rows import Source
from aios_workbench.explain.reason_words import Words
from aios_workbench.explain.telling import Told

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.explanation import Explainer

    Floats = npt.NDArray[np.float64]


class Reasons(Message):
    """A file of reason codes: so many `rows` of it were explained; it is there once `stopped` is ``"done"``.

    `resumed` rows were there from an earlier call that was stopped.
    """

    path: str
    rows: int
    top: int
    output: str
    stopped: Stopped = "done"
    resumed: int = 0
    seconds: float = 0.0

    def to_frame(self) -> pd.DataFrame:
        """Read the file.

        Raises
        ------
        NotFoundError
            When it is not there, or not yet.
        """
        import pandas as pd

        if not Path(self.path).is_file():
            raise NotFoundError(
                f"{self.path} is not there yet ({self.rows:,} rows were explained); call reason_codes again to go on"
            )
        return pd.read_parquet(self.path)

    def __repr__(self) -> str:
        went = {"done": "", "budget": ", out of time: call again to go on",
                "cancelled": ", stopped: call again to go on", "tolerance": ""}[self.stopped]  # fmt: skip
        return f"<Reasons {self.path}: {self.rows:,} rows{went}>"

    __str__ = __repr__


class Run:
    """One file of reasons in the making."""

    def __init__(
        self, live: Explainer, source: Source, out: Path, key: str, teller: Words, place: int, told: Told,
        seconds: float | None, keep: list[str],
    ) -> None:  # fmt: skip
        self.live, self.source, self.out, self.key, self.teller = live, source, out, key, teller
        self.place, self.told, self.seconds, self.keep = place, told, seconds, keep
        self.folder = out.with_name(f".{out.name}.parts")

    def go(self) -> Reasons:
        """Explain what is not explained yet, and make one file of it all.

        Raises
        ------
        ExplainError
            When a file cannot be written.
        """
        began, total = time.monotonic(), self.source.rows
        self._open()
        there = self._there()
        made = Reasons(
            path=str(self.out), rows=sum(there.values()), top=self.teller.top, output=self.teller.output,
            resumed=sum(there.values()),
        )  # fmt: skip
        try:
            for at, frame in self.source.parts(there.__contains__):
                if self._over(began, made):
                    break
                self.told(made.rows / max(total, 1), f"{made.rows:,} of {total:,} rows have their reasons")
                phi, predictions = values_of(self.live, frame, self.place, self.told)
                if len(phi) < len(frame):  # stopped on the way: the next call does this chunk again
                    made.stopped = "cancelled"
                    break
                self._put(at, self.teller.table(phi, predictions, frame, at, self.keep))
                made.rows += len(frame)
        except KeyboardInterrupt:
            made.stopped = "cancelled"
        if made.stopped == "done":
            self._join()
            self.told(1.0, f"{made.rows:,} rows have their reasons")
        made.seconds = time.monotonic() - began
        return made

    def _over(self, began: float, made: Reasons) -> bool:
        if self.told.cancelled():
            made.stopped = "cancelled"
        elif self.seconds is not None and time.monotonic() - began > self.seconds:
            made.stopped = "budget"
        return made.stopped != "done"

    def _open(self) -> None:
        state = self.folder / "of.txt"
        if self.folder.is_dir() and (not state.is_file() or state.read_text() != self.key):
            shutil.rmtree(self.folder)  # of other rows, another model or other options
        write_whole(state, self.key, ExplainError)

    def _there(self) -> dict[int, int]:
        import pyarrow as pa
        from pyarrow import parquet

        found = {}
        for path in self.folder.glob("*.parquet"):
            try:
                found[int(path.stem)] = int(parquet.read_metadata(path).num_rows)
            except (pa.ArrowInvalid, ValueError, OSError):
                path.unlink()
        return found

    def _put(self, at: int, table: pd.DataFrame) -> None:
        held = io.BytesIO()
        table.to_parquet(held, index=False)
        write_whole(self.folder / f"{at:012d}.parquet", held.getvalue(), ExplainError)

    def _join(self) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        parts = sorted(self.folder.glob("*.parquet"))
        temporary = self.out.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            if parts:
                # columns kept from the rows may be all null in one part and text in the next
                schema = pa.unify_schemas(
                    [parquet.read_schema(p) for p in parts], promote_options="permissive"
                )
                with parquet.ParquetWriter(temporary, schema) as writer:
                    for part in parts:
                        writer.write_table(parquet.read_table(part).cast(schema))
            else:
                empty = self.teller.table(
                    np.empty((0, len(self.teller.columns))), np.empty(0), _nothing(self.teller.columns), 0
                )
                empty.to_parquet(temporary, index=False)
            temporary.replace(self.out)
        except OSError as e:
            raise ExplainError(
                f"{self.out} cannot be written: {e.strerror or e}; the rows that are explained are kept: free some "
                "space and call reason_codes again"
            ) from e
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def values_of(live: Explainer, frame: pd.DataFrame, place: int, told: Told | None) -> tuple[Floats, Floats]:
    """Return contributions (n, M) and predictions (n,) of one output; of fewer rows where it was stopped."""
    from aios_workbench.explain import shap_running
    from aios_workbench.explain.live import Live

    if isinstance(live, Live):
        found = shap_running.run(live, live.space.frame(frame), told or Told(progress=False), None)
        lost = np.flatnonzero(~np.isfinite(found.values).all(axis=(1, 2)))
        n = int(lost[0]) if len(lost) else len(found.values)
        return found.values[:n, :, place], found.predictions[:n, place]
    arrays = live.again(frame, lime=False).arrays
    return arrays.values[:, :, place], arrays.predictions[:, place]


def _nothing(columns: Sequence[Column]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({c.name: [] for c in columns})
