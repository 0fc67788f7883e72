"""The two sides of a comparison, opened and counted on one plan. A stored reference is not read again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aios_workbench.drift._together import beside
from aios_workbench.drift.kinds import ColumnRole, infer
from aios_workbench.drift.models import Kind, SourceInfo
from aios_workbench.drift.plan import ColumnPlan, Plan
from aios_workbench.drift.plan import plan as make_plan
from aios_workbench.drift.profiles import Profile, Progress, profile_of
from aios_workbench.drift.schema import Facts, alike
from aios_workbench.drift.sources import Source, open_source
from aios_workbench.drift.tables import CountTable, NumberTable
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Sides:
    """Both sides; a side's source and sample are None where it is a stored profile.

    `extra` are columns that only the current side has, counted so that a new name for an old column can be told.
    """

    plan: Plan
    reference: Profile
    current: Profile
    sources: tuple[Source | None, Source | None]
    samples: tuple[pd.DataFrame | None, pd.DataFrame | None]
    by: str | None
    extra: Profile | None = None
    roles: dict[str, ColumnRole] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """What was done to read either side."""
        return [f"{side.name}: {note}" for side in (self.reference, self.current) for note in side.notes]

    def info(self) -> tuple[SourceInfo, SourceInfo]:
        """Return what a report says of both."""
        return self.reference.info(), self.current.info()

    def facts(self) -> tuple[dict[str, Facts], dict[str, Facts]]:
        """Return what `schema.changes` compares; columns that were left out on purpose are not in it."""
        there = self.current.types
        # labels come later than the rows: that they are not there yet is no change
        late = {c for c in self.plan.role("target") if c not in there}
        a = {c: _facts(self.reference, c) for c in self.plan.columns if c not in late}
        b = {c: _facts(self.current, c) for c in self.plan.columns if c in there}
        if self.extra is not None:
            b |= {c: _facts(self.extra, c) for c in self.extra.plan.columns}
        return a, b


def _facts(side: Profile, column: str) -> Facts:
    how = side.plan.columns[column]
    table = side.columns.get(column)
    distinct = (
        table.distinct if how.kind == "id" and isinstance(table, CountTable) and table.distinct else None
    )
    counted = table if how.kind != "id" and isinstance(table, NumberTable | CountTable) else None
    return Facts(side.types.get(column, how.type), how.kind, counted, distinct)


def open_sides(
    reference: Any, current: Any, *, names: tuple[str, str] = ("reference", "current"), by: str | None = None,
    time: str | None = None, kinds: Mapping[str, Kind] | None = None, target: str | None = None,
    prediction: str | None = None, score: str | Sequence[str] | None = None,
    embeddings: Sequence[str] | None = None, columns: Sequence[str] | None = None, sample_rows: int = 20_000,
    seed: int = 0, progress: Progress | None = None, memory_limit: str | int | None = None,
    threads: int | None = None,
) -> Sides:  # fmt: skip
    """Open and count both sides; see `compare`.

    Raises
    ------
    DriftInputError
        When a side cannot be read, or two profiles were counted on different plans.
    """
    limits: dict[str, Any] = {"memory_limit": memory_limit, "threads": threads}
    one, two = (
        None if isinstance(x, Profile) else open_source(x, name=_named(x, name), **limits)
        for x, name in zip((reference, current), names, strict=True)
    )
    if one is None:
        first: Profile = reference
        _only_without(first, kinds=kinds, embeddings=embeddings)
        a, plan = None, _narrowed(first, columns, target, prediction, score)
    else:
        _some(one)
        a = one.sample(sample_rows, seed)
        roles = infer(one, kinds, target, prediction, score, embeddings, columns=columns, sample=a)
        own_time = time if time is None or time in one.columns else None
        plan = make_plan(one, roles, sample=a, time=own_time)
    with _sampled(two, sample_rows, seed + 1) as drawn:
        if one is not None:  # windows are of the current side; the reference is one
            first = profile_of(one, plan, sample=a, progress=_part(progress, 0.0, 0.45))
        b = drawn.result()
    if two is None:
        second: Profile = current
        if not plan.like(second.plan):
            raise DriftInputError(
                f"the profile of {second.name} was counted on another plan than {first.name}; make it with "
                "profile(…, like=reference)"
            )
        by = second.by
    else:
        second = profile_of(two, plan, by=by, time=time, sample=b, progress=_part(progress, 0.45, 0.9))
    made = Sides(plan, first, second, (one, two), (a, b), by)
    if two is not None and columns is None:
        made.extra = _extra(made, two, b)
    return made


def _sampled(
    source: Source | None, n: int, seed: int
) -> contextlib.AbstractContextManager[Future[pd.DataFrame | None]]:
    """Draw a sample while the other side is counted; at once where only one thread may."""
    if source is not None and source.threads > 1:
        return beside(lambda: source.sample(n, seed), stop=source.con.interrupt)
    drawn: Future[pd.DataFrame | None] = Future()
    drawn.set_result(None if source is None else source.sample(n, seed))
    return contextlib.nullcontext(drawn)


def _named(x: Any, name: str) -> str | None:
    """Files and runs have names of their own; frames are called by their side."""
    return (
        name if not isinstance(x, str) and not hasattr(x, "__fspath__") and not hasattr(x, "run_id") else None
    )


def _some(source: Source) -> None:
    if not source.rows:
        raise DriftInputError(f"{source.name} has no rows; a reference needs some to compare with")


def _part(progress: Progress | None, start: float, end: float) -> Callable[[float, str], None] | None:
    if progress is None:
        return None
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


def _only_without(reference: Profile, **options: Any) -> None:
    for name, value in options.items():
        if value:
            raise DriftInputError(
                f"{name}= is for data that is read, and {reference.name} is a profile with its own; give {name}= when "
                "the profile is made"
            )


def _narrowed(
    reference: Profile, columns: Sequence[str] | None, target: str | None, prediction: str | None,
    score: str | Sequence[str] | None,
) -> Plan:  # fmt: skip
    """Return the reference's plan with only these columns; roles given must be those it was made with."""
    plan = reference.plan
    scores = [score] if isinstance(score, str) else list(score or ())
    for role, names in (("target", [target]), ("prediction", [prediction]), ("score", scores)):
        for name in names:
            if name is not None and plan.columns.get(name, ColumnPlan(kind="id", type="")).role != role:
                raise DriftInputError(
                    f"{name!r} is not the {role} of the profile {reference.name}; give {role}= when the profile is made"
                )
    if columns is None:
        return plan
    for name in columns:
        if name not in plan.columns:
            from aios_workbench.errors import hint

            raise DriftInputError(
                f"the profile of {reference.name} has no column {name!r}{hint(name, plan.columns)}"
            )
    kept = {c: p for c, p in plan.columns.items() if c in columns or p.role != "feature"}
    return plan.model_copy(update={"columns": kept})


def _extra(sides: Sides, source: Source, sample: pd.DataFrame | None) -> Profile | None:
    """Count columns that only the current side has, on the grid of the missing column that is named most alike."""
    known = sides.reference.types
    new = [c for c in source.columns if c not in known]
    missing = [c for c in sides.plan.columns if c not in source.columns]
    if not new:
        return None
    roles = infer(source, columns=new, sample=sample)
    own = make_plan(source, {c: roles[c] for c in new}, sample=sample)
    for name, how in own.columns.items():
        if how.kind == "numeric" and missing:
            nearest = max(missing, key=lambda m: alike(m, name))
            how.grid = sides.plan.columns[nearest].grid or how.grid
    if not missing:
        return Profile(source.name, own, dict(source.columns), {"": source.rows}, {"": {}})
    return profile_of(source, own, sample=sample)
