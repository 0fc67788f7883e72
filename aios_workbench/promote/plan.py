"""Which ticks of a job run, which are recorded as skipped. Pure: no clock, no catalog."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from aios_workbench.promote.interval import Interval
from aios_workbench.promote.schedule import Schedule, zone

#: A tick claimed this late still counts as on time: a busy machine is not a machine that slept.
GRACE_SECONDS = 60.0
#: How many skipped ticks of one absence get a row of their own.
LISTED = 100

Ticks = Schedule | Interval
Missed = Literal["latest", "all", "skip"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A due tick and what becomes of it.

    Attributes
    ----------
    reason : str or None
        Why it does not run; None when it runs.
    late : bool
        True for a tick that passed while no worker lived.
    waits : bool
        True for one that stands for such ticks: it is not given up because another run of the job is going.
    """

    at: float
    reason: str | None
    late: bool
    waits: bool = False

    @property
    def runs(self) -> bool:
        """Whether the tick starts the job."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record now, and when to look again.

    Attributes
    ----------
    ticks : tuple of Tick
        Oldest first.
    cut : bool
        True when there were more skipped ticks than `LISTED`; the oldest are not recorded one by one.
    """

    ticks: tuple[Tick, ...]
    next_tick_at: float | None
    cut: bool = False


def plan(schedule: Ticks, next_tick_at: float, now: float, *, missed: Missed, catch_up: int) -> Plan:
    """Decide over every tick from `next_tick_at` to `now`.

    A tick at most `GRACE_SECONDS` old is on time: it runs. Older ones were missed: "skip" runs none of them;
    "latest" runs the newest due tick and no other; "all" runs the newest `catch_up` of them. Missed ticks that run
    wait for a busy job, and so does a tick on time that stands for missed ones too; what becomes of any other one
    that finds the job busy is for `admit` to say.

    Parameters
    ----------
    next_tick_at : float
        The first tick nobody has decided about, epoch seconds.

    Examples
    --------
    >>> daily = Schedule("0 0 * * *")
    >>> [t.runs for t in plan(daily, 0.0, 2 * 86400.0, missed="latest", catch_up=24).ticks]
    [False, False, True]
    """
    if now < next_tick_at:
        return Plan((), next_tick_at)
    due, cut = schedule.between(next_tick_at, now, max(LISTED, catch_up + 1))
    on_time = due[-1] if due and now - due[-1] <= GRACE_SECONDS else None
    late = [at for at in due if at != on_time]
    made_up = _made_up(late, on_time, missed, catch_up)
    reasons = {at: _why(at, due[-1], missed, catch_up, schedule) for at in late if at not in made_up}
    ticks = [Tick(at, reasons.get(at), late=True, waits=True) for at in late]
    if on_time is not None:
        ticks.append(Tick(on_time, None, late=False, waits=bool(late) and missed != "skip"))
    return Plan(tuple(ticks), schedule.next_after(now), cut)


def _made_up(late: list[float], on_time: float | None, missed: Missed, catch_up: int) -> set[float]:
    if missed == "all":
        return set(late[-catch_up:])
    if missed == "latest" and on_time is None:
        return set(late[-1:])
    return set()


def _why(at: float, newest: float, missed: Missed, catch_up: int, schedule: Ticks) -> str:
    if missed == "all":
        return f"missed: no worker was running, and only the newest {catch_up} are made up for"
    if missed == "skip" or at == newest:
        return "missed: no worker was running"
    other = dt.datetime.fromtimestamp(newest, zone(schedule.timezone))
    return f"missed: no worker was running; the run of {other:%Y-%m-%d %H:%M} stands for it"


def rearmed(schedule: Ticks, next_tick_at: float | None, now: float) -> float | None:
    """Return the next tick after the clock was set back: never later than the first one after `now`.

    A job must not sleep through the years a wrong clock was ahead. Ticks that already have a row cannot
    fire again: the catalog holds one row per job and tick.
    """
    first = schedule.next_after(now)
    if next_tick_at is None or first is None:
        return first
    return min(next_tick_at, first)
