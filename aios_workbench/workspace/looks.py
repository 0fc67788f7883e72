"""Tables and profiles as Python users hold them: `run["score"].table(…)`."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ParameterError, hint
from aios_workbench.workspace.artifacts import Artifact
from aios_workbench.workspace.home import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.workspace.models import TableProfile, TableQuery

#: "column", "-column", or ("column", "asc" or "desc").
SortBy = str | tuple[str, str]
#: (column, operator, value) or (column, operator).
Condition = Sequence[Any]


class TableView:
    """Rows of a stored table. The page is read when it is made."""

    def __init__(self, ws: Workspace, artifact: Artifact, query: TableQuery, origin: str = "") -> None:
        from aios_workbench.workspace.tables import table

        self._ws, self._artifact, self._query = ws, artifact, query
        self.page = table(ws, artifact, query, origin)

    @property
    def rows(self) -> list[list[Any]]:
        """The rows as they are shown: JSON values."""
        return self.page.rows

    @property
    def columns(self) -> list[str]:
        """The columns' names."""
        return [c.name for c in self.page.columns]

    @property
    def total(self) -> int | None:
        """Rows of the whole table."""
        return self.page.total

    @property
    def matched(self) -> int | None:
        """Rows that the conditions leave."""
        return self.page.matched

    @property
    def sql(self) -> str:
        """The same as a query of the table `output`, for `.sql(…)`."""
        return self.page.sql

    @property
    def code(self) -> str:
        """The Python that gives the same in another notebook."""
        return self.page.code

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a data frame."""
        from aios_workbench.workspace.tables import table_frame

        return table_frame(self._ws, self._artifact, self._query)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        start, page = self.page.offset, self.page
        first = f"rows {start + 1:,} to {start + len(page.rows):,}" if page.rows else "no rows"
        where = f"{first} of {page.matched:,}"
        more = "" if page.matched == page.total else f" that match, {page.total:,} in all"
        return f"<table: {where}{more}>\n{_grid(self.columns, self.rows)}"


class ProfileView:
    """A table summed up, column by column."""

    def __init__(self, profile: TableProfile) -> None:
        self.profile = profile

    @property
    def code(self) -> str:
        """The Python that gives the same in another notebook."""
        return self.profile.code

    def to_frame(self) -> pd.DataFrame:
        """Return one row per column of the table."""
        import pandas as pd

        return pd.DataFrame([_figures(c) for c in self.profile.columns]).set_index("column")

    def __repr__(self) -> str:
        p = self.profile
        sampled = f", figures of a sample of {p.sampled:,}" if p.sampled is not None else ""
        twice = f", {p.duplicates:,} duplicates" if p.duplicates is not None else ""
        head = f"<profile: {p.rows:,} rows, {p.total_columns:,} columns{twice}{sampled}>"
        shown = [_figures(c) for c in p.columns]
        names = ["column", "type", "nulls", "distinct", "min", "0.5", "mean", "max"]
        rows = [[_brief(line.get(n)) for n in names] for line in shown]
        return f"{head}\n{_grid([n.replace('0.5', 'median') for n in names], rows)}"


def table_query(
    sort: Sequence[SortBy] | SortBy, filters: Sequence[Condition], where: str | None,
    columns: Sequence[str] | None, offset: int, limit: int,
) -> TableQuery:  # fmt: skip
    """Return what `StepView.table` was asked as a checked query.

    Raises
    ------
    ParameterError
        When an argument has the wrong form.

    Examples
    --------
    >>> table_query("-amount", [("state", "=", "NY")], None, None, 0, 10).sort
    [Sort(column='amount', descending=True)]
    """
    from pydantic import ValidationError

    from aios_workbench.workspace.models import Operator, TableQuery

    try:
        return TableQuery.model_validate({
            "sort": [_sort(t) for t in _terms(sort)], "filters": [_filter(f) for f in filters], "where": where,
            "columns": None if columns is None else [columns] if isinstance(columns, str) else list(columns),
            "offset": offset, "limit": limit,
        })  # fmt: skip
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        place, near = ".".join(map(str, first["loc"])), ""
        if first["loc"][-1:] == ("op",):
            near = hint(str(first["input"]), Operator.__args__)  # type: ignore[attr-defined]
        raise ParameterError(f"table: {place}: {first['msg']}{near}") from None


def _terms(sort: Any) -> list[Any]:
    """One term or a list of them as a list."""
    one = isinstance(sort, str) or (isinstance(sort, tuple) and sort[1:] in (("asc",), ("desc",)))
    return [sort] if one else list(sort)


def _sort(term: Any) -> dict[str, Any]:
    if isinstance(term, str):
        return {"column": term.removeprefix("-"), "descending": term.startswith("-")}
    if len(term) != 2 or term[1] not in ("asc", "desc"):
        raise ParameterError(f"sort takes 'column', '-column' or ('column', 'desc'), not {term!r}")
    return {"column": term[0], "descending": term[1] == "desc"}


def _filter(given: Any) -> dict[str, Any]:
    if isinstance(given, str) or not 2 <= len(given) <= 3:
        raise ParameterError(
            f"a filter is (column, operator, value), such as ('state', '=', 'NY'), not {given!r}"
        )
    value = given[2] if len(given) == 3 else None
    return {
        "column": given[0],
        "op": given[1],
        "value": list(value) if isinstance(value, (tuple, set)) else value,
    }


def _figures(column: Any) -> dict[str, Any]:
    def figure(value: float | None) -> Any:
        """Middle values of times as times, in the column's zone: their own figures are epoch seconds."""
        if column.kind != "time" or value is None:
            return value
        zone = column.type.partition(", ")[2].rstrip("]")
        with contextlib.suppress(ValueError, OverflowError, OSError, zoneinfo.ZoneInfoNotFoundError):
            at = dt.datetime.fromtimestamp(value, zoneinfo.ZoneInfo(zone) if zone else dt.UTC)
            return at.replace(tzinfo=None).isoformat(timespec="seconds")
        return value

    return {
        "column": column.name, "type": column.type, "kind": column.kind, "nulls": column.nulls,
        "distinct": column.distinct, "distinct_exact": column.distinct_exact, "min": column.min, "max": column.max,
        "mean": figure(column.mean), "std": column.std, "zeros": column.zeros,
        **{q: figure(v) for q, v in column.quantiles.items()},
        "top": column.top[0].value if column.top else None,
    }  # fmt: skip


def _brief(value: Any) -> Any:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value


def _grid(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int = 28, most: int = 12) -> str:
    """Return columns side by side as plain text, the first ones when there are many."""
    cut = [[_short(v, width) for v in line[:most]] for line in (columns, *rows)]
    if len(columns) > most:
        cut = [[*line, "…"] for line in cut]
    wide = [max(len(line[i]) for line in cut) for i in range(len(cut[0]))]
    return "\n".join("  ".join(t.ljust(w) for t, w in zip(line, wide, strict=True)).rstrip() for line in cut)


def _short(value: Any, width: int) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= width else text[: width - 1] + "…"
