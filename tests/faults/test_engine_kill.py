"""kill -9 at every boundary of every step, and inside: whoever is alive goes on, nothing finished is done again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from engine_kit import Place, end, run_id, until

from aios_workbench.engine import control
from aios_workbench.errors import ConflictError
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("load", "left", "right", "join", "report")
POINTS: list[tuple[str, str]] = [
    *[("diamond", f"{where}:{step}") for step in STEPS for where in (
        "before", "after", "after-put", "before-execute", "after-execute",
        "before-journal", "after-journal", "lazy-journal",
    )],
    *[("diamond", p) for p in ("after-row", "before-begin", "after-begin", "before-open", "after-open")],
    *[("diamond", p) for p in (
        "before-backoff", "after-backoff", "before-conclude", "after-conclude", "lazy-conclude")],
    *[("gated", p) for p in ("before:ask", "after:ask", "before-ask", "after-ask", "waiting", "before-decided",
                             "after-decided", "after-journal:ask", "before:report", "after:report")],
    *[("rescued", p) for p in ("before-cached", "after-cached", "after:load", "before-fallback", "after-fallback",
                               "before:model", "after:model", "after-journal:model")],
]  # fmt: skip
RESULT = {"diamond": "report 55", "gated": "report 55 ", "rescued": "report 55"}


@dataclass
class Story:
    """What happened to one run: killed, looked at, adopted, finished."""

    run_id: str
    code: int
    error: str
    status: str = ""
    journaled: set[str] = field(default_factory=set)
    before: Any = None
    end: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    unknown: list[str] = field(default_factory=list)  # steps whose output the catalog does not know


def kill_all(place: Place) -> dict[tuple[str, str], Story]:
    """Start a kernel for every point; each is dead when this returns."""
    lines = []
    for flow, point in POINTS:
        lazy = point.startswith("lazy-")
        env = {
            "RUN_KEY": f"{flow} {point}",
            "KILL": f"after-{point[5:]}" if lazy else point,
            "LAZY": "1" if lazy else "",
        }
        lines.append(json.dumps({"flow": flow, "env": env}) + "\n")
    out, error = place.start("zygote").communicate("".join(lines), timeout=400)
    codes = json.loads(out)
    return {(f, p): Story(run_id(f, f"{f} {p}"), codes[f"{f} {p}"], error) for f, p in POINTS}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Story]]:
    with Place(tmp_path_factory.mktemp("kill")) as place:
        yield tell(place)


def tell(place: Place) -> dict[tuple[str, str], Story]:
    """Kill everything, look at what is left, let one worker finish it, look again."""
    told = kill_all(place)
    ws = Workspace(place.home)
    for story in told.values():
        story.status = control.run_status(ws, story.run_id)
        story.journaled, story.before = place.journaled(story.run_id), place.effects(story.run_id)
    worker = place.worker()
    for story in told.values():
        until(lambda s=story: over(ws, s), f"{story.run_id} to end")  # type: ignore[misc]
    end(worker)
    for story in told.values():
        story.end = control.get_run(ws, story.run_id) | {"effects": place.effects(story.run_id)}
        story.end["attempts"] = ws.catalog.query("select * from attempts where run_id = :r", r=story.run_id)
        known = {row["hash"] for row in ws.catalog.query("select hash from artifacts")}
        story.unknown = [s["step"] for s in story.end["steps"] if s["output"] not in {None, *known}]
        report = next(s for s in story.end["steps"] if s["step"] == "report")
        story.output = ws.artifacts.get(ws.artifacts.find(report["output"])) if report["output"] else None
    ws.close()
    return told


def over(ws: Workspace, story: Story) -> bool:
    run = control.get_run(ws, story.run_id)
    for gate in run["gates"]:
        if gate["status"] == "waiting" and not run["orphaned"]:
            with contextlib.suppress(ConflictError):
                control.decide(ws, story.run_id, gate["step"], approved=True, by="test")
    return run["status"] in ("succeeded", "failed", "cancelled")


def test_there_are_enough_points() -> None:
    assert len(POINTS) >= 60
    assert len(set(POINTS)) == len(POINTS)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS, ids=" ".join)
def test_killed_there_another_process_finishes_it(stories: dict[Any, Story], point: tuple[str, str]) -> None:
    story = stories[point]
    assert story.code == -9, f"never got to {point}: {story.error}"
    expected = {"succeeded"} if point[1].endswith("-conclude") and not point[1].startswith("before") else {
        "interrupted", "queued", "waiting"
    }  # fmt: skip
    assert story.status in expected, "the status lied while nobody was executing the run"
    assert story.end["status"] == "succeeded", story.end["error"]
    assert str(story.output).startswith(RESULT[point[0]])
    redone = {s: n for s, n in story.end["effects"].items() if s in story.journaled and n != story.before[s]}
    assert not redone, "a finished step was done again"
    assert not story.unknown, "what the journal knew alone was not described again"
    assert all(n <= 2 for n in story.end["effects"].values())
    done = {s["step"] for s in story.end["steps"] if s["status"] == "succeeded"}
    assert done == set(story.end["effects"]), "a step was lost"
    skipped = {s["step"] for s in story.end["steps"]} - done
    assert skipped == ({"never"} if point[0] == "rescued" else set())
    assert not [a for a in story.end["attempts"] if a["status"] == "running"]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("where", ["before", "after"])
def test_the_attempt_that_died_is_marked_lost(stories: dict[Any, Story], step: str, where: str) -> None:
    story = stories["diamond", f"{where}:{step}"]
    attempts = sorted((a["attempt"], a["status"]) for a in story.end["attempts"] if a["step"] == step)
    assert attempts[-2:] == [(attempts[-1][0] - 1, "lost"), (attempts[-1][0], "succeeded")]
    assert story.end["adoptions"] == 1
    executors = {a["executor"].split("-")[0] for a in story.end["attempts"] if a["step"] == step}
    assert executors == {"kernel", "worker"}
