"""Columns, windows and all else a drift report is made of, of made-up data with known drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from aios_workbench.drift.models import (
    LEVELS,
    Categories,
    Category,
    ColumnDrift,
    CorrelationChange,
    Discrepancy,
    DomainClassifier,
    Histogram,
    Importance,
    Measured,
    Multivariate,
    Performance,
    PerformanceWindow,
    Reconstruction,
    SchemaChange,
    Side,
    Statistic,
    StreamAlarm,
    WindowDrift,
)

EVIL = '"><img src=x onerror=window.hacked=1>'
ROWS = 20_000
MONTHS = [f"2026-{m:02d}" for m in range(1, 11)]
CAVEAT = "Estimated without labels (CBPE): blind to concept drift. Check with labels before you trust it."
_FIRST = 1_767_225_600.0  # 2026-01-01, epoch seconds


def side(values: Any) -> Side:
    """One side's figures."""
    x = np.asarray(values, float)
    known = x[np.isfinite(x)]
    if not len(known):
        return Side(rows=len(x), nulls=len(x), distinct=0)
    return Side(
        rows=len(x), nulls=int(np.isnan(x).sum()), distinct=len(np.unique(known)), mean=float(known.mean()),
        std=float(known.std()), minimum=float(known.min()), maximum=float(known.max()),
        quantiles=[float(q) for q in np.quantile(known, LEVELS)],
    )  # fmt: skip


def histogram(a: Any, b: Any, atoms: tuple[float, ...] = (), bins: int = 40) -> Histogram:
    """Both sides in the same bins, atoms apart."""
    one, two = (np.asarray(v, float)[np.isfinite(v)] for v in (a, b))
    both = np.concatenate([one, two])
    edges = np.linspace(both.min(), both.max(), bins + 1)
    rest = [x[~np.isin(x, atoms)] for x in (one, two)]
    shares = [
        (np.histogram(r, edges)[0] / max(1, len(x))).tolist() for r, x in zip(rest, (one, two), strict=True)
    ]
    at = [[float((x == v).mean()) for v in atoms] for x in (one, two)]
    return Histogram(
        edges=edges.tolist(),
        reference=shares[0],
        current=shares[1],
        atoms=list(atoms),
        reference_atoms=at[0],
        current_atoms=at[1],
    )


def psi(p: Any, q: Any) -> float:
    """Population stability index of two sets of shares."""
    a, b = (np.maximum(np.asarray(x, float), 1e-4) for x in (p, q))
    return float(((b - a) * np.log(b / a)).sum())


def numeric(name: str, a: Any, b: Any, atoms: tuple[float, ...] = (), **more: Any) -> ColumnDrift:
    """A column of numbers."""
    made = histogram(a, b, atoms)
    p, q = np.cumsum(made.reference), np.cumsum(made.current)
    ks = float(np.abs(p - q).max())
    one, two = side(a), side(b)
    value = psi([*made.reference, *made.reference_atoms], [*made.current, *made.current_atoms])
    nulls = abs(two.nulls / two.rows - one.nulls / one.rows)
    stats: dict[Any, Statistic] = {
        "psi": Statistic(value=value, low=value * 0.98, high=value * 1.02, method="bounds", rows=2 * ROWS),
        "ks": Statistic(
            value=ks, low=ks, high=ks, p_value=float(np.exp(-2 * ks * ks * ROWS / 2)), rows=2 * ROWS
        ),
        "jensenshannon": Statistic(value=(value / 8) ** 0.5, rows=2 * ROWS),
        "wasserstein": Statistic(value=ks * 1.1, low=ks, high=ks * 1.2, method="bounds", rows=2 * ROWS),
        "anderson": Statistic(value=40 * ks, p_value=0.01, method="sample", rows=20_000),
    }
    if nulls > 0:
        stats["null_shift"] = Statistic(value=nulls, p_value=1e-9, rows=2 * ROWS)
    known: dict[str, Any] = {
        "kind": "numeric",
        "test": "ks",
        "p_value": 1e-9 if nulls > 0.01 else stats["ks"].p_value,
        "effect": max(ks, nulls),
        "effect_of": "null_shift" if nulls > ks else "ks",
        "statistics": stats,
        "reference": one,
        "current": two,
        "histogram": made,
    }
    return ColumnDrift(name=name, **{**known, **more})


def categorical(name: str, counts: dict[str, tuple[int, int]], **more: Any) -> ColumnDrift:
    """A column of values without an order."""
    values = [Category(label=k, reference=a, current=b) for k, (a, b) in counts.items()]
    values.sort(key=lambda c: -(c.reference + c.current))
    a, b = (sum(c) for c in zip(*counts.values(), strict=True))
    p, q = [v.reference / a for v in values], [v.current / b for v in values]
    tv = 0.5 * sum(abs(x - y) for x, y in zip(p, q, strict=True))
    new = sum(v.current for v in values if not v.reference)
    gone = sum(v.reference for v in values if not v.current)
    known: dict[str, Any] = {
        "kind": "categorical",
        "test": "chisquare",
        "p_value": float(np.exp(-tv * tv * ROWS)),
        "effect": tv,
        "effect_of": "total_variation",
        "statistics": {
            "psi": Statistic(value=psi(p, q), rows=a + b),
            "total_variation": Statistic(value=tv, rows=a + b),
            "chisquare": Statistic(value=tv * tv * ROWS, p_value=float(np.exp(-tv * tv * ROWS)), rows=a + b),
        },
        "reference": Side(rows=a, distinct=sum(v.reference > 0 for v in values)),
        "current": Side(rows=b, distinct=sum(v.current > 0 for v in values)),
        "categories": Categories(
            values=values,
            new=sum(not v.reference for v in values),
            gone=sum(not v.current for v in values),
            new_share=new / b,
            gone_share=gone / a,
        ),
    }
    return ColumnDrift(name=name, **{**known, **more})


def windows(effects: list[float], base: float, rows: int = ROWS // 10) -> list[WindowDrift]:
    """A column's windows with these effects."""
    return [
        WindowDrift(
            window=w, rows=rows, verdict="stable", effect=e, p_adjusted=float(np.exp(-e * e * rows)),
            null_share=0.01 * i, median=base * (1 + e), statistics={"psi": Statistic(value=e * 0.8)},
        )
        for i, (w, e) in enumerate(zip(MONTHS, effects, strict=True))
    ]  # fmt: skip


def columns() -> list[ColumnDrift]:
    """Twelve columns, one of each kind."""
    rng = np.random.default_rng(0)
    income = rng.lognormal(10, 0.5, ROWS)
    later = rng.lognormal(10.35, 0.55, ROWS)
    income[: ROWS // 10], later[: ROWS // 5] = 0.0, 0.0
    nulls = rng.normal(50, 10, ROWS)
    gone = nulls.copy()
    gone[: ROWS // 4] = np.nan
    age = rng.normal(44, 12, ROWS).clip(18, 95)
    cities = {"Bonn": (8000, 7900), "Ulm": (6000, 6100), "Köln": (6000, 6000)}
    hostile = {
        EVIL: (6000, 2000), 'a"b': (5000, 4000), "select * from x; --": (4000, 4000), "', '": (3000, 500),
        "🦊": (2000, 0), "x" * 200: (0, 9500),
    }  # fmt: skip
    up = [0.01, 0.02, 0.01, 0.03, 0.02, 0.24, 0.27, 0.3, 0.33, 0.36]
    flat = [0.01, 0.0, 0.02, 0.01, 0.0, 0.01, 0.02, 0.01, 0.0, 0.01]
    words = categorical("words", {"claim": (900, 300), "refund": (10, 700), "please": (400, 410)})
    return [
        numeric("income", income, later, (0.0,), windows=windows(up, 22_000), changepoint="2026-06"),
        numeric("age", age, rng.normal(44.3, 12, ROWS).clip(18, 95), windows=windows(flat, 44)),
        numeric("visits", rng.poisson(6, ROWS), rng.poisson(6.25, ROWS)),
        numeric("pressure", nulls, gone),
        categorical("city", cities, windows=windows(flat, 1)),
        categorical(EVIL, hostile),
        categorical("active", {"true": (12_000, 12_100), "false": (8000, 7900)}, kind="boolean"),
        numeric(
            "opened",
            _FIRST + rng.uniform(0, 3e7, ROWS),
            _FIRST + rng.uniform(0, 3.1e7, ROWS),
            kind="datetime",
            effect=0.03,
        ),
        ColumnDrift(
            name="note",
            kind="text",
            p_value=1e-12,
            effect=0.31,
            effect_of="domain_auc",
            statistics={
                "domain_auc": Statistic(value=0.81, low=0.79, high=0.83, method="sample", rows=10_000)
            },
            reference=Side(rows=ROWS, distinct=18_000, distinct_exact=False),
            current=Side(rows=ROWS, nulls=20),
            parts=[numeric("length", rng.poisson(60, 4000), rng.poisson(75, 4000)), words],
        ),
        ColumnDrift(
            name="vector",
            kind="embedding",
            p_value=0.4,
            effect=0.01,
            effect_of="mmd",
            statistics={"mmd": Statistic(value=0.001, p_value=0.4, method="sample", rows=4000)},
            reference=Side(rows=ROWS),
            current=Side(rows=ROWS),
        ),
        numeric("rare", rng.normal(0, 1, 12), rng.normal(1, 1, 9)),
        ColumnDrift(
            name="claim_id",
            kind="id",
            verdict="skipped",
            reasons=["an id names its row"],
            reference=Side(rows=ROWS),
            current=Side(rows=ROWS),
        ),
    ]


def many(n: int, periods: int = 24) -> tuple[list[ColumnDrift], list[str]]:
    """As many columns as asked for, a third of them drifted, each with windows."""
    rng = np.random.default_rng(1)
    names = [f"2025-W{i + 1:02d}" for i in range(periods)]
    out = []
    for i in range(n):
        column = numeric(
            f"column_{i:04d}_" + "of_a_wide_table" * (i % 2),
            rng.normal(0, 1, 400),
            rng.normal((i % 3 == 0) * 0.6, 1, 400),
        )
        column.reference, column.current = (
            s and s.model_copy(update={"rows": ROWS}) for s in (column.reference, column.current)
        )
        column.windows = [
            WindowDrift(
                window=w, rows=900, verdict="stable", effect=float(e), p_adjusted=float(np.exp(-e * e * 900))
            )
            for w, e in zip(
                names,
                np.abs(rng.normal(0, 0.06, periods)) + (i % 3 == 0) * np.linspace(0, 0.3, periods),
                strict=True,
            )
        ]
        out.append(column)
    return out, names


def multivariate() -> Multivariate:
    """What no column shows alone."""
    return Multivariate(
        verdict="drifted",
        reasons=["a classifier tells the sides apart (AUC 0.81)"],
        classifier=DomainClassifier(
            auc=0.81,
            low=0.79,
            high=0.83,
            p_value=0.005,
            rows=10_000,
            verdict="drifted",
            importances=[
                Importance(column=c, importance=v) for c, v in (("income", 0.2), (EVIL, 0.11), ("age", 0.001))
            ],
        ),
        reconstruction=Reconstruction(
            components=4, reference=1.0, current=1.34, p_value=0.01, rows=10_000, verdict="drifted"
        ),
        embeddings=[
            Discrepancy(column="vector", mmd=0.001, p_value=0.4, rows=4000, verdict="stable", mean_shift=0.02)
        ],
        correlations=[
            CorrelationChange(
                a="income",
                b="age",
                reference=0.62,
                current=-0.1,
                p_value=1e-9,
                p_adjusted=1e-8,
                verdict="drifted",
            ),
            CorrelationChange(
                a="income", b=EVIL, reference=0.1, current=0.12, p_value=0.3, p_adjusted=0.5, verdict="stable"
            ),
        ],
    )


def performance() -> Performance:
    """A model with labels until August, estimated all along."""
    rng = np.random.default_rng(2)
    made = []
    for i, window in enumerate(MONTHS):
        auc, low = 0.84 - (i > 4) * 0.02 * (i - 4), 0.015
        figures = {
            "roc_auc": Measured(value=auc, low=auc - low, high=auc + low),
            "accuracy": Measured(value=auc - 0.05, low=auc - 0.06, high=auc - 0.03),
        }
        guess = auc + float(rng.normal(0, 0.004))
        made.append(
            PerformanceWindow(
                window=window,
                rows=2000,
                labelled=2000 if i < 8 else 0,
                measured=figures if i < 8 else {},
                estimated={"roc_auc": Measured(value=guess, low=guess - 0.02, high=guess + 0.02)},
                verdict="drifted" if i > 6 else "stable",
                reasons=["roc_auc fell by 0.06"] if i > 6 else [],
            )
        )
    return Performance(
        task="classification",
        metrics=["roc_auc", "accuracy"],
        reference=PerformanceWindow(
            window="reference",
            rows=ROWS,
            labelled=ROWS,
            measured={
                "roc_auc": Measured(value=0.845, low=0.84, high=0.85),
                "accuracy": Measured(value=0.79, low=0.785, high=0.795),
            },
        ),
        windows=made,
        verdict="drifted",
        reasons=["roc_auc fell from 0.845 to 0.78"],
        alarms=[StreamAlarm(detector="adwin", row=12_345, window="2026-07")],
        caveat=CAVEAT,
    )


CHANGES = [
    SchemaChange(
        column="postcode", change="missing", grave=True, words="postcode is not in the current data"
    ),
    SchemaChange(
        column="zip",
        change="renamed",
        grave=True,
        words="zip looks like postcode under another name",
        reference="postcode",
        current="zip",
    ),
    SchemaChange(
        column=EVIL,
        change="new_categories",
        grave=False,
        words="a value is new: 47.5 % of the rows have it",
        current="x" * 60,
    ),
    SchemaChange(
        column="pressure",
        change="nulls",
        grave=False,
        words="nulls: 0 % before, 25 % now",
        reference="0 %",
        current="25 %",
    ),
]
