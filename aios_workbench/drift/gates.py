"""Drift as a gate: data that drifted further than is allowed stops the step, and so the run; or routes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aios_workbench import _hooks
from aios_workbench.drift import summary
from aios_workbench.drift.models import ColumnDrift, Rules, RulesKind, StatisticName
from aios_workbench.drift.names import words
from aios_workbench.drift.report import DriftReport
from aios_workbench.drift.rules import as_rules, changed_rules
from aios_workbench.errors import DriftError, DriftInputError, hint

Thresholds = Mapping[str, Mapping[StatisticName, float]]
Unknown = Literal["fail", "pass"]
#: A column, where it is one's, and what is wrong.
Reason = tuple[str | None, str]

#: Columns whose effect becomes a figure of the run, and reasons in one message.
_MOST, _TOLD = 50, 5


@dataclass(frozen=True)
class GateVerdict:
    """What a gate found.

    Attributes
    ----------
    share : float
        Share of the compared columns that drifted, from 0 to 1.
    columns : tuple of str
        Columns because of which it did not pass, or all that drifted where it did.
    """

    passed: bool
    share: float
    compared: int
    max_share: float | None
    columns: tuple[str, ...]
    reasons: tuple[str, ...]
    summary: str
    report: DriftReport | None = field(default=None, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.passed

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, without the report."""
        found = {k: v for k, v in vars(self).items() if k != "report"}
        return {**found, "columns": list(self.columns), "reasons": list(self.reasons)}

    def __str__(self) -> str:
        return f"the drift gate {'passed' if self.passed else 'stays shut'}: " + (
            self.summary if self.passed or not self.reasons else _listed(self.reasons)
        )


def gate(
    report: DriftReport, max_share: float | None = None, columns: Thresholds | None = None, *,
    contract: str | Path | None = None, rules: Rules | RulesKind | None = None, fail: bool = True,
    unknown: Unknown = "fail",
) -> GateVerdict:  # fmt: skip
    """Refuse to go on when data drifted further than is allowed.

    In a step of a workflow it raises, the step fails, and so does the run; the report is kept with the step either
    way (``run["step"].kept``), and its figures with the run. With ``fail=False`` the verdict is a value that later
    steps can be routed by: ``@wf.step(when=lambda verdict: not verdict.passed)``.

    Parameters
    ----------
    report : DriftReport
        Judged anew without reading data.
    max_share : float, optional
        Share of the compared columns that may drift, from 0 to 1. None: the report's own rule, which is none at all
        unless it says otherwise.
    columns : mapping, optional
        Column -> statistic -> threshold, such as ``{"income": {"psi": 0.2}}``: at that or more the gate stays shut,
        whatever the share is.
    contract : path, optional
        A contract's YAML file: its thresholds, and the columns and types it expects.
    rules : Rules or {"honest", "evidently"}, optional
        Instead of the report's own.
    fail : bool
        False: only tell.
    unknown : {"fail", "pass"}
        What to do when nothing could be compared, or a column of `columns` has too few rows to tell.

    Returns
    -------
    GateVerdict

    Raises
    ------
    DriftError
        When the gate stays shut; `columns` and `reasons` say why.
    DriftInputError
        For a column or a statistic that is not in the report.

    Examples
    --------
    >>> from aios_workbench.drift.models import ReportData, SourceInfo
    >>> side = SourceInfo(name="claims", rows=500, columns=1)
    >>> age = ColumnDrift(name="age", kind="numeric", statistics={"psi": {"value": 0.41}}, effect=0.05)
    >>> report = DriftReport(ReportData(
    ...     id="r1", name="claims", created_at=0.0, reference=side, current=side, rules=Rules(), drifted=False,
    ...     summary="none of 1 column drifted", columns=[age]))
    >>> gate(report, columns={"age": {"psi": 0.2}}, fail=False).reasons
    ('age: PSI 0.41, 0.2 is allowed',)
    """
    if not isinstance(report, DriftReport):
        raise DriftInputError(
            f"a drift gate takes a report, not {type(report).__name__}; give it aios.drift.compare(reference, "
            "current), or use aios.drift.check(reference) as a step's gate"
        )
    changes: dict[str, Any] = {}
    broken: Sequence[Reason] = ()
    if contract is not None:
        from aios_workbench.drift import contract as contracts

        agreed = contracts.read(contract)
        rules = rules or agreed.rules
        broken = contracts.broken(agreed, report.data)
    chosen = report.rules if rules is None else as_rules(rules)
    if max_share is not None:
        changes["max_share"] = max_share
    if columns:
        changes["columns"] = {**chosen.columns, **{n: dict(t) for n, t in columns.items()}}
    chosen = changed_rules(chosen, changes)
    _check_thresholds(chosen, report)
    judged = report.judge(chosen) if chosen != report.rules else report
    verdict = _verdict(judged, broken, unknown)
    _tell(verdict)
    if fail and not verdict.passed:
        raise DriftError(_message(verdict), columns=verdict.columns, reasons=verdict.reasons)
    return verdict


def _check_thresholds(rules: Rules, report: DriftReport) -> None:
    gone = {c.column for c in report.schema_changes if c.change in ("missing", "renamed")}
    for name, wanted in rules.columns.items():
        if name not in report.columns:
            if name in gone:
                continue
            raise DriftInputError(
                f"the gate has a threshold for {name!r}, which is no column of the report{hint(name, report.columns)}"
            )
        column = report.columns[name]
        for statistic in wanted:
            if statistic not in column.statistics and column.verdict not in ("few", "skipped"):
                raise DriftInputError(
                    f"the gate has a threshold for {statistic} of {name!r}, which was not computed for this "
                    f"{column.kind} column; it has {', '.join(column.statistics) or 'no statistic'}"
                )


def _verdict(report: DriftReport, broken: Sequence[Reason], unknown: Unknown) -> GateVerdict:
    """Return what a judged report means for a gate."""
    from aios_workbench.drift import judge

    data, rules = report.data, report.rules
    told = summary.compared(data.columns)
    drifted = [c for c in told if c.verdict == "drifted"]
    share = report.share
    why: list[Reason] = list(broken)
    why += [(c.column, c.words) for c in data.schema_changes if c.grave and (c.column, c.words) not in why]
    own = [c for c in data.columns if c.name in rules.columns]
    over: list[Reason] = [(c.name, said) for c in own for said in _over(c, rules)]
    why += over
    if drifted and judge.drifted(told, rules=rules)[0]:
        if rules.max_share is not None:
            why.append(
                (None, f"{100 * share:.3g} % of columns drifted, {100 * rules.max_share:.3g} % are allowed")
            )
        named = {name for name, _ in over}
        why += [(c.name, f"{summary.shown(c.name)}: {_reason(c)}") for c in drifted if c.name not in named]
    for part in (data.multivariate, data.performance):
        if part is not None and part.verdict == "drifted":
            why += [(None, reason) for reason in part.reasons or ["drifted"]]
    if unknown == "fail":
        few = [c for c in own if c.verdict == "few"]
        why += [(c.name, f"{summary.shown(c.name)}: too few rows to tell") for c in few]
        if not told and not why:
            why.append((None, data.reasons[0] if data.reasons else "nothing could be compared"))
    at_fault = [name for name, _ in why if name is not None] if why else [c.name for c in drifted]
    return GateVerdict(
        not why, share, len(told), rules.max_share, tuple(dict.fromkeys(at_fault)),
        tuple(dict.fromkeys(said for _, said in why)),
        data.summary, report,
    )  # fmt: skip


def _over(column: ColumnDrift, rules: Rules) -> list[str]:
    return [
        f"{summary.shown(column.name)}: {words(name)} {found.value:.3g}, {allowed:g} is allowed"
        for name, allowed in rules.columns[column.name].items()
        # NaN is over, too: a figure that cannot be told is none to pass by
        if (found := column.statistics.get(name)) is not None and not found.value < allowed
    ]


def _reason(column: ColumnDrift) -> str:
    return "; ".join(column.reasons) or summary.figure(column) or "drifted"


def _listed(reasons: tuple[str, ...]) -> str:
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return "; ".join(reasons[:_TOLD]) + more


def _message(verdict: GateVerdict) -> str:
    return (
        f"{verdict}. Look at the report (in a workflow: run[step].kept.report), then allow more, or make the new data "
        "the reference"
    )


def _tell(verdict: GateVerdict) -> None:
    """Keep report and figures with the step that runs, if one does."""
    step = _hooks.step()
    if step is None:
        return
    step.keep(verdict)
    step.metric("drift_share", verdict.share)
    step.metric("drift_passed", float(verdict.passed))
    if verdict.report is not None:
        gone = [c for c in verdict.report.data.columns if c.verdict == "drifted" and c.effect is not None]
        for c in sorted(gone, key=lambda c: -(c.effect or 0.0))[:_MOST]:
            # not the name last: a figure called …_cost counts as the run's cost
            step.metric(f"drift.{c.name}.effect", float(c.effect or 0.0))


class Check:
    """A gate for a step that returns data: compares it with a reference and opens, or stays shut; see `check`."""

    def __init__(self, reference: Any, gate_options: dict[str, Any], options: dict[str, Any]) -> None:
        self.reference, self._gate, self._options = reference, gate_options, options

    def __call__(self, value: Any) -> GateVerdict:
        """Check a step's value: the data, or a report."""
        if not isinstance(value, DriftReport):
            from aios_workbench.drift.comparison import compare

            value = compare(self.reference, value, **self._options)
        return gate(value, **self._gate)

    def __repr__(self) -> str:
        named = self.reference if isinstance(self.reference, str) else type(self.reference).__name__
        return f"drift check against {summary.shown(named)}"


def check(
    reference: Any, *, max_share: float | None = None, columns: Thresholds | None = None,
    contract: str | Path | None = None, rules: Rules | RulesKind | None = None,
    fail: bool = True, unknown: Unknown = "fail", **options: Any,
) -> Check:  # fmt: skip
    """Return a check for ``@wf.step(gate=…)``: the step's data against a reference.

    Parameters
    ----------
    reference
        Whatever `compare` takes. A path is opened when the step runs; a frame or a profile travels with the step.
    max_share, columns, contract, rules, fail, unknown
        As in `gate`.
    **options
        Of `compare`: `target`, `prediction`, `kinds`, `by` …

    Examples
    --------
    >>> check("claims_2025.parquet", max_share=0.3)
    drift check against claims_2025.parquet
    """
    if unknown not in ("fail", "pass"):
        raise DriftInputError(f"unknown is {unknown!r}; use 'fail' or 'pass'")
    changed_rules(as_rules(rules), {} if max_share is None else {"max_share": max_share})
    given = {
        "max_share": max_share, "columns": columns, "contract": contract, "rules": rules, "fail": fail,
        "unknown": unknown,
    }  # fmt: skip
    return Check(reference, {k: v for k, v in given.items() if v is not None}, options)
