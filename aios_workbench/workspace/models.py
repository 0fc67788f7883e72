"""What can be asked of a stored value, and what comes back: pages of a table, its profile, a picture.

One definition for Python, the kernel's widget and the server: `widgets.protocol` hands these on to TypeScript.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from aios_workbench._wire import Message

#: How a value is compared; `is_null` and `not_null` take none.
Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "in", "between", "is_null", "not_null"
]


class Column(Message):
    """A column of a table."""

    name: str
    type: str


class Sort(Message):
    """Order by a column; nulls come last either way."""

    column: str
    descending: bool = False


class Filter(Message):
    """A condition on a column. `value` is a list for `in` and `between`, where null leaves one side open.

    `contains` and `starts_with` take no notice of upper and lower case. Times are ISO texts, without an offset
    meant in the column's own zone, or epoch seconds. NaN counts as null; null meets no condition but `is_null`.
    """

    column: str
    op: Operator
    value: Any = None


class TableQuery(Message):
    """Which part of a table, in which order; conditions are joined by "and"."""

    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    sort: Annotated[list[Sort], Field(max_length=20)] = []
    filters: Annotated[list[Filter], Field(max_length=50)] = []
    where: Annotated[str, Field(max_length=5000)] | None = None
    columns: list[str] | None = None


class TablePage(Message):
    """Rows of a table. `total` counts all rows, `matched` those the filters leave."""

    columns: list[Column] = []
    rows: list[list[Any]] = []
    offset: int = 0
    total: int | None = None
    matched: int | None = None
    truncated: bool = False
    sql: str = ""
    code: str = ""
    seconds: float = 0.0


class Histogram(Message):
    """Counts between edges, one edge more than counts; over times the edges are epoch seconds."""

    edges: list[float] = []
    counts: list[int] = []


class Frequent(Message):
    """A value and how often it occurs."""

    value: Any
    count: int


class ColumnProfile(Message):
    """One column summed up. Numbers and times have figures and a histogram, everything else has `top`.

    NaN counts as null. `infinite` values are in `min` and `max` only.
    """

    name: str
    type: str
    kind: Literal["number", "time", "boolean", "text", "other"] = "other"
    rows: int = 0
    nulls: int = 0
    distinct: int | None = None
    distinct_exact: bool = True
    min: Any = None
    max: Any = None
    mean: float | None = None
    std: float | None = None
    quantiles: dict[str, float] = {}
    quantiles_exact: bool = True
    infinite: int = 0
    zeros: int | None = None
    histogram: Histogram | None = None
    top: list[Frequent] = []


class TableProfile(Message):
    """Columns of a table summed up, of `total_columns`; `sampled` tells how many rows were looked at when not all."""

    rows: int = 0
    bytes: int = 0
    duplicates: int | None = None
    sampled: int | None = None
    total_columns: int = 0
    columns: list[ColumnProfile] = []
    seconds: float = 0.0
    code: str = ""


class Media(Message):
    """A value as a picture or a document; `data` is base64 for PNG, JPEG, GIF and WebP, text for all others.

    SVG must only be shown as ``<img src="data:…">``. ``application/vnd.aios.model+json`` is a model:
    ``{class, parameters {name: text}, fitted [{name, type, shape, value}], features, feature_names, steps}``.
    Plotly and Vega-Lite figures come as their JSON.
    """

    mime: str
    data: str
    width: int | None = None
    height: int | None = None
    note: str = ""
