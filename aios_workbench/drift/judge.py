"""The verdict: what counts as drift, by which rules, and why. Pure: no data is read, so it is had again at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aios_workbench.drift.columns import significance, size
from aios_workbench.drift.evidently_rules import evidently_verdict
from aios_workbench.drift.models import (
    ColumnDrift,
    Multivariate,
    Performance,
    Rules,
    SchemaChange,
    Side,
    StatisticName,
    Verdict,
    WindowDrift,
)
from aios_workbench.drift.names import words
from aios_workbench.drift.statistics.adjusted import benjamini_hochberg
from aios_workbench.errors import DriftInputError, hint

#: The share of drifted columns from which evidently calls a data set drifted.
EVIDENTLY_SHARE = 0.5
_GRAVITY: dict[Verdict, int] = {"skipped": 0, "few": 1, "stable": 2, "small": 3, "drifted": 4}


def judge(columns: Sequence[ColumnDrift], rules: Rules) -> list[ColumnDrift]:
    """Return the columns with their verdicts, reasons, adjusted p-values and thresholds.

    Honest rules: of each column the p-value of its distribution's test and of its nulls (the lesser, for two tests);
    over all columns, their parts and their windows together Benjamini-Hochberg. `drifted` needs an adjusted p-value
    below `alpha` and an effect of at least `effect`; significant with less is `small`; fewer than `min_rows` rows on a
    side is `few`. With `in_a_row` above 1 and windows, it is so many drifted windows in a row that make a column
    drifted; with 1 the column as a whole, or any window.

    Parameters
    ----------
    columns
        As from `columns.column`; those `skipped` stay so.
    rules
        Whatever was judged before by other rules is judged anew.

    Raises
    ------
    DriftInputError
        When the rules name a column or a statistic that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench.drift.columns import column
    >>> from aios_workbench.drift.tables import NumberTable
    >>> rng = np.random.default_rng(0)
    >>> a, b = NumberTable.of(rng.normal(0, 1, 2000)), NumberTable.of(rng.normal(1, 1, 2000))
    >>> judge([column("income", "feature", "numeric", a, b)], Rules())[0].reasons
    ['PSI 1.01, effect 1.02 >= 0.1 (Wasserstein distance / std), adjusted p < 0.001']
    """
    _check(columns, rules)
    tests = [_Test(c, rules) for c in columns]
    flat = [t for test in tests for t in test.everything()]
    known = [t for t in flat if t.p_value is not None]
    adjusted = benjamini_hochberg([t.p_value for t in known if t.p_value is not None])
    for t, p in zip(known, adjusted, strict=True):
        t.p_adjusted = p
    return [_judged(test, rules) for test in tests]


class _Test:
    """A column, part or window with its own test, before and after adjustment."""

    def __init__(self, of: ColumnDrift | WindowDrift, rules: Rules, of_reference: Side | None = None) -> None:
        self.of = of
        self.parts: list[_Test] = []
        self.windows: list[_Test] = []
        self.p_adjusted: float | None = None
        self.test: StatisticName | None = None
        self.p_value: float | None = None
        self.effect_of: StatisticName | None = None
        self.effect: float | None = None
        self.reference = reference = of.reference if isinstance(of, ColumnDrift) else of_reference
        if isinstance(of, ColumnDrift):
            if of.verdict == "skipped" and not of.statistics and not of.parts:
                self.state: Verdict | None = "skipped"
                return
            self.parts = [_Test(part, rules) for part in of.parts]
            self.windows = [_Test(w, rules, reference) for w in of.windows]
            rows = (_rows(reference), _rows(of.current))
            valued = (_valued(reference), _valued(of.current))
        else:
            rows = (_rows(reference), of.rows)
            valued = (_valued(reference), round(of.rows * (1 - (of.null_share or 0.0))))
        self.state = "few" if _short(rows, rules) else None
        enough = not _short(valued, rules)
        if self.state is None:
            self.test, self.p_value = significance(of.statistics, distribution=enough)
            self.effect_of, self.effect = size(of.statistics, distribution=enough)
            if self.p_value is None and not enough:
                self.state = "few"

    def everything(self) -> list[_Test]:
        """Return this test, and those of its parts and windows."""
        return [self, *(t for inner in [*self.parts, *self.windows] for t in inner.everything())]

    def honest(self, rules: Rules) -> Verdict:
        """Return the verdict of this test alone."""
        if self.state is not None:
            return self.state
        if self.p_adjusted is None or self.p_adjusted >= rules.alpha:
            return "stable"
        return "drifted" if (self.effect or 0.0) >= rules.effect else "small"


def _rows(side: Side | None) -> int | None:
    return None if side is None else side.rows


def _valued(side: Side | None) -> int | None:
    return None if side is None else side.rows - side.nulls - side.infinite


def _short(rows: tuple[int | None, int | None], rules: Rules) -> bool:
    return any(n is not None and n < rules.min_rows for n in rows)


def _check(columns: Sequence[ColumnDrift], rules: Rules) -> None:
    by_name = {c.name: c for c in columns}
    for name, thresholds in rules.columns.items():
        found = by_name.get(name)
        if found is None:
            raise DriftInputError(
                f"a threshold is set for column {name!r}, which was not compared{hint(name, by_name)}; "
                "take it out of the rules' columns, or give its name as in the data"
            )
        for statistic in thresholds:
            if found.statistics and statistic not in found.statistics:
                raise DriftInputError(
                    f"a threshold is set for {statistic!r} of column {name!r}, which has none; "
                    f"it has {', '.join(found.statistics)}"
                )


def _judged(test: _Test, rules: Rules) -> ColumnDrift:
    column = test.of
    assert isinstance(column, ColumnDrift)
    if test.state == "skipped":
        return column
    parts = [_judged(part, rules) for part in test.parts]
    windows = [_window(w, rules) for w in test.windows]
    update: dict[str, Any] = {
        "test": test.test, "p_value": test.p_value, "p_adjusted": test.p_adjusted, "effect": test.effect,
        "effect_of": test.effect_of, "threshold": rules.effect, "parts": parts, "windows": windows,
        "changepoint": None,
    }  # fmt: skip
    if rules.kind == "evidently":
        theirs = evidently_verdict(column.statistics, column.reference)
        update |= theirs
        verdict, reasons = theirs["verdict"], list(theirs["reasons"])
    else:
        verdict, reasons = test.honest(rules), _why(test, rules)
    for part in parts:
        update |= _worse(update, part)
        if _GRAVITY[part.verdict] > _GRAVITY[verdict]:
            verdict, reasons = part.verdict, []
    if parts and verdict in ("drifted", "small"):
        reasons += [
            f"{part.name}: {why}" for part in parts if part.verdict == verdict for why in part.reasons
        ]
    verdict, reasons, changepoint = _over_time(verdict, reasons, windows, rules)
    fired = [
        f"{words(name)} {_figure(column.statistics[name].value)} >= {limit:g}, as set for this column"
        for name, limit in rules.columns.get(column.name, {}).items()
        if name in column.statistics and column.statistics[name].value >= limit
    ]
    if fired:
        verdict, reasons = "drifted", [*fired, *reasons]
        name = next(iter(rules.columns[column.name]))
        update["threshold"] = rules.columns[column.name][name]
    return column.model_copy(
        update=update | {"verdict": verdict, "reasons": reasons, "changepoint": changepoint}
    )


def _worse(update: Mapping[str, Any], part: ColumnDrift) -> dict[str, Any]:
    """What a whole takes over from its part: the least p-values and the largest effect."""
    found: dict[str, Any] = {}
    if part.p_adjusted is not None and (
        update["p_adjusted"] is None or part.p_adjusted < update["p_adjusted"]
    ):
        found |= {"p_value": part.p_value, "p_adjusted": part.p_adjusted, "test": part.test}
    if part.effect is not None and (update["effect"] is None or part.effect > update["effect"]):
        found |= {"effect": part.effect, "effect_of": part.effect_of}
    return found


def _window(test: _Test, rules: Rules) -> WindowDrift:
    window = test.of
    assert isinstance(window, WindowDrift)
    verdict = test.honest(rules)
    if rules.kind == "evidently":
        verdict = evidently_verdict(window.statistics, test.reference)["verdict"]
    return window.model_copy(
        update={
            "verdict": verdict,
            "p_value": test.p_value,
            "p_adjusted": test.p_adjusted,
            "effect": test.effect,
        }
    )


def _over_time(
    verdict: Verdict, reasons: list[str], windows: Sequence[WindowDrift], rules: Rules
) -> tuple[Verdict, list[str], str | None]:
    """Let the windows speak: drifted ones in a row; from where on it stays so."""
    if not windows:
        return verdict, reasons, None
    longest: list[WindowDrift] = []
    run: list[WindowDrift] = []
    for w in windows:
        if w.verdict == "drifted":
            run.append(w)
            longest = run if len(run) > len(longest) else longest
        elif w.verdict != "few":  # a window too small to tell neither ends a row nor adds to it
            run = []
    changepoint = run[0].window if len(run) >= rules.in_a_row and run else None
    if len(longest) >= rules.in_a_row:
        many = f"{len(longest)} windows in a row" if len(longest) > 1 else "one window"
        where = f"{longest[0].window} to {longest[-1].window}" if len(longest) > 1 else longest[0].window
        said = f"drifted in {many}: {where}"
        return "drifted", [*reasons, said] if verdict == "drifted" else [said], changepoint
    if verdict == "drifted" and rules.in_a_row > 1:
        told = [*reasons, f"but in no {rules.in_a_row} windows in a row, as the rules ask"]
        return "small", told, changepoint
    return verdict, reasons, changepoint


def _figure(value: float) -> str:
    return f"{value:.2f}" if 0.01 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def _why(test: _Test, rules: Rules) -> list[str]:
    """Say in words why the verdict of a test is what it is."""
    column = test.of
    assert isinstance(column, ColumnDrift)
    if test.state == "few":
        rows = [_valued(column.reference), _valued(column.current)]
        least = min(n for n in rows if n is not None) if any(n is not None for n in rows) else 0
        return [f"not enough data: {least} rows with a value on one side, {rules.min_rows} are needed"]
    verdict = test.honest(rules)
    if verdict not in ("drifted", "small") or test.p_adjusted is None:
        return []
    p = "adjusted p < 0.001" if test.p_adjusted < 0.001 else f"adjusted p = {test.p_adjusted:.3f}"
    effect = test.effect or 0.0
    compared = f"effect {_figure(effect)} {'>=' if verdict == 'drifted' else '<'} {rules.effect:g}"
    if test.effect_of is not None:
        compared += f" ({words(test.effect_of)})"
    said = [compared, p]
    psi = column.statistics.get("psi")
    if test.effect_of == "null_shift" and column.reference is not None and column.current is not None:
        said.insert(0, _nulls(column.reference, column.current))
    elif psi is not None:
        said.insert(0, f"PSI {_figure(psi.value)}")
    new = column.statistics.get("new_share")
    if new is not None and new.value >= 0.01 and test.effect_of != "null_shift":
        said.insert(0, f"{new.value:.0%} of rows have a value that is new")
    return [("significant, small: " if verdict == "small" else "") + ", ".join(said)]


def _nulls(reference: Side, current: Side) -> str:
    def share(side: Side) -> str:
        part = (side.nulls + side.infinite) / side.rows if side.rows else 0.0
        return f"{part:.0%}" if part == 0 or part >= 0.01 else f"{part:.1%}"

    infinite = " or infinite" if reference.infinite or current.infinite else ""
    return f"null{infinite} in {share(reference)} of rows before, {share(current)} now"


def drifted(
    columns: Sequence[ColumnDrift],
    schema_changes: Sequence[SchemaChange] = (),
    multivariate: Multivariate | None = None,
    performance: Performance | None = None,
    rules: Rules | None = None,
) -> tuple[bool | None, list[str]]:
    """Return whether the data as a whole drifted, and why. None when nothing could be compared.

    A grave change of the schema, a drifted multivariate part or performance makes the data drifted. Of columns it takes
    any (`max_share=None`) or more than `max_share` of those compared; by evidently's rules half of them or more.

    Examples
    --------
    >>> one = ColumnDrift(name="income", kind="numeric", verdict="drifted", reasons=["PSI 0.41"])
    >>> drifted([one, ColumnDrift(name="age", kind="numeric")])
    (True, ['income: PSI 0.41'])
    >>> drifted([])
    (None, [])
    """
    rules = rules or Rules()
    reasons = [change.words for change in schema_changes if change.grave]
    told = [c for c in columns if c.verdict not in ("skipped", "few")]
    found = [c for c in told if c.verdict == "drifted"]
    share = len(found) / len(told) if told else 0.0
    if rules.max_share is not None:
        enough, limit = share > rules.max_share, f"more than {rules.max_share:.0%}"
    elif rules.kind == "evidently":
        enough, limit = share >= EVIDENTLY_SHARE, f"{EVIDENTLY_SHARE:.0%} or more"
    else:
        enough, limit = bool(found), ""
    if enough and found:
        if limit:
            reasons.append(f"{len(found)} of {len(told)} columns drifted ({share:.0%}; the limit is {limit})")
        found.sort(key=lambda c: -(c.effect or 0.0))
        reasons += [f"{c.name}: {why}" for c in found for why in c.reasons[:1]]
    for part in (multivariate, performance):
        if part is not None and part.verdict == "drifted":
            reasons += part.reasons or ["drifted"]
            enough = True
    if not reasons and not enough and not told and multivariate is None and performance is None:
        return None, []
    return bool(reasons) or enough, reasons
