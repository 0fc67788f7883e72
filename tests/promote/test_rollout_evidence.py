"""The statistics of a rollout: no more false alarms than promised, however often one looks, and no missed disaster."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.promote.rollout.evidence import above_share, worse_pairs, worse_than, worse_than_before
from aios_workbench.promote.rollout.judge import Seen, judge
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.promote.spec_parts import Slo

ALPHA = 0.05
CANARY = {"mode": "canary", "share": 0.5, "version": 2, "base_version": 1}
SHADOW = {**CANARY, "mode": "shadow"}


def alarm(
    new: float, base: float, share: float, count: int, prior: tuple[int, int], rng: random.Random
) -> bool:
    """Look after every run of one rollout: is there ever an alarm?"""
    kinds = ["new" if rng.random() < share else "base" for _ in range(count)]
    runs = [(kind, rng.random() < (new if kind == "new" else base)) for kind in kinds]
    return any(value >= 1 / ALPHA for value in worse_than(runs, prior))


@pytest.mark.parametrize(("share", "prior"), [(0.2, (0, 0)), (0.5, (0, 50)), (0.2, (25, 50)), (0.9, (1, 9))])
@pytest.mark.parametrize("bad", [0.02, 0.1, 0.4])
def test_false_alarms_of_a_canary_that_is_no_worse(bad: float, share: float, prior: tuple[int, int]) -> None:
    """Also where the base did otherwise before. Of 200 alarms at 5 %, 19 or more come in 1 of 200 cases by chance."""
    rng = random.Random(f"{bad} {share} {prior}")
    assert sum(alarm(bad, bad, share, 200, prior, rng) for _ in range(200)) < 19


@pytest.mark.parametrize(("new", "base", "least"), [(1.0, 0.0, 100), (0.5, 0.02, 100), (0.3, 0.03, 80)])
def test_a_worse_version_is_caught(new: float, base: float, least: int) -> None:
    rng = random.Random(f"{new} {base}")
    assert sum(alarm(new, base, 0.2, 400, (1, 50), rng) for _ in range(100)) >= least


def exact_chance(share: float, true: float, count: int) -> float:
    """The chance that `above_share` ever alarms in `count` runs: reckoned, not simulated."""
    alive, alarmed = {0: 1.0}, 0.0
    for n in range(1, count + 1):
        ahead: dict[int, float] = {}
        for k, p in alive.items():
            for bad, q in ((0, 1 - true), (1, true)):
                if above_share(k + bad, n, share) >= 1 / ALPHA:
                    alarmed += p * q
                else:
                    ahead[k + bad] = ahead.get(k + bad, 0.0) + p * q
        alive = ahead
    return alarmed


@pytest.mark.parametrize(("share", "true"), [(0.05, 0.05), (0.2, 0.2), (0.5, 0.5), (0.2, 0.1)])
def test_false_alarms_against_a_promise(share: float, true: float) -> None:
    assert exact_chance(share, true, 120) <= ALPHA
    assert exact_chance(share, min(0.95, 5 * share), 120) > 0.95


@given(st.integers(0, 12), st.floats(0.0, 0.95), st.floats(0.0, 1.0))
@settings(max_examples=60)
def test_its_expectation_is_never_above_one(count: int, share: float, true: float) -> None:
    true *= share  # any share that keeps the promise
    expected = math.fsum(
        math.comb(count, k) * true**k * (1 - true) ** (count - k) * min(above_share(k, count, share), 1e300)
        for k in range(count + 1)
        if true or k == 0
    )
    assert expected <= 1 + 1e-9


@given(
    st.lists(st.sampled_from(["new", "base"]), max_size=8), st.floats(0.0, 1.0), st.floats(0.0, 1.0),
    st.tuples(st.integers(0, 20), st.integers(20, 40)),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_neither_is_that_of_a_comparison(
    kinds: list[str], base: float, part: float, prior: tuple[int, int]
) -> None:
    new, total = part * base, 0.0
    for outcome in itertools.product((False, True), repeat=len(kinds)):
        chance = math.prod(
            (p if bad else 1 - p)
            for kind, bad in zip(kinds, outcome, strict=True)
            for p in [new if kind == "new" else base]
        )
        values = list(worse_than(zip(kinds, outcome, strict=True), prior))
        total += chance * (values[-1] if values else 1.0)
    assert total <= 1 + 1e-9


@pytest.mark.parametrize(("true", "count"), [(0.02, 50), (0.1, 20), (0.4, 50), (0.3, 5)])
def test_false_alarms_with_no_base_beside(true: float, count: int) -> None:
    """Over every history the base may have, and every course of 60 runs after it: reckoned, not simulated."""
    total = 0.0
    for bad in range(count + 1):
        chance = math.comb(count, bad) * true**bad * (1 - true) ** (count - bad)
        alive, alarmed = {0: 1.0}, 0.0
        for n in range(1, 61) if chance > 1e-5 else ():
            ahead: dict[int, float] = {}
            for k, p in alive.items():
                for more, q in ((0, 1 - true), (1, true)):
                    if worse_than_before(k + more, n, (bad, count), ALPHA) >= 1 / ALPHA:
                        alarmed += p * q
                    else:
                        ahead[k + more] = ahead.get(k + more, 0.0) + p * q
            alive = {k: p for k, p in ahead.items() if p > 1e-7}
        total += chance * alarmed
    assert total <= ALPHA


def test_all_runs_at_once_are_judged_by_what_was_before() -> None:
    all_runs = {**CANARY, "share": 1.0}
    assert judge(seen(*[True] * 6), Rules(), None, all_runs, (0, 50)).decision == "roll_back"
    assert judge(seen(*[True] * 6), Rules(), None, all_runs, (5, 5)).decision is None  # it always failed
    assert (
        judge(seen(*[True] * 6), Rules(), None, all_runs, (0, 0)).decision is None
    )  # nothing to compare with
    assert judge(seen(*[True] * 6), Rules(), Slo(failures=0.2), all_runs).decision == "roll_back"


def test_pairs_that_agree_say_nothing() -> None:
    assert worse_pairs(0, 0) == pytest.approx(1.0)
    assert worse_pairs(9, 0) >= 20 > worse_pairs(9, 9)


def seen(*bads: bool, role: str = "canary", seconds: float = 1.0, start: int = 0) -> list[Seen]:
    return [
        Seen(f"{role}{start + i}", role, "failed" if bad else "succeeded", seconds)
        for i, bad in enumerate(bads)
    ]


def mixed(new: list[Seen], base: list[Seen]) -> list[Seen]:
    return [run for both in zip(base, new, strict=True) for run in both]


def pairs(count: int, differing: int, **said: object) -> list[Seen]:
    own = seen(*[False] * count, role="base")
    return own + [
        Seen(f"s{i}", "shadow", "succeeded", 1.0, run.run_id, ("x",) if i < differing else ())
        for i, run in enumerate(own)
    ]


def test_rolled_back_for_failures() -> None:
    runs = mixed(seen(*[True] * 8), seen(*[False] * 8, role="base"))
    found = judge(runs, Rules(), None, CANARY, (0, 50))
    assert found.decision == "roll_back"
    assert found.reason.startswith("8 of 8 runs of version 2 failed, of version 1 0 of 8 (e-value ")
    assert judge(runs[:4], Rules(), None, CANARY, (0, 50)).decision is None


def test_rolled_back_for_a_broken_promise() -> None:
    slow = mixed(seen(*[False] * 4, seconds=70.0), seen(*[False] * 4, role="base", seconds=70.0))
    found = judge(slow, Rules(), Slo(within=60), CANARY)
    assert (found.decision, found.new.slow, found.base.slow) == ("roll_back", 4, 4)
    assert "4 of 4 runs of version 2 failed or took too long; the job promises at most 0.05" in found.reason
    assert judge(slow, Rules(), Slo(within=80), CANARY).decision is None
    once = mixed(seen(*[True]), seen(*[True], role="base"))
    strict = judge(once, Rules(), Slo(failures=0), CANARY)
    assert (strict.decision, strict.to_dict()["e_values"]["promise"]) == ("roll_back", None)
    assert judge(once, Rules(), Slo(failures=0.1), CANARY).decision is None


def test_rolled_back_for_differences() -> None:
    assert judge(pairs(10, 10), Rules(), None, SHADOW).decision is None  # only listed
    assert judge(pairs(10, 1), Rules(max_difference=0), None, SHADOW).decision == "roll_back"
    found = judge(pairs(10, 8), Rules(max_difference=0.2), None, SHADOW)
    assert found.decision == "roll_back"
    assert found.reason.startswith(
        "8 of 10 runs of version 2 gave something else than version 1; 0.2 of them may"
    )
    assert judge(pairs(10, 2), Rules(max_difference=0.2), None, SHADOW).decision is None
    unfinished = [*pairs(2, 0), Seen("s9", "shadow", "succeeded", 1.0, "gone")]
    assert judge(unfinished, Rules(max_difference=0), None, SHADOW).compared == 2


def test_a_shadow_is_judged_in_pairs() -> None:
    """What breaks both speaks against neither."""
    base = seen(*[True] * 30, role="base")
    both = [Seen(f"s{i}", "shadow", "failed", 1.0, run.run_id) for i, run in enumerate(base)]
    assert judge([*base, *both], Rules(), None, SHADOW).e_values["worse"] == pytest.approx(1.0)
    well = seen(*[False] * 12, role="base")
    alone = [Seen(f"s{i}", "shadow", "timeout", 1.0, run.run_id) for i, run in enumerate(well)]
    assert judge([*well, *alone], Rules(), None, SHADOW).decision == "roll_back"


def test_promoted_after_good_runs_only() -> None:
    runs = mixed(seen(*[False] * 6), seen(*[False] * 6, role="base"))
    assert judge(runs, Rules(runs=6, promote=True), None, CANARY).decision == "promote"
    assert judge(runs, Rules(runs=7, promote=True), None, CANARY).reason == "6 of 7 good runs"
    by_hand = judge(runs, Rules(runs=6), None, CANARY)
    assert (by_hand.decision, by_hand.reason[:40]) == (None, "6 good runs: it may take the other's pla")
    some = mixed(seen(*[True], *[False] * 6), seen(*[False] * 7, role="base"))
    held = judge(some, Rules(runs=6, promote=True), Slo(failures=0.1), CANARY)
    assert (held.decision, held.reason) == (None, "1 of 7 runs are bad; more good ones are needed")
    differ = judge(pairs(6, 1), Rules(runs=6, promote=True, max_difference=0.1), None, SHADOW)
    assert (differ.decision, differ.reason) == (None, "1 of 6 runs differ; more equal ones are needed")
    assert judge([], Rules(promote=True), Slo(within=5), CANARY).decision is None
