"""kill -9 while a failed or cancelled run is undone: whoever goes on undoes the rest, in order, and nothing twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from engine_kit import Place, end, run_id, until

from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.alone, pytest.mark.slow]

INSIDE = [f"{w}:undo-{s}" for w in ("before", "after") for s in ("flight", "hotel")]
AROUND = [f"{w}-undo:{s}" for w in ("before", "after") for s in ("flight", "hotel")]
CONCLUDE = ("before-conclude", "after-conclude", "lazy-conclude")
POINTS = [
    (flow, point)
    for flow in ("undone", "called-off")
    for point in (*INSIDE, *AROUND, "before-decide", "after-decide", *CONCLUDE)
]  # fmt: skip
ENDS = {"undone": "failed", "called-off": "cancelled"}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Kill a kernel at every point, note what is there, let one worker finish everything, look again."""
    with Place(tmp_path_factory.mktemp("undo")) as place:
        lines = []
        for flow, point in POINTS:
            lazy = point.startswith("lazy-")
            env = {
                "RUN_KEY": f"{flow} {point}",
                "KILL": f"after-{point[5:]}" if lazy else point,
                "LAZY": "1" * lazy,
            }
            lines.append(json.dumps({"flow": flow, "env": env}) + "\n")
        out, error = place.start("zygote").communicate("".join(lines), timeout=400)
        ws, told = Workspace(place.home), {}
        for flow, point in POINTS:
            rid = run_id(flow, f"{flow} {point}")
            told[flow, point] = {
                "id": rid, "code": json.loads(out)[f"{flow} {point}"], "stderr": error,
                "journaled": place.journaled(rid), "before": place.effects(rid),
            }  # fmt: skip
        worker = place.worker()
        for story in told.values():
            until(
                lambda s=story: control.run_status(ws, s["id"]) in ("failed", "cancelled"),
                f"{story['id']} to end",
            )  # type: ignore[misc]
        end(worker)
        lines = place.effects_file.read_text().splitlines()
        for story in told.values():
            story["run"] = control.get_run(ws, story["id"])
            story["after"] = place.effects(story["id"])
            story["order"] = [ln.split()[1] for ln in lines if ln.startswith(story["id"] + " ")]
            story["rows"] = ws.catalog.query(
                "select step, status from compensations where run_id = :r order by position", r=story["id"]
            )
        ws.close()
        yield told


@pytest.mark.timeout(600)
@pytest.mark.parametrize("point", POINTS, ids=" ".join)
def test_killed_there_the_rest_is_undone_in_order(stories: dict[Any, Any], point: tuple[str, str]) -> None:
    story = stories[point]
    assert story["code"] == -9, f"never got to {point}: {story['stderr']}"
    run = story["run"]
    assert run["status"] == ENDS[point[0]]
    assert {s["step"]: s["status"] for s in run["steps"]} == {
        "hotel": "compensated", "flight": "compensated", "label": "succeeded", "pay": "failed"
    }  # fmt: skip
    assert story["rows"] == [
        {"step": "flight", "status": "compensated"}, {"step": "hotel", "status": "compensated"}
    ]  # fmt: skip
    assert all(story["after"][s] == 1 for s in ("hotel", "flight", "label")), "a finished step was done again"
    for step in ("flight", "hotel"):
        again = story["after"][f"undo-{step}"] - 1
        died_in_it = point[1] in (f"after:undo-{step}", f"after-undo:{step}")
        assert again in (0, int(died_in_it and f"undo {step}" not in story["journaled"])), "undone twice"
    undone = [s for s in story["order"] if s.startswith("undo-")]
    assert list(dict.fromkeys(undone)) == ["undo-flight", "undo-hotel"]
    assert run["message"] == "undid 'hotel', 'flight'"
