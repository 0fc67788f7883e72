"""What the runs of a rollout say about the new version. Pure: no clock, no catalog."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aios_workbench.promote.rollout.evidence import above_share, worse_pairs, worse_than, worse_than_before
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.promote.spec_parts import Slo

#: The share of runs that may take longer than `slo.within`, where `slo.failures` does not say how many may be bad.
_SLOW = 0.05


@dataclass(frozen=True)
class Seen:
    """A run of a rollout that has ended.

    Attributes
    ----------
    role : {"base", "canary", "shadow"}
    pair : str
        The id of the run that a shadow belongs to; of a run of the base its own.
    differences : tuple of str or None
        Of a shadow: how it differs from its run; None when the two were not compared (yet).
    """

    run_id: str
    role: str
    status: str
    seconds: float
    pair: str = ""
    differences: tuple[str, ...] | None = None

    @property
    def new(self) -> bool:
        """Whether it is a run of the new version."""
        return self.role != "base"


@dataclass(frozen=True)
class Count:
    """Runs of one version: all, failed, too slow, bad in either way."""

    runs: int = 0
    failed: int = 0
    slow: int = 0
    bad: int = 0


@dataclass(frozen=True)
class Judgement:
    """How the new version does.

    Attributes
    ----------
    e_values : dict
        What speaks against it, by test; each rolls it back at `threshold`.
    pairs : list of dict
        Runs with their shadow: "run", "shadow", "differences".
    decision : {"roll_back", "promote"} or None
    reason : str
        The decision's, or what is waited for.
    """

    base: Count
    new: Count
    e_values: dict[str, float]
    threshold: float
    compared: int
    differing: int
    decision: Literal["roll_back", "promote"] | None
    reason: str
    pairs: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict; an infinite e-value is None."""
        finite = {k: None if math.isinf(v) else v for k, v in self.e_values.items()}
        return {
            **{k: v for k, v in vars(self).items() if k not in ("base", "new")},
            "base": vars(self.base), "new": vars(self.new), "e_values": finite,
        }  # fmt: skip


def judge(
    runs: Sequence[Seen],
    rules: Rules,
    slo: Slo | None,
    trial: Mapping[str, Any],
    prior: tuple[int, int] = (0, 0),
) -> Judgement:
    """Say whether the new version is to be rolled back, may take the other's place, or is to be watched on.

    A run is bad when it failed, or took longer than `slo.within`. The new version is rolled back when it is shown to
    have a larger share of bad runs than the base, or than `slo.failures` allows, or when more of its runs differ from
    their counterpart than `rules.max_difference` allows. The threshold is the number of these tests divided by alpha,
    so that all of them together raise a false alarm with a chance of alpha at most, however often they are asked.

    Parameters
    ----------
    runs : sequence of Seen
        In the order in which they ended.
    trial : mapping
        `mode`, `share`, `version`, `base_version`.
    prior : tuple of int
        Bad and all runs of the base from before the rollout.
    """
    within = slo.within if slo else None
    base, new = (_count([r for r in runs if r.new is which], within) for which in (False, True))
    pairs = _pairs(runs) if trial["mode"] == "shadow" else []
    compared = [new_run for _, new_run in pairs if new_run.differences is not None]
    differing = sum(bool(r.differences) for r in compared)
    values: dict[str, float] = {}
    if trial["mode"] == "shadow":
        worse = [(_bad(a, within), _bad(b, within)) for a, b in pairs]
        values["worse"] = worse_pairs(worse.count((False, True)), worse.count((True, False)))
    elif trial["share"] == 1:
        values["worse"] = worse_than_before(new.bad, new.runs, prior, rules.alpha)
    else:
        values["worse"] = max_last(
            worse_than([("new" if r.new else "base", _bad(r, within)) for r in runs], prior)
        )
    allowed = _allowed(slo)
    if allowed is not None:
        values["promise"] = above_share(new.bad, new.runs, allowed)
    if rules.max_difference is not None and pairs:
        values["different"] = above_share(differing, len(compared), rules.max_difference)
    threshold = len(values) / rules.alpha
    against = next((name for name, value in values.items() if value >= threshold), None)
    found = Judgement(
        base, new, values, threshold, len(compared), differing, None, "",
        [{"run": a.run_id, "shadow": b.run_id, "differences": _listed(b)} for a, b in pairs],
    )  # fmt: skip
    decision: Literal["roll_back", "promote"] | None
    if against is not None:
        decision, reason = "roll_back", _against(found, against, trial, rules, allowed)
    else:
        decision, reason = _onward(found, rules, allowed)
    return Judgement(**{**vars(found), "decision": decision, "reason": reason})


def max_last(values: Any) -> float:
    """Return the largest of a process of e-values: once it was over the threshold, it stays a reason."""
    return float(max(values, default=1.0))


def _count(runs: Sequence[Seen], within: float | None) -> Count:
    failed = sum(r.status != "succeeded" for r in runs)
    slow = sum(within is not None and r.seconds > within for r in runs)
    return Count(len(runs), failed, slow, sum(_bad(r, within) for r in runs))


def _bad(run: Seen, within: float | None) -> bool:
    return run.status != "succeeded" or (within is not None and run.seconds > within)


def _pairs(runs: Sequence[Seen]) -> list[tuple[Seen, Seen]]:
    own = {r.run_id: r for r in runs if not r.new}
    return [(own[r.pair], r) for r in runs if r.new and r.pair in own]


def _listed(run: Seen) -> list[str] | None:
    return None if run.differences is None else list(run.differences)


def _allowed(slo: Slo | None) -> float | None:
    if slo is None or (slo.failures is None and slo.within is None):
        return None
    return _SLOW if slo.failures is None else slo.failures


def _against(
    found: Judgement, test: str, trial: Mapping[str, Any], rules: Rules, allowed: float | None
) -> str:
    new, base, value = found.new, found.base, found.e_values[test]
    shown = "settled by one" if math.isinf(value) else f"e-value {value:.3g}, {found.threshold:.3g} is enough"
    which = f"version {trial['version']}"
    if test == "different":
        return (
            f"{found.differing} of {found.compared} runs of {which} gave something else than version "
            f"{trial['base_version']}; {rules.max_difference:.3g} of them may ({shown})"
        )
    bad = f"{new.bad} of {new.runs} runs of {which} {'failed or took too long' if new.slow else 'failed'}"
    if test == "promise":
        return f"{bad}; the job promises at most {allowed:.3g} ({shown})"
    return f"{bad}, of version {trial['base_version']} {base.bad} of {base.runs} ({shown})"


def _onward(found: Judgement, rules: Rules, allowed: float | None) -> tuple[Literal["promote"] | None, str]:
    good = found.new.runs - found.new.bad
    if good < rules.runs:
        return None, f"{good} of {rules.runs} good runs"
    if allowed is not None and found.new.bad > allowed * found.new.runs:
        return None, f"{found.new.bad} of {found.new.runs} runs are bad; more good ones are needed"
    if rules.max_difference is not None and found.pairs:
        if found.compared < rules.runs:
            return None, f"{found.compared} of {rules.runs} runs are compared"
        if found.differing > rules.max_difference * found.compared:
            return None, f"{found.differing} of {found.compared} runs differ; more equal ones are needed"
    if not rules.promote:
        return None, f"{good} good runs: it may take the other's place; `aios jobs rollout promote` does that"
    return "promote", f"{good} good runs, {found.new.bad} bad ones"
