"""Reports made by hand: no data is compared."""

from __future__ import annotations

from typing import Any

from aios_workbench.drift.models import (
    Categories,
    Category,
    ColumnDrift,
    Histogram,
    ReportData,
    Rules,
    Side,
    SourceInfo,
    Statistic,
    WindowDrift,
)
from aios_workbench.drift.report import DriftReport

#: Names and values that break careless code.
HOSTILE = [
    '"><img src=x onerror=alert(1)>', 'a"b', "select", "', '", "🐙", "", "x" * 200, "Zip", "zip", "no", "1",
    "a\nb", "50%", "{0}", "drop table x; --", "\u202eevil",
]  # fmt: skip


def number(name: str, effect: float = 0.3, rows: int = 1000, **changes: Any) -> ColumnDrift:
    """A numeric column; drifted from an effect of .1 on."""
    p = 1e-6 if effect >= 0.05 else 0.6
    side = Side(
        rows=rows, mean=50.0, std=10.0, minimum=3.21987, maximum=98.76543, distinct=rows,
        quantiles=[20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0],
    )  # fmt: skip
    return ColumnDrift(**{
        "name": name, "kind": "numeric", "verdict": "drifted" if effect >= 0.1 else "stable", "test": "ks",
        "p_value": p, "p_adjusted": p, "effect": effect, "effect_of": "psi", "threshold": 0.1,
        "statistics": {
            "psi": Statistic(value=effect + 0.11, effect=effect),
            "ks": Statistic(value=0.2, low=0.19, high=0.21, p_value=p, method="bounds"),
        },
        "reference": side, "current": side.model_copy(update={"nulls": 10}),
        "histogram": Histogram(
            edges=[3.21987, 25.0, 50.0, 75.0, 98.76543], reference=[0.002, 0.498, 0.498, 0.002],
            current=[0.001, 0.4, 0.4, 0.199], atoms=[0.0], reference_atoms=[0.001], current_atoms=[0.0],
        ),
        "windows": [WindowDrift(window="2026-01", rows=5, verdict="few", median=51.5)],
        **changes,
    })  # fmt: skip


def words(
    name: str, labels: dict[str, tuple[int, int]], kind: str = "categorical", **changes: Any
) -> ColumnDrift:
    """A column of categories with counts on both sides."""
    rows = [sum(n[i] for n in labels.values()) for i in (0, 1)]
    return ColumnDrift(**{
        "name": name, "kind": kind, "effect": 0.01, "p_value": 0.5, "p_adjusted": 0.5, "test": "chisquare",
        "effect_of": "jensenshannon",
        "statistics": {
            "jensenshannon": Statistic(value=0.02, effect=0.01), "chisquare": Statistic(value=1.0, p_value=0.5)
        },
        "reference": Side(rows=rows[0]), "current": Side(rows=rows[1]),
        "categories": Categories(
            values=[Category(label=v, reference=a, current=b) for v, (a, b) in labels.items()]
        ),
        **changes,
    })  # fmt: skip


def made(*columns: ColumnDrift, rows: tuple[int, int] = (1000, 800), **changes: Any) -> DriftReport:
    """A report of some columns."""
    gone = [c.name for c in columns if c.verdict == "drifted"]
    return DriftReport(ReportData(**{
        "id": "d1", "name": "claims", "created_at": 1_700_000_000.0, "seconds": 0.2,
        "reference": SourceInfo(name="reference", rows=rows[0], columns=len(columns), first="2025-01-01 08:13:07"),
        "current": SourceInfo(name="batch.parquet", rows=rows[1], columns=len(columns)),
        "rules": Rules(), "drifted": bool(gone), "summary": f"{len(gone)} drifted", "columns": list(columns),
        **changes,
    }))  # fmt: skip
