"""A `DriftReport` of made-up data with known drift, without the comparison: for tests of what shows one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from drift_data import CAVEAT, CHANGES, EVIL, MONTHS, ROWS, columns, many, multivariate, numeric, performance

from aios_workbench.drift.models import Multivariate, ReportData, Rules, SourceInfo
from aios_workbench.errors import ParameterError

__all__ = ["CAVEAT", "EVIL", "STATES", "FakeReport", "empty", "few", "numeric", "report", "wide"]


class FakeReport:
    """What a screen needs of a `DriftReport`; `calls` lists what it asked for."""

    def __init__(self, data: ReportData, *, live: bool = True, calls: list[Any] | None = None) -> None:
        self.data = data
        self.live = object() if live else None
        self.calls: list[Any] = [] if calls is None else calls

    def judge(self, rules: Rules | None = None, **changes: Any) -> FakeReport:
        rules = (rules or self.data.rules).model_copy(update=changes)
        self.calls.append(("judge", rules))
        return FakeReport(judged(self.data, rules), live=self.live is not None, calls=self.calls)

    def slice(self, column: str, value: Any) -> FakeReport:
        self.calls.append(("slice", column, value))
        if column == "nothing here":
            raise ParameterError("no row is in this slice; take another")
        rows = [c.model_copy(update={"effect": c.effect and c.effect * 0.5}) for c in self.data.columns]
        half = {
            s: getattr(self.data, s).model_copy(update={"rows": getattr(self.data, s).rows // 2})
            for s in ("reference", "current")
        }
        data = self.data.model_copy(
            update={"columns": rows, "id": self.data.id + "/" + str(value)[:20], **half}
        )
        return FakeReport(judged(data, data.rules), live=True, calls=self.calls)

    def moved(self, column: str, n: int = 20) -> pd.DataFrame:
        self.calls.append(("moved", column, n))
        return pd.DataFrame({column or "value": np.linspace(1e5, 2e5, n), EVIL: [EVIL] * n, "share": 0.25})

    def multivariate(self) -> Multivariate:
        self.calls.append(("multivariate",))
        found = multivariate()
        self.data = self.data.model_copy(update={"multivariate": found})
        return found

    def gate_code(self) -> str:
        return f"aios.drift.gate(report, rules=aios.drift.Rules(effect={self.data.rules.effect:g}))\n"

    def code(self) -> str:
        return 'report = aios.drift.compare("reference.parquet", "current.parquet", by="month")\n'

    def contract(self) -> str:
        return "columns:\n  income: {kind: numeric}\n"

    def to_json(self) -> str:
        return self.data.model_dump_json()

    def to_html(self, path: Any = None) -> str:
        from aios_workbench.widgets.drift_report import html

        return html(self)

    def to_dict(self) -> dict[str, Any]:
        return dict(json.loads(self.to_json()))


def judged(data: ReportData, rules: Rules) -> ReportData:
    """Judge by the honest rule; a person's own thresholds first."""

    def verdict(effect: float | None, p: float | None, rows: int, limit: float) -> Any:
        if rows < rules.min_rows:
            return "few"
        if p is None or p >= rules.alpha:
            return "stable"
        return "drifted" if (effect or 0) >= limit else "small"

    made = []
    for c in data.columns:
        if c.verdict == "skipped":
            made.append(c)
            continue
        rows = min(s.rows for s in (c.reference, c.current) if s is not None)
        own = rules.columns.get(c.name, {})
        says = verdict(c.effect, c.p_value, rows, rules.effect)
        if own:
            fires = any(s in c.statistics and c.statistics[s].value >= v for s, v in own.items())
            says = "drifted" if fires else "stable"
        w = [
            x.model_copy(update={"verdict": verdict(x.effect, x.p_adjusted, x.rows, rules.effect)})
            for x in c.windows
        ]
        main = c.statistics.get("psi")
        said = f"{c.effect_of} {c.effect:.2f}" if c.effect is not None else ""
        made.append(
            c.model_copy(
                update={
                    "verdict": says, "threshold": rules.effect, "p_adjusted": c.p_value, "windows": w,
                    "reasons": [f"{said} against {rules.effect:g}"] if main or said else [],
                }
            )
        )  # fmt: skip
    hit = [c for c in made if c.verdict == "drifted"]
    compared = [c for c in made if c.verdict not in ("skipped", "few")]
    drifted = None if not compared else bool(hit)
    told = ", ".join(f"{c.name} +{c.psi:.2f} PSI" for c in hit[:3] if c.psi is not None)
    summary = f"{len(hit)} of {len(compared)} columns drifted" + (f": {told}" if told else "")
    if not compared:
        summary = "nothing could be compared: not enough data"
    return data.model_copy(update={"columns": made, "rules": rules, "drifted": drifted, "summary": summary})


def report(*, live: bool = True, stored: bool = False, whole: bool = False, **changes: Any) -> FakeReport:
    """A report of twelve columns; `whole`: with all that can be computed. `changes` are fields of its data."""
    data = ReportData(
        id="r1",
        name="claims",
        created_at=1.8e9,
        reference=SourceInfo(
            name="claims_2025.parquet",
            rows=ROWS,
            columns=13,
            first="2025-01-01",
            last="2025-12-31",
            stored=stored,
        ),
        current=SourceInfo(
            name="claims_2026.parquet", rows=ROWS, columns=13, first="2026-01-01", last="2026-10-31"
        ),
        rules=Rules(),
        drifted=True,
        summary="",
        columns=columns(),
        schema_changes=CHANGES,
        windows=MONTHS,
        by="month",
        performance=performance(),
        multivariate=multivariate() if whole else None,
        notes=["opened is compared as a time."],
        seconds=1.4,
    )
    data = data.model_copy(update=changes)
    return FakeReport(judged(data, data.rules), live=live)


def wide(n: int = 1000) -> FakeReport:
    """A report of many columns."""
    made, names = many(n)
    return report(columns=made, windows=names, by="week", performance=None, schema_changes=[])


def empty() -> FakeReport:
    """A report of two empty tables."""
    none = SourceInfo(name="nothing.parquet", rows=0, columns=0)
    return report(
        columns=[], windows=[], reference=none, current=none, schema_changes=[], performance=None, by=None
    )


def few() -> FakeReport:
    """A report of a dozen rows."""
    small = [c for c in columns() if c.name == "rare"]
    sides = {
        s: SourceInfo(name=f"{s}.csv", rows=n, columns=1) for s, n in (("reference", 12), ("current", 9))
    }
    return report(columns=small, windows=[], schema_changes=[], performance=None, **sides)


STATES: dict[str, Callable[[], FakeReport]] = {
    "full": lambda: report(whole=True),
    "plain": report,
    "stored": lambda: report(live=False),
    "empty": empty,
    "few": few,
    "wide": lambda: wide(300),
    "hostile": lambda: report(
        name=EVIL,
        notes=[EVIL, "\x00 nothing"],
        reasons=[EVIL],
        whole=True,
        columns=[
            c.model_copy(update={"name": n})
            for c, n in zip(
                columns(),
                [
                    EVIL,
                    "",
                    "select",
                    "', '",
                    "a" * 200,
                    "City",
                    "city",
                    "🦊",
                    'a"b',
                    "\x00\x1b[31m",
                    "x\ny",
                    "</td>",
                ],
                strict=True,
            )
        ],
    ),
}
