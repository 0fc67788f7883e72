"""Views of a run's steps: what `run["score"]` returns."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from aios_workbench.engine import control
from aios_workbench.engine.mapping.letters import DeadLetters
from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.looks import Condition, ProfileView, SortBy, TableView, table_query
from aios_workbench.workspace.sql import query_output

if TYPE_CHECKING:
    import pandas as pd


class StepError(str):
    """An error as text; `print(run["score"].error)` shows the notebook's own traceback."""

    __slots__ = ("message", "traceback", "type")

    type: str
    message: str
    traceback: str

    def __new__(cls, data: Mapping[str, Any]) -> Self:
        """Read what `failures.describe` wrote."""
        error = super().__new__(cls, data.get("traceback") or f"{data.get('type')}: {data.get('message')}")
        error.type = str(data.get("type"))
        error.message = str(data.get("message"))
        error.traceback = str(data.get("traceback") or "")
        return error

    def __repr__(self) -> str:
        return f"<{self.type}: {self.message}>"


class StepView:
    """One step of a run: `run["score"]`."""

    def __init__(self, ws: Workspace, run_id: str, step: str) -> None:
        self._ws, self.run_id, self.name = ws, run_id, step

    def _row(self) -> dict[str, Any]:
        self._ws.catalog.flush()
        row = self._ws.catalog.one(
            "select * from steps where run_id = :r and step = :s", r=self.run_id, s=self.name
        )
        if row is None:
            raise NotFoundError(f"run {self.run_id} has no step '{self.name}'")
        return row

    @property
    def status(self) -> str:
        """pending, running, retrying, waiting, succeeded, failed, skipped or cancelled."""
        return str(self._row()["status"])

    @property
    def output(self) -> Any:
        """The value the step returned, loaded from the workspace.

        Raises
        ------
        ConflictError
            When it has none (yet).
        """
        return self._ws.artifacts.get(self._artifact())

    @property
    def kept(self) -> Any:
        """What the step kept beside its output, such as what its gate found; None where it kept nothing.

        It is there when the step failed, too.
        """
        kept = self._row()["kept"]
        return None if kept is None else self._ws.artifacts.get(self._ws.artifacts.find(kept))

    @property
    def inputs(self) -> dict[str, Any]:
        """The values it was called with, by parameter name."""
        store = self._ws.artifacts
        return {name: store.get(store.find(h)) for name, h in json.loads(self._row()["inputs"]).items()}

    @property
    def logs(self) -> str:
        """What it printed and logged, over all attempts."""
        return "\n".join(r["text"] for r in control.logs(self._ws, self.run_id, self.name, limit=100_000))

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Each attempt with number, kind, status, start, end, error, what was decided and the process that made it."""
        return control.attempts(self._ws, self.run_id, self.name)

    @property
    def dead_letters(self) -> DeadLetters:
        """Items of a map that failed for good, each with item, type, reason, traceback, attempts, value and status.

        `.to_frame()` is a data frame, `.input(n)` the item itself, `.drop()` settles those nobody will do again;
        `run.redrive("step")` does them again.
        """
        self._row()
        return DeadLetters(self._ws, self.run_id, self.name)

    @property
    def iterations(self) -> list[dict[str, Any]]:
        """Each iteration of a loop with number, state (`output`), `met`, attempts, start and end."""
        self._ws.catalog.flush()
        rows = self._ws.catalog.query(
            "select iteration, output, met, attempts, started_at, ended_at from loop_iterations "
            "where run_id = :r and step = :s order by iteration", r=self.run_id, s=self.name,
        )  # fmt: skip
        store = self._ws.artifacts
        return [
            {**row, "output": store.get(store.find(row["output"])), "met": bool(row["met"])} for row in rows
        ]

    @property
    def duration(self) -> float | None:
        """Seconds from the first attempt's start to the end, or until now."""
        row = self._row()
        if row["started_at"] is None:
            return None
        return max(0.0, float((row["ended_at"] or time.time()) - row["started_at"]))

    @property
    def cached(self) -> bool:
        """True when the output came from an earlier run."""
        return bool(self._row()["cached"])

    @property
    def answered_by(self) -> str | None:
        """The fallback that answered, if one did."""
        answered: str | None = self._row()["answered_by"]
        return answered

    @property
    def message(self) -> str | None:
        """A few words on how it went: which fallback answered and why, why it was skipped, or its own progress."""
        said: str | None = self._row()["message"]
        return said

    @property
    def error(self) -> StepError | None:
        """What went wrong, with the traceback through the notebook's own cells."""
        error = self._row()["error"]
        return StepError(json.loads(error)) if error else None

    def sql(self, query: str) -> pd.DataFrame:
        """Query the step's data frame or array, as table `output`, with DuckDB, without loading it.

        Raises
        ------
        ConflictError
            When the output is not a table.
        """
        return query_output(self._ws, self._artifact(), query)

    def table(
        self, *, sort: Sequence[SortBy] | SortBy = (), filters: Sequence[Condition] = (), where: str | None = None,
        columns: Sequence[str] | None = None, offset: int = 0, limit: int = 50,
    ) -> TableView:  # fmt: skip
        """Return rows of the step's data frame or array without loading it.

        Parameters
        ----------
        sort : str, (str, "asc" or "desc"), or a list of these
            Columns to order by; a name that starts with "-" is descending.
        filters : list of (column, operator, value)
            Operators as in `aios_workbench.workspace.models.Filter`; `is_null` and `not_null` take no value.
        where : str, optional
            A condition in SQL.
        columns : list of str, optional
            Which, and in which order.
        limit : int
            At most 500.

        Returns
        -------
        TableView
            With `.to_frame()`, `.total`, `.matched`, `.sql`.

        Raises
        ------
        ConflictError
            When there is no output, or it is not a table.
        ParameterError
            When a column is unknown or a condition wrong.
        """
        query = table_query(sort, filters, where, columns, offset, limit)
        return TableView(self._ws, self._artifact(), query, self._code)

    def profile(self, columns: Sequence[str] | None = None) -> ProfileView:
        """Sum up the columns of the step's data frame or array without loading it; `.to_frame()` is the table."""
        from aios_workbench.workspace.tables import profile

        return ProfileView(profile(self._ws, self._artifact(), columns, self._code))

    def preview(self, offset: int = 0, limit: int = 50) -> dict[str, Any]:
        """Return a look at the output, whatever it is, as a JSON-able dict."""
        from aios_workbench.workspace.preview import preview

        return preview(self._ws, self._artifact(), offset, limit)

    @property
    def _code(self) -> str:
        return f"aios.run({self.run_id!r})[{self.name!r}]"

    def _artifact(self) -> Artifact:
        row = self._row()
        if row["output"] is None:
            raise ConflictError(
                f"step '{self.name}' of run {self.run_id} has no output: it is {row['status']}"
            )
        return self._ws.artifacts.find(row["output"])

    def __repr__(self) -> str:
        row = self._row()
        return f"<step {self.name!r}: {row['status']}{', cached' if row['cached'] else ''}>"
