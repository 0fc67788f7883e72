"""How the columns are to be counted: chosen once, from the reference, and kept with it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from aios_workbench._wire import Message
from aios_workbench.drift.kinds import SAMPLE, ColumnRole, infer
from aios_workbench.drift.models import Kind, Role
from aios_workbench.drift.tables import MOST_ATOMS, MOST_VALUES, Floats, Grid
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.sources import Source

#: A value with a larger share of the rows than this is an atom: ten times what a fair bin holds.
ATOM_SHARE = 0.005
#: And no fewer rows: a plan is stored, and tells no value that few have.
LEAST_ATOM = 10
#: A column with more different values in the sample is counted in cells at once.
FEW_VALUES = 2_000


class ColumnPlan(Message):
    """How one column is counted: numbers on `grid`, one by one while `by_value`."""

    kind: Kind
    role: Role = "feature"
    type: str
    grid: Grid | None = None
    by_value: bool = False


class Plan(Message):
    """How a data set is counted; two sides counted on one plan can be compared."""

    columns: dict[str, ColumnPlan]
    time: str | None = None
    #: With which rare values are hidden in stored profiles, so that profiles on one plan still add up.
    key: str = Field(default_factory=lambda: secrets.token_hex(16))

    def like(self, other: Plan) -> bool:
        """True when counts on both plans can be put side by side."""
        both = self.columns.keys() & other.columns.keys()
        return all(
            (self.columns[c].kind, self.columns[c].grid) == (other.columns[c].kind, other.columns[c].grid)
            for c in both
        )

    def role(self, role: Role) -> list[str]:
        """Return the columns that have a role.

        Examples
        --------
        >>> Plan(columns={"y": ColumnPlan(kind="boolean", role="target", type="BOOLEAN")}).role("target")
        ['y']
        """
        return [n for n, c in self.columns.items() if c.role == role]


def plan(
    source: Source, roles: Mapping[str, ColumnRole] | None = None, *, sample: pd.DataFrame | None = None,
    time: str | None = None, seed: int = 0, columns: Sequence[str] | None = None, **infer_options: Any,
) -> Plan:  # fmt: skip
    """Choose how to count the columns of the reference, from a sample of it.

    The grid of a number is centred on its median and as wide as the middle four fifths of its values; values with more
    than half a percent of the rows become atoms, cells of their own.

    Parameters
    ----------
    roles : mapping, optional
        What `infer` said; else it is asked, with `infer_options`.
    sample : DataFrame, optional
        Rows of the source, where some were drawn already.
    time : str, optional
        The column that says when; else the only datetime column.

    Raises
    ------
    DriftInputError
        When a column is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from aios_workbench.drift.sources import open_source
    >>> plan(open_source(pd.DataFrame({"x": [0.0] * 50 + [1.5, 2.5, 3.5] * 20}))).columns["x"].grid.atoms
    (0.0, 1.5, 2.5, 3.5)
    """
    if sample is None:
        sample = source.sample(SAMPLE, seed, columns=columns if roles is None and columns else None)
    if roles is None:
        roles = infer(source, columns=columns, sample=sample, **infer_options)
    small = source.rows <= MOST_VALUES  # then every figure can be exact
    found = {
        name: _column(role, source.columns[name], sample[name], small=small) for name, role in roles.items()
    }
    if time is not None:
        type_ = source.only([time])[time]
        if type_ != "DATE" and not type_.startswith("TIMESTAMP"):
            raise DriftInputError(
                f"time={time!r} is a column of {type_}, not of dates or times; convert it, or name another"
            )
    else:
        times = [n for n, c in found.items() if c.kind == "datetime"]
        time = times[0] if len(times) == 1 else None
    return Plan(columns=found, time=time)


def _column(role: ColumnRole, type_: str, values: pd.Series[Any], *, small: bool) -> ColumnPlan:
    made = ColumnPlan(kind=role.kind, role=role.role, type=type_)
    if role.kind == "text":
        texts = values.dropna().astype(str)
        made.grid = grid_of(np.asarray(texts.str.len(), np.float64))
    elif role.kind == "embedding":
        made.grid = grid_of(np.array([_norm(v) for v in values if v is not None], np.float64))
    elif role.kind == "numeric":
        numbers = floats(values)
        made.grid = grid_of(numbers)
        made.by_value = small or len(np.unique(numbers)) <= FEW_VALUES
    return made


def _norm(value: Any) -> float:
    try:
        return float(np.linalg.norm(np.asarray(value, np.float64)))
    except (TypeError, ValueError):
        return math.nan


def floats(values: pd.Series[Any]) -> Floats:
    """Return the finite numbers of a column, of any type; times of day and durations in seconds."""
    import pandas as pd

    values = values.dropna()
    if values.dtype.kind == "m":
        values = values.dt.total_seconds()
    elif values.dtype == object:
        values = pd.Series([_seconds(v) for v in values], dtype=float)
    else:
        values = pd.to_numeric(values, errors="coerce")
    found: Floats = np.asarray(values.to_numpy(np.float64, na_value=np.nan), np.float64)
    return found[np.isfinite(found)]


def _seconds(value: Any) -> float:
    if hasattr(value, "hour"):
        return float(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    if hasattr(value, "total_seconds"):
        return float(value.total_seconds())
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def grid_of(x: Floats) -> Grid:
    """Choose a grid for numbers of which `x` is a sample.

    Examples
    --------
    >>> grid_of(np.arange(1000.0)).centre
    503.75
    """
    x = x[np.isfinite(x)]
    if not len(x):
        return Grid(0.0, 1.0)
    values, counts = np.unique(x, return_counts=True)
    many = counts >= max(ATOM_SHARE * len(x), LEAST_ATOM)
    order = np.argsort(-counts[many], kind="stable")[:MOST_ATOMS]
    atoms = np.sort(values[many][order]) + 0.0
    # what lies between the atoms is what needs fine cells
    rest = x[~np.isin(x, atoms)]
    rest = rest if len(rest) >= 0.01 * len(x) and len(rest) > 1 else x
    low, centre, high = (float(v) for v in np.quantile(rest, [0.1, 0.5, 0.9]))
    with np.errstate(over="ignore"):
        scale = high / 2.56 - low / 2.56 or float(np.std(rest))
    if not (math.isfinite(scale) and scale > 1e-300):
        scale = max(abs(centre), 1.0)
    # round figures, which are nobody's own value
    scale = min(float(f"{scale:.2g}"), 1e300)
    centre = round(centre / scale * 16) * (scale / 16) if abs(centre / scale) < 1e6 else centre
    return Grid(centre if math.isfinite(centre) else 0.0, scale, tuple(float(a) for a in atoms))
