"""What the tests of stored values share."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd

from aios_workbench.workspace import Artifact, Workspace
from aios_workbench.workspace.encoding import decode, encode
from aios_workbench.workspace.models import TablePage, TableQuery
from aios_workbench.workspace.tables import table


def there_and_back(value: Any) -> tuple[str, Any]:
    """Return how a value was stored, and what came back."""
    kind, _type, _shape, _meta, blob = encode(value)
    return kind, decode(kind, blob)


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
FRAME = pd.DataFrame(
    {
        "n": [3, 1, 2, 2],
        "x": [1.5, math.nan, -math.inf, 0.1],
        "s": ["b", "A%", None, "<img src=x onerror=alert(1)>"],
        "t": pd.to_datetime(
            ["2026-07-01", "2026-01-01", None, "2025-03-30T01:30:00"], format="ISO8601"
        ).tz_localize("Europe/Berlin"),
        "u": pd.to_datetime(["2026-07-01T12:00:00.5", None, "2020-01-01", "2026-07-01"], format="ISO8601"),
        "d": [dt.date(2026, 1, 2), dt.date(2025, 1, 2), None, dt.date(2026, 1, 1)],
        "m": [decimal.Decimal("1.10"), decimal.Decimal("2.20"), None, decimal.Decimal("0.10")],
        "b": [True, False, True, True],
        "c": pd.Categorical(["x", "y", None, "x"]),
        "big": pd.array([2**62, None, 2**53 + 1, 0], dtype="Int64"),
        "f": np.array([0.1, 0.2, 0.3, 0.1], dtype="float32"),
        "o": pd.array([True, None, False, True], dtype="boolean"),
        "w": pd.to_timedelta([1, 2, None, 90], unit="s"),
    }
)

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    'a"b',
    "a'b",
    "",
    " ",
    "select",
    "A",
    "a",
    "a_1",
    "__row",
    "___row",
    "output",
    "Ü",
    "x" * 3000,
    "n\x00l",
    "-minus",
    "a;b",
    "a.b",
    "\u202eevil",
    "C3",
    "line\nbreak",
    "'; drop table output; --",
    "file_row_number",
]


def ask(ws: Workspace, value: Any, **query: Any) -> TablePage:
    artifact = value if isinstance(value, Artifact) else ws.artifacts.put(value)
    page = table(ws, artifact, TableQuery.model_validate(query), "step")
    assert json.loads(json.dumps(page.model_dump(mode="json"), allow_nan=False))
    return page
