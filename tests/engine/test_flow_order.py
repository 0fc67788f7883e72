"""Who goes next: never more than there is, no standstill, fair between workflows, priorities that age."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.engine.flow.order import AGEING, PATIENCE, Resource, Turns, Waiter, Window, decide

NAMES = ("api", "cpu", "gpu")


class Desk:
    """Resources with those who wait and those who hold, as the tables keep them."""

    def __init__(self, **capacities: int) -> None:
        self.resources = {n: Resource(n, c) for n, c in capacities.items()}
        self.turns, self.waiters = Turns(), {}
        self.holders: dict[str, Waiter] = {}
        self.order: list[Waiter] = []
        self.seq = 0

    def ask(self, workflow: str = "w", priority: int = 0, **wants: int) -> str:
        self.seq += 1
        ticket = f"t{self.seq}"
        turns = {n: self.resources[n].turn for n in wants}
        self.waiters[ticket] = Waiter(
            ticket, workflow, priority, dict(sorted(wants.items())), turns, self.seq
        )
        self.give()
        return ticket

    def give(self) -> list[str]:
        done = decide(self.resources, list(self.waiters.values()), self.turns)
        for waiter in done.granted:
            del self.waiters[waiter.ticket]
            self.holders[waiter.ticket] = waiter
            self.order.append(waiter)
        return [w.ticket for w in done.granted]

    def leave(self, ticket: str) -> list[str]:
        for name, amount in self.holders.pop(ticket).wants.items():
            self.resources[name].held -= amount
        return self.give()

    def serve(self, count: int) -> list[Waiter]:
        """Let the oldest holder leave, so many times; return whom that let in."""
        before = len(self.order)
        for _ in range(count):
            if self.holders:
                self.leave(next(iter(self.holders)))
        return self.order[before:]


requests = st.tuples(
    st.sampled_from("abc"), st.integers(-2, 2),
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 2), min_size=1),
)  # fmt: skip


@given(st.tuples(*[st.integers(2, 4)] * 3), st.lists(st.one_of(requests, st.integers(0, 20)), max_size=60))
def test_never_above_capacity_and_never_a_standstill(there: tuple[int, ...], does: list[Any]) -> None:
    desk = Desk(**dict(zip(NAMES, there, strict=True)))
    for what in does:
        if isinstance(what, int):
            if desk.holders:
                desk.leave(list(desk.holders)[what % len(desk.holders)])
        else:
            workflow, priority, wants = what
            desk.ask(workflow, priority, **wants)
        for name, resource in desk.resources.items():
            used = sum(w.wants.get(name, 0) for w in desk.holders.values())
            assert used == resource.held <= (resource.capacity or 0)
    left = len(desk.waiters)
    for _ in range(len(desk.waiters) + len(desk.holders)):
        if desk.holders:
            desk.leave(next(iter(desk.holders)))
    assert not desk.waiters, f"{left} waited, and {len(desk.waiters)} still do with everything free"


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6))
def test_each_of_k_workflows_gets_every_kth_permit(queued: list[int]) -> None:
    desk = Desk(gpu=1)
    desk.ask("first", gpu=1)
    for n, count in enumerate(queued):
        for _ in range(count):
            desk.ask(f"w{n}", gpu=1)
    waiting = {f"w{n}": count for n, count in enumerate(queued)}
    since = dict.fromkeys(waiting, 0)
    for waiter in desk.serve(sum(queued)):
        for name, left in waiting.items():
            since[name] = 0 if name == waiter.workflow or not left else since[name] + 1
            assert since[name] < len(queued)
        waiting[waiter.workflow] -= 1
    assert set(waiting.values()) == {0}


def test_one_with_a_thousand_runs_does_not_starve_another() -> None:
    desk = Desk(gpu=1)
    for _ in range(1_000):
        desk.ask("many", gpu=1)
    desk.serve(300)
    desk.ask("few", gpu=1)
    assert [w.workflow for w in desk.serve(1)] == ["few"]


def test_the_higher_priority_goes_first_then_age() -> None:
    desk = Desk(gpu=1)
    desk.ask(gpu=1)
    asked = [desk.ask("w", p, gpu=1) for p in (0, 5, -5, 5)]
    assert [w.ticket for w in desk.serve(4)] == [asked[1], asked[3], asked[0], asked[2]]


@given(st.integers(1, 6))
def test_a_low_priority_waits_long_but_not_for_ever(above: int) -> None:
    desk = Desk(gpu=1)
    desk.ask("high", above, gpu=1)
    low = desk.ask("low", 0, gpu=1)
    waited = 0
    while low not in desk.holders:
        desk.ask("high", above, gpu=1)
        desk.serve(1)
        waited += 1
    assert AGEING * above <= waited <= AGEING * (above + 1) + 1  # it was a priority, and it aged


def test_who_does_not_fit_is_passed_by_a_bounded_number_of_times() -> None:
    desk = Desk(gpu=2)
    desk.ask(gpu=1)
    big = desk.ask("big", gpu=2)
    small = [desk.ask("small", gpu=1) for _ in range(PATIENCE * 3)]
    passed = 0
    while big not in desk.holders:
        done = desk.leave(next(t for t in desk.holders if t != big))
        passed += len([t for t in done if t in small])
    assert passed <= PATIENCE
    assert desk.resources["gpu"].held == 2


def test_a_free_resource_is_not_kept_idle_for_one_that_waits_for_a_closed_one() -> None:
    desk = Desk(gpu=1, api=0)
    desk.ask("both", gpu=1, api=1)
    for _ in range(PATIENCE * 3):
        assert desk.leave(desk.ask("one", gpu=1)) == []
    assert not desk.holders
    assert [w.workflow for w in desk.waiters.values()] == ["both"]


def test_several_resources_are_given_together_or_not_at_all() -> None:
    desk = Desk(gpu=1, api=1)
    holds = desk.ask(gpu=1)
    both = desk.ask("both", gpu=1, api=1)
    assert desk.resources["api"].held == 0
    assert desk.leave(holds) == [both]
    assert desk.resources["api"].held == 1


@given(
    st.integers(1, 5), st.floats(1, 60),
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 3)), max_size=60),
)  # fmt: skip
def test_no_window_holds_more_uses_than_the_rate_says(count: int, seconds: float, does: list[Any]) -> None:
    uses: dict[int, float] = {}
    used, now, given_at = 0, 1_000.0, []
    for pause, amount in does:
        now += pause
        window = Window(count, seconds, used, now, uses.get)
        opens = window.opens(amount)
        assert (opens == math.inf) == (amount > count)
        if opens > now and opens != math.inf and opens - now <= pause:
            now = window.now = opens
        if window.opens(amount) <= now:
            window.take(amount)
            uses |= window.taken
            used = window.used
            given_at += [now] * amount
    for start in given_at:
        assert sum(start <= at < start + seconds for at in given_at) <= count


@pytest.mark.parametrize("waits", [0.0, 30.0, 59.9])
def test_a_full_window_says_when_it_opens(waits: float) -> None:
    resource = Resource("api", None, window=Window(2, 60.0, 2, 100.0 + waits, {0: 100.0, 1: 130.0}.get))
    done = decide({"api": resource}, [Waiter("t", "w", 0, {"api": 1}, {"api": 0}, 1)], Turns())
    assert done.granted == []
    assert done.opens == 160.0
