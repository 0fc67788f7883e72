"""One step at a time, as an orchestrator of others calls it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import aios_workbench as aios
from aios_workbench.engine import control, submit
from aios_workbench.engine.single import run_step
from aios_workbench.errors import DefinitionError, NotFoundError, ParameterError
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Artifact, Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / ".aios")
    yield workspace
    workspace.close()


class Told:
    """A workflow compiled, and its steps called as an orchestrator would."""

    def __init__(self, ws: Workspace, workflow: aios.Workflow) -> None:
        self.ws, self.spec = ws, submit.compile_workflow(ws, workflow)

    def __call__(self, step: str, *inputs: Any, key: str = "k", **more: Any) -> dict[str, Any]:
        given = {"params": {}, **more}
        return run_step(self.ws, self.spec, {}, step, run_key=key, inputs=inputs, **given)

    def value(self, reference: dict[str, Any]) -> Any:
        return self.ws.artifacts.get(Artifact.from_dict({**reference["output"], "meta": {}}))

    def status(self, key: str = "k") -> str:
        return str(control.run_status(self.ws, submit.new_run_id(self.spec.name, key)))


def chain(calls: Path) -> aios.Workflow:
    wf = aios.Workflow("chain")

    @wf.step
    def load(limit: int = 3, where: Path = Path("x")):
        with calls.open("a") as file:
            file.write("load\n")
        assert isinstance(where, Path)
        return list(range(limit))

    @wf.step(when=lambda load: len(load) > 1)
    def total(load):
        return sum(load)

    @wf.step(retries=5, backoff=0.01)
    def half(total):
        with calls.open("a") as file:
            file.write("half\n")
        return 10 / total

    return wf


def test_values_go_by_the_store(ws: Workspace, tmp_path: Path) -> None:
    told = Told(ws, chain(tmp_path / "calls"))
    load = told("load", params={"limit": 4, "where": "a.csv"})
    assert (load["status"], told.value(load)) == ("succeeded", [0, 1, 2, 3])
    assert control.get_run(ws, load["run"])["params"] == {"limit": 4, "where": "a.csv"}
    assert told.status() == "queued"
    total = told("total", load)
    half = told("half", total)
    assert told.value(half) == 10 / 6
    assert told.status() == "succeeded"
    assert control.get_run(ws, load["run"])["workflow"] == "chain"


def test_what_is_done_is_not_done_again(ws: Workspace, tmp_path: Path) -> None:
    told = Told(ws, chain(tmp_path / "calls"))
    assert told("load") == told("load")
    assert (tmp_path / "calls").read_text() == "load\n"
    other = told("load", key="another run")
    assert other["run"] != told("load")["run"]
    assert (tmp_path / "calls").read_text() == "load\nload\n"


def test_skipped_is_handed_on(ws: Workspace, tmp_path: Path) -> None:
    told = Told(ws, chain(tmp_path / "calls"))
    total = told("total", told("load", params={"limit": 1}))
    assert (total["status"], total["output"]) == ("skipped", None)
    assert told("half", total)["status"] == "skipped"
    assert told.status() == "succeeded"


def test_one_call_is_one_attempt(ws: Workspace, tmp_path: Path) -> None:
    """The orchestrator retries: five retries of the step must not become thirty."""
    told = Told(ws, chain(tmp_path / "calls"))
    zero = replace_output(told, told("total", told("load", params={"limit": 2})), 0)
    for attempt in (1, 2):
        half = told("half", zero)
        assert half["status"] == "failed"
        assert half["error"]["type"] == "ZeroDivisionError"
        assert (tmp_path / "calls").read_text() == "load\n" + "half\n" * attempt
        assert told.status() == "failed"
    rows = ws.catalog.query("select attempt, status from attempts where step = 'half' order by attempt")
    assert [tuple(r.values()) for r in rows] == [(1, "failed"), (2, "failed")]
    assert told("half", replace_output(told, zero, 5))["status"] == "succeeded"
    assert told.status() == "succeeded"


def replace_output(told: Told, reference: dict[str, Any], value: Any) -> dict[str, Any]:
    return {**reference, "output": submit.reference(told.ws.artifacts.put(value))}


def test_a_fallback_answers_after_all_attempts_of_the_engine(ws: Workspace, tmp_path: Path) -> None:
    wf, calls = aios.Workflow("fallen"), tmp_path / "calls"

    @wf.step(retries=2, backoff=0.01, fallback=lambda: "instead")
    def fails():
        with calls.open("a") as file:
            file.write("x")
        raise ValueError

    told = Told(ws, wf)
    assert told.value(told("fails")) == "instead"
    assert calls.read_text() == "xxx"


def test_a_gate_waits_for_a_person_and_the_same_call_goes_on(ws: Workspace) -> None:
    wf = aios.Workflow("gated")

    @wf.gate
    def review():
        return {"n": 1}

    @wf.step
    def after(review):
        return review.approved

    told = Told(ws, wf)
    waiting = told("review")
    assert (waiting["status"], waiting["output"], told.status()) == ("waiting", None, "waiting")
    control.decide(ws, waiting["run"], "review", approved=True, by="ada")
    approved = told("review")
    assert approved["status"] == "succeeded"
    assert told.value(told("after", approved)) is True
    decided = told("review", key="by policy", policy={"review": "reject"})
    assert (decided["status"], told.status("by policy")) == ("failed", "failed")


def test_nothing_is_written_for_a_call_that_cannot_be(ws: Workspace, tmp_path: Path) -> None:
    told = Told(ws, chain(tmp_path / "calls"))
    for step, inputs, params, error, words in (
        ("laod", (), {}, NotFoundError, "load"),
        ("load", (), {"limti": 3}, ParameterError, "limit"),
        ("load", (), {"limit": "x"}, ParameterError, "must be int"),
        ("total", (), {}, ParameterError, "whose reference is not among the inputs"),
        ("total", ("abc",), {}, ParameterError, "is no reference"),
    ):
        with pytest.raises(error, match=words):
            told(step, *inputs, params=params)
    assert ws.catalog.query("select * from runs") == []


def test_shapes_that_need_a_walk_are_refused(ws: Workspace, tmp_path: Path) -> None:
    told = Told(ws, chain(tmp_path / "calls"))
    steps = [replace(s, kind="map") if s.name == "total" else s for s in told.spec.steps]
    told.spec = WorkflowSpec("chain", steps)
    with pytest.raises(DefinitionError, match=r"'total'.*kind=map.*--grain notebook"):
        told("load")


def test_options_that_come_later_are_refused_until_somebody_has_looked(ws: Workspace, tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Later(StepSpec):
        teleport: bool = False

    told = Told(ws, chain(tmp_path / "calls"))
    steps = [Later(**vars(s)) for s in told.spec.steps]
    told.spec = WorkflowSpec("chain", steps)
    assert told("load")["status"] == "succeeded"
    told.spec = WorkflowSpec("chain", [replace(steps[0], teleport=True), *steps[1:]])
    with pytest.raises(DefinitionError, match="'load' of workflow 'chain' uses teleport"):
        told("total")


def test_steps_that_end_at_the_same_moment_end_the_run(ws: Workspace) -> None:
    wf, names = aios.Workflow("abreast"), ["a", "b", "c", "d"]
    together = threading.Barrier(len(names))
    for name in names:
        wf.step(name=name)(_nothing)
    told = Told(ws, wf)

    def call(name: str, key: str) -> None:
        together.wait(30)
        told(name, key=key)

    with ThreadPoolExecutor(len(names)) as threads:
        for key in (f"night {n}" for n in range(8)):
            list(threads.map(call, names, [key] * len(names)))
            assert told.status(key) == "succeeded"


def test_a_failed_step_beside_one_that_went_well_fails_the_run_until_it_is_tried_again(
    ws: Workspace, tmp_path: Path
) -> None:
    wf, mended = aios.Workflow("beside"), tmp_path / "mended"

    @wf.step
    def bad():
        if not mended.exists():
            raise ValueError("no")

    @wf.step
    def good():
        return 1

    told = Told(ws, wf)
    assert (told("bad")["status"], told("good")["status"]) == ("failed", "succeeded")
    assert told.status() == "failed"
    row = ws.catalog.one("select error, ended_at from runs") or {}
    assert "no" in row["error"]
    assert row["ended_at"]
    mended.touch()
    told("bad")
    assert told.status() == "succeeded"
    assert (ws.catalog.one("select error from runs") or {})["error"] is None


def _nothing() -> int:
    return 1
