"""More than two hundred runs of random workflows, each killed in the middle of something, and their adopters too.

Whatever a journal or the catalog knew as finished at a death is never done again, and nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from engine_kit import Place, run_id, until
from random_flows import ROUNDS, Plan, plan, values

from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

DRIVER = Path(__file__).with_name("random_driver.py")
SEED = 7
KERNELS, EACH = 80, 5  # a kernel's death is one for every run of it that was not over
ADOPTERS = 4
BOUNDARIES = 220  # about two thirds of what a kernel passes
OVER = ("succeeded", "failed", "cancelled")


@dataclass
class Seen:
    """What was known as finished at a moment of general death, and what had been done until then."""

    open: set[str]
    finished: dict[str, set[str]]
    effects: dict[str, Counter[str]]


@dataclass
class Tale:
    """All that happened."""

    plans: dict[str, Plan]
    seen: list[Seen] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def look(place: Place, ws: Workspace, runs: Iterable[str]) -> Seen:
    """Look at what is left while nobody is alive."""
    finished: dict[str, set[str]] = {run: set() for run in runs}
    with sqlite3.connect(place.home / "journal.db", timeout=30) as con:
        for leg, name in con.execute("select workflow_uuid, function_name from operation_outputs"):
            finished.setdefault(leg.rpartition(".")[0], set()).add(name.replace("undo ", "undo-"))
    con.close()
    ws.catalog.flush()
    for row in ws.catalog.query("select run_id, step from steps where status = 'succeeded'"):
        finished[row["run_id"]].add(row["step"])
    for row in ws.catalog.query("select run_id, step, iteration from loop_iterations"):
        finished[row["run_id"]].add(f"{row['step']}#{row['iteration']}")
    effects: dict[str, Counter[str]] = {run: Counter() for run in runs}
    for line in place.effects_file.read_text().splitlines():
        run, what, *_ = line.split()
        effects[run][what] += 1
    ended = {r["run_id"] for r in ws.catalog.query("select * from runs") if r["status"] in OVER}
    return Seen(set(runs) - ended, finished, effects)


def kill_kernels(place: Place, rng: random.Random) -> dict[str, Plan]:
    """Start kernels with several runs each; all are dead when this returns."""
    jobs = []
    for k in range(KERNELS):
        env = {
            "KILL_AT": str(rng.randint(5, BOUNDARIES)),
            "KILL_AFTER": str(rng.choice((0, rng.random() / 50))),
        }
        jobs.append(json.dumps({"seeds": list(range(k * EACH, (k + 1) * EACH)), "env": env}) + "\n")
    out, error = start(place, "zygote").communicate("".join(jobs), timeout=400)
    codes = json.loads(out)
    assert set(codes) <= {-9, -14}, error  # killed, or at the end of a timer; none ended by itself
    drawn = [plan(seed) for seed in range(KERNELS * EACH)]
    return {run_id(p.name, "random"): p for p in drawn}


def start(place: Place, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return place.start(*arguments, driver=DRIVER, **env)


def tell(place: Place) -> Tale:
    """Kill kernels, then adopters, then let one worker finish everything."""
    rng = random.Random(SEED)
    plans = kill_kernels(place, rng)
    with contextlib.closing(Workspace(place.home)) as ws:
        there = {r["run_id"] for r in ws.catalog.query("select run_id from runs")}
        tale = Tale({run: p for run, p in plans.items() if run in there})  # others were never written down
        tale.seen.append(look(place, ws, tale.plans))
        for _ in range(ADOPTERS):
            worker = start(
                place, "worker", KILL_AT=str(rng.randint(50, 1500)), KILL_AFTER=str(rng.random() / 50)
            )
            code = worker.wait(400)
            assert code in (-9, -14), worker.communicate()
            tale.seen.append(look(place, ws, tale.plans))
        last = start(place, "worker")
        until(lambda: not look(place, ws, tale.plans).open, "all runs to end", patience=300)
        last.communicate("stop\n", timeout=60)
        end = look(place, ws, tale.plans)
        for run, drawn in tale.plans.items():
            tale.wrong += [f"{run}: {w}" for w in judge(ws, run, drawn, tale.seen, end)]
    return tale


def judge(ws: Workspace, run: str, drawn: Plan, seen: list[Seen], end: Seen) -> list[str]:
    """Compare what came of a run with what must come of it."""
    found = control.get_run(ws, run)
    effects, wrong = end.effects[run], []
    for number, moment in enumerate(seen):
        before = moment.effects[run]
        wrong += [
            f"{what} was finished at death {number} and done again"
            for what in moment.finished[run] if effects[what] != before[what]
        ]  # fmt: skip
    deaths = sum(run in moment.open for moment in seen)
    wrong += [
        f"{what} was done {n} times in {deaths} deaths" for what, n in effects.items() if n > deaths + 1
    ]
    if found["status"] != ("failed" if drawn.doomed else "succeeded"):
        wrong.append(f"it ended {found['status']}: {found['error']}")
    steps = {s["step"]: s for s in found["steps"]}
    for name, value in values(drawn).items():
        status = "compensated" if drawn.doomed and kind(drawn, name) == "undo" else "succeeded"
        if steps[name]["status"] != status:
            wrong.append(f"{name} is {steps[name]['status']}, not {status}")
        elif output(ws, steps[name]) != value:
            wrong.append(f"{name} gave {output(ws, steps[name])}, not {value}")
    return wrong + missing(drawn, effects) + alive(ws, run)


def missing(drawn: Plan, effects: Counter[str]) -> list[str]:
    expected = {"last"} if not drawn.doomed else set()
    for node in drawn.nodes:
        if node.kind == "loop":
            expected |= {f"{node.name}#{i + 1}" for i in range(ROUNDS)}
        elif node.kind not in ("skip", "cached"):  # another run may have made what is cached
            expected.add(node.name)
        if node.kind == "undo" and drawn.doomed:
            expected.add(f"undo-{node.name}")
    there = {what for what in effects if kind(drawn, what) != "cached"}
    return [f"{what} was lost" for what in expected - there] + [
        f"{what} is too much" for what in there - expected
    ]


def alive(ws: Workspace, run: str) -> list[str]:
    rows = ws.catalog.query("select * from attempts where run_id = :r and status = 'running'", r=run)
    return [f"attempt {r['attempt']} of {r['step']} still runs" for r in rows]


def kind(drawn: Plan, name: str) -> str | None:
    return next((n.kind for n in drawn.nodes if n.name == name), None)


def output(ws: Workspace, step: dict[str, Any]) -> Any:
    if step["output"] is None:
        return None
    found = ws.artifacts.get(ws.artifacts.find(step["output"]))
    return getattr(found, "data", found)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_random_deaths_redo_and_lose_nothing(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        tale = tell(place)
    assert not tale.wrong, "\n".join(tale.wrong)
    first, *later = tale.seen
    assert len(first.open) >= 200, "too many runs were over before their kernel died: draw earlier boundaries"
    assert any(len(b.open) < len(a.open) for a, b in zip(tale.seen, later, strict=False)), (
        "no adopter got anywhere"
    )
    halfway = [r for r in first.open if first.finished[r]]
    assert len(halfway) >= 50, "too few runs had finished anything when they died"
