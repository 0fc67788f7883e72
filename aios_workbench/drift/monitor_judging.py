"""What a monitor makes of its windows: verdicts, changepoints, alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from aios_workbench.drift import summary
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.models import Rules
from aios_workbench.drift.monitor_store import Store
from aios_workbench.drift.monitor_windows import LENGTHS, place_named
from aios_workbench.drift.profiles import Profile
from aios_workbench.drift.report import DriftReport
from aios_workbench.drift.seasons import Season, changepoints, phase

Row = dict[str, Any]
#: Earlier windows of the same phase that are compared with, together.
_SEASONS = 4
#: Ends the name of what is of one season.
OF_SEASON = ", same season"


def judged(name: str, whole: Profile, references: Sequence[Profile], rules: Rules) -> DriftReport:
    """Compare a window with its references; of several the one it is nearest to."""
    plain = rules.model_copy(update={"in_a_row": 1})
    reports = [compare(reference, whole, rules=plain, name=name) for reference in references]
    return min(reports, key=lambda r: (r.drifted is True, r.share, max(_effects(r).values(), default=0.0)))


def of_season(store: Store, row: Row, known: Sequence[Row], season: Season, length: float) -> Profile | None:
    """Return earlier windows of one's phase of the season, together; None while there are none.

    One that had drifted from its own season is left out; one that was compared with the reference, as there was no
    season to compare it with yet, is not: it may be different because its season is.

    Parameters
    ----------
    length : float
        Seconds of a window.
    """
    own = phase(row["starts_at"], season, length)
    same = [
        w
        for w in known
        if w["starts_at"] < row["starts_at"] and w["status"] == "closed"
        and not (w["drifted"] and str(w["compared_with"]).endswith(OF_SEASON))
        and phase(w["starts_at"], season, length) == own
    ]  # fmt: skip
    same = sorted(same, key=lambda w: w["starts_at"])[-_SEASONS:]
    profiles = [store.profile(w["profile"]) for w in same]
    return together(profiles, f"{len(profiles)} earlier windows") if profiles else None


def together(profiles: Sequence[Profile], words: str) -> Profile:
    """Return profiles of one phase of a season as one."""
    return replace(reduce(lambda one, two: one.merged(two), profiles), name=f"{words}{OF_SEASON}")


def phases(whole: Profile, by: str, season: Season, length: float) -> dict[int, Profile]:
    """Return what a profile split by a unit of time has of each phase of a season."""
    found: dict[int, list[Profile]] = {}
    for name in whole.windows:
        where = place_named(name, by)
        if where is not None:
            found.setdefault(phase(where.starts_at, season, length), []).append(whole.window(name))
    return {p: together(parts, whole.name) for p, parts in found.items()}


def unit_of(length: float) -> str | None:
    """Return the longest unit of time that is no longer than a window; None when it is shorter than an hour."""
    return next((by for by in ("month", "week", "day", "hour") if LENGTHS[by] <= length), None)


def figures(report: DriftReport) -> Row:
    """Return what a window's row says of its report."""
    told = [c for c in report.stored().columns if c.verdict == "drifted"]
    gone = [c.column for c in report.schema_changes if c.grave]
    return {
        "drifted": None if report.drifted is None else int(report.drifted), "share": report.share,
        "summary": report.stored().summary, "compared_with": report.data.reference.name,
        "drifted_columns": list(dict.fromkeys([*(c.name for c in told), *gone])), "effects": _effects(report),
    }  # fmt: skip


def _effects(report: DriftReport) -> dict[str, float]:
    return {c.name: c.effect for c in report.data.columns if c.effect is not None}


def mark_changepoints(windows: Sequence[Row]) -> list[Row]:
    """Mark the windows from which on a column is further from its reference, or nearer, than before.

    Returns
    -------
    list of dict
        The rows that are marked otherwise than before.
    """
    closed = [w for w in windows if w["status"] == "closed" and w.get("effects")]
    names = dict.fromkeys(name for w in closed for name in w["effects"])
    found: dict[str, list[str]] = {}
    series: dict[str, Sequence[float]] = {}
    places: dict[str, list[Row]] = {}
    for name in names:
        places[name] = [w for w in closed if name in w["effects"]]
        series[name] = [float(w["effects"][name]) for w in places[name]]
    for name, change in changepoints(series).items():
        found.setdefault(places[name][change.index]["window_id"], []).append(name)
    changed = []
    for w in windows:
        marks = found.get(w["window_id"])
        if marks != w.get("changepoint"):
            w["changepoint"] = marks
            changed.append(w)
    return changed


def alert(monitor: str, state: str, windows: Sequence[Row], in_a_row: int) -> tuple[str, Row | None]:
    """Return the state after the closed windows, and the alert where it changes.

    Windows that cannot be told (too few rows) neither end a row nor add to it.
    """
    told = [w for w in windows if w["status"] == "closed" and w["drifted"] is not None]
    last = told[-in_a_row:]
    if len(last) < in_a_row:
        return state, None
    newest = last[-1]
    if state == "quiet" and all(w["drifted"] for w in last):
        columns = list(dict.fromkeys(c for w in reversed(last) for c in w["drifted_columns"]))
        row = f"drifted in {in_a_row} windows in a row, " if in_a_row > 1 else "drifted in window "
        text = f"monitor '{monitor}' {row}{_span(last)}: {newest['summary']}"
        return "alert", {
            "window_id": newest["window_id"],
            "kind": "drift",
            "drifted_columns": columns,
            "message": text,
        }
    if state == "alert" and not any(w["drifted"] for w in last):
        calm = "has recovered" + (f" for {in_a_row} windows" if in_a_row > 1 else "")
        text = f"monitor '{monitor}' {calm}, {_span(last)}: {newest['summary']}"
        return "quiet", {
            "window_id": newest["window_id"],
            "kind": "recovered",
            "drifted_columns": [],
            "message": text,
        }
    return state, None


def _span(windows: Sequence[Row]) -> str:
    first, last = (summary.shown(w["window_id"]) for w in (windows[0], windows[-1]))
    return first if first == last else f"{first} to {last}"
