"""The cache: the same code, inputs and parameters are computed once; anything else, or damage, is computed again."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from kit import PATIENCE, Box

import aios_workbench as aios
from aios_workbench.workspace import Workspace


def flow(name: str, factor: int = 2, **options: Any) -> aios.Workflow:
    wf = aios.Workflow(name)

    @wf.step
    def rows(n: int = 3) -> pd.DataFrame:
        return pd.DataFrame({"x": range(n % 10)})

    @wf.step(cache=True, **options)
    def total(rows: pd.DataFrame, extra: int = 0) -> int:
        from sys import aios_box as box

        box.seen.append(len(rows))
        return int(rows["x"].sum()) * factor + extra

    return wf


def test_the_second_run_does_not_compute(wf: aios.Workflow, box: Box) -> None:
    first, second = (
        flow(wf.name).run(),
        flow(wf.name + "2").run(),
    )  # another workflow: the step is what counts
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (6, 6)
    third = flow(wf.name).run()
    assert third.result(PATIENCE) == 6
    assert third["total"].cached
    assert third["total"].attempts == []
    assert not third["rows"].cached


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        ({}, 1),
        ({"retries": 4, "tags": ["x"]}, 1),  # a policy changes no result
        ({"n": 13}, 1),  # another parameter of the step before, the same rows
        ({"n": 4}, 2),
        ({"extra": 1}, 2),
        ({"factor": 3}, 2),
        ({"fallback": lambda rows, extra: 0}, 2),
    ],
)
def test_only_what_can_change_the_result_computes_again(
    wf: aios.Workflow, box: Box, change: dict[str, Any], computed: int
) -> None:
    base = hash(wf.name) % 10**9  # no other test's inputs
    flow(wf.name, factor=base).run().result(PATIENCE)
    params = {k: v for k, v in change.items() if k in ("n", "extra")}
    options = {k: v for k, v in change.items() if k not in ("n", "extra", "factor")}
    flow(wf.name, factor=base + change.get("factor", 0), **options).run(**params).result(PATIENCE)
    assert len(box.seen) == computed


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_a_damaged_cached_output_is_computed_again(
    wf: aios.Workflow, box: Box, ws: Workspace, damage: str
) -> None:
    @wf.step(cache=True)
    def text() -> str:
        from sys import aios_box as box

        box.seen.append(1)
        return "precious " + damage

    first = wf.run()
    assert first.result(PATIENCE) == "precious " + damage
    path = ws.artifacts.path(ws.artifacts.put("precious " + damage))
    ws.artifacts._cache.clear()  # as in another process
    path.write_bytes(b"X" * path.stat().st_size)
    if damage == "gone":
        path.unlink()
    again = wf.run()
    assert again.result(PATIENCE) == "precious " + damage
    assert not again["text"].cached
    assert box.seen == [1, 1]
    ws.artifacts._cache.clear()
    assert aios.run(first.id)["text"].output == "precious " + damage, "storing it again repaired the blob"


def test_failures_are_not_cached(wf: aios.Workflow, box: Box) -> None:
    @wf.step(cache=True)
    def s() -> int:
        from sys import aios_box as box

        box.seen.append(1)
        if len(box.seen) == 1:
            raise ValueError("first time")
        return 1

    assert wf.run().wait(PATIENCE) == "failed"
    assert wf.run().result(PATIENCE) == 1


def test_a_fallbacks_answer_is_not_taken_for_the_steps_own(wf: aios.Workflow, box: Box) -> None:
    """The model was down for a minute; its stand-in's answer must not stay for ever."""

    def stand_in() -> str:
        return "stand-in"

    @wf.step(cache=True, fallback=stand_in)
    def model() -> str:
        from sys import aios_box as box

        box.seen.append(1)
        if len(box.seen) == 1:
            raise ConnectionError("down")
        return "model"

    assert wf.run().result(PATIENCE) == "stand-in"
    assert wf.run().result(PATIENCE) == "model"
