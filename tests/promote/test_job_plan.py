from __future__ import annotations

from typing import get_args

import cron_model
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.promote.plan import GRACE_SECONDS, LISTED, Missed, Tick, plan, rearmed
from aios_workbench.promote.schedule import Schedule

HOUR = 3600.0
T0 = 1_800_000_000.0  # a whole hour
HOURLY = Schedule("0 * * * *")


def decide(now: float, missed: Missed, *, busy: bool = False, catch_up: int = 24) -> list[tuple[float, str]]:
    """Say what becomes of each tick, with "overlap" for those that would not wait for a busy job."""
    found = plan(HOURLY, T0, now, missed=missed, catch_up=catch_up).ticks
    words = ["run" if t.reason is None else t.reason.partition(":")[0] for t in found]
    words = ["overlap" if busy and t.runs and not t.waits else w for t, w in zip(found, words, strict=True)]
    return [((t.at - T0) / HOUR, word) for t, word in zip(found, words, strict=True)]


@pytest.mark.parametrize("missed", get_args(Missed))
def test_on_time(missed: Missed) -> None:
    assert decide(T0 - 0.001, missed) == []
    assert decide(T0, missed) == [(0, "run")]
    assert decide(T0 + GRACE_SECONDS, missed) == [(0, "run")]
    assert decide(T0 + 1, missed, busy=True) == [(0, "overlap")]


@pytest.mark.parametrize(
    ("missed", "now", "busy", "expected"),
    [
        # three ticks passed, the newest an hour ago
        ("skip", 2.5, False, ["missed", "missed", "missed"]),
        ("latest", 2.5, False, ["missed", "missed", "run"]),
        ("all", 2.5, False, ["run", "run", "run"]),
        # two passed, one is just due
        ("skip", 2.0, False, ["missed", "missed", "run"]),
        ("latest", 2.0, False, ["missed", "missed", "run"]),
        ("all", 2.0, False, ["run", "run", "run"]),
        # the same while a run (say, one just taken over from a dead worker) is going
        ("skip", 2.0, True, ["missed", "missed", "overlap"]),
        ("latest", 2.0, True, ["missed", "missed", "run"]),
        ("all", 2.0, True, ["run", "run", "run"]),
        ("latest", 2.5, True, ["missed", "missed", "run"]),
        ("skip", 2.5, True, ["missed", "missed", "missed"]),
    ],
)
def test_after_an_absence(missed: Missed, now: float, busy: bool, expected: list[str]) -> None:
    assert [word for _, word in decide(T0 + now * HOUR, missed, busy=busy)] == expected


def test_all_is_bounded() -> None:
    words = [word for _, word in decide(T0 + 50.5 * HOUR, "all", catch_up=5)]
    assert words == ["missed"] * 46 + ["run"] * 5


def test_skipped_ticks_say_what_stands_for_them() -> None:
    first, *_ = plan(
        Schedule("0 0 * * *", "Europe/Berlin"), T0, T0 + 72 * HOUR, missed="latest", catch_up=1
    ).ticks
    assert first.reason == "missed: no worker was running; the run of 2027-01-18 00:00 stands for it"


def test_a_long_absence_is_cut() -> None:
    found = plan(Schedule("* * * * *"), T0, T0 + 365 * 24 * HOUR + 30, missed="latest", catch_up=24)
    assert found.cut
    assert len(found.ticks) == LISTED
    assert [t.runs for t in found.ticks] == [False] * (LISTED - 1) + [True]


@given(
    cron=cron_model.crons,
    moment=cron_model.moments(),
    absence=st.integers(0, 2880 * 60),
    missed=st.sampled_from(get_args(Missed)),
    busy=st.booleans(),
    catch_up=st.integers(1, 30),
)
@settings(max_examples=80, deadline=None)
def test_against_every_minute(
    cron: str, moment: tuple[str, float], absence: int, missed: Missed, busy: bool, catch_up: int
) -> None:
    zone, start = moment
    schedule, now = Schedule(cron, zone), start + absence
    first = schedule.next_after(start)
    assert first is not None
    found = plan(schedule, first, now, missed=missed, catch_up=catch_up)

    due = cron_model.ticks(cron, zone, start + 60, start + 60 * (absence // 60))
    listed = due[-max(LISTED, catch_up + 1) :]
    assert [t.at for t in found.ticks] == listed
    assert found.cut == (len(listed) < len(due))
    assert found.next_tick_at is not None
    assert found.next_tick_at > now
    assert cron_model.ticks(cron, zone, start + 60, found.next_tick_at - 1)[-1:] in ([], due[-1:])

    late = [t for t in found.ticks if now - t.at > GRACE_SECONDS]
    prompt = [t for t in found.ticks if now - t.at <= GRACE_SECONDS]
    assert all(t.late for t in late[:-1])
    ran = [t.at for t in found.ticks if t.runs and not (busy and not t.waits)]
    if missed == "skip":
        assert ran == ([] if busy else [t.at for t in prompt[-1:]])
    elif missed == "latest":
        assert ran == ([] if busy and len(found.ticks) == 1 and prompt else listed[-1:])
    elif not (busy and len(found.ticks) == 1 and prompt):
        made_up = [t.at for t in found.ticks if t.late]
        assert ran == sorted({*made_up[-catch_up:], *(t.at for t in found.ticks if not t.late)})


@given(cron=cron_model.crons, moment=cron_model.moments(), ahead=st.integers(-(10**6), 10**8))
@settings(max_examples=50, deadline=None)
def test_a_clock_set_back_lets_no_job_sleep(cron: str, moment: tuple[str, float], ahead: int) -> None:
    zone, now = moment
    schedule = Schedule(cron, zone)
    waiting = schedule.next_after(now + ahead)
    again = rearmed(schedule, waiting, now)
    assert again is not None
    assert waiting is not None
    assert again <= waiting
    assert again == min(waiting, schedule.next_after(now) or waiting)


def test_a_tick_is_small() -> None:
    assert Tick(T0, None, late=False).runs
