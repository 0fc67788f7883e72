"""A workflow in a job that is taken up again; every kernel is played by a runner of its own."""

from __future__ import annotations

from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.engine import EngineRunner, control
from aios_workbench.errors import RunError
from aios_workbench.workspace import Workspace


def flow(name: str, fix: int = 0, *, holds: bool = False, twice: bool = False) -> aios.Workflow:
    """Define load -> score -> tell, as a notebook does; `fix` is another code of `score`."""
    wf = aios.Workflow(name)

    @wf.step
    def load(n: int = 1) -> int:
        from sys import aios_box as box

        box.seen.append("load")
        return n * 1000

    def score(load: int) -> int:
        from sys import aios_box as box

        box.seen.append("score")
        if box.values.get("fail"):
            raise ValueError("score")
        if holds:
            box.hold()
        return load + 1

    def other(load: int) -> int:
        from sys import aios_box as box

        box.seen.append("score")
        return load + 100

    wf.step(name="score")(other if fix else score)

    @wf.step
    def tell(score: int) -> int:
        from sys import aios_box as box

        box.seen.append("tell")
        return score

    return wf


class Kernel:
    """A job run's kernel, as far as workflows can tell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, job_run: str, continues: str = "") -> None:
        monkeypatch.setenv("AIOS_JOB_RUN", job_run)
        monkeypatch.setenv("AIOS_CONTINUES", continues)
        self.runner = EngineRunner()

    def run(self, wf: aios.Workflow, key: str | None = None, **params: Any) -> aios.Run:
        return self.runner.start(wf, params, None, key)


def failed(run: aios.Run) -> aios.Run:
    with pytest.raises(RunError):
        run.result(PATIENCE)
    return run


@pytest.fixture
def name(ws: Workspace, request: pytest.FixtureRequest) -> str:
    return request.node.name[:80]


def test_only_what_had_not_finished_is_done(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box.values["fail"] = True
    first = failed(Kernel(monkeypatch, f"{name}-1").run(flow(name)))
    second = failed(Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name)))
    box.values["fail"] = False
    kernel = Kernel(monkeypatch, f"{name}-3", f"{name}-2,{name}-1")
    third = kernel.run(flow(name))
    assert third.result(PATIENCE) == 1001
    assert box.seen == ["load", "score", "score", "score", "tell"]
    assert len({first.id, second.id, third.id}) == 3
    assert (third.row["parent_run_id"], third.row["job_run_id"], third.row["source"]) == (
        second.id,
        f"{name}-3",
        "job",
    )
    assert third["load"].cached
    assert f"continues run {second.id} (failed): kept load; done now score, tell\n" in capsys.readouterr().out
    assert kernel.run(flow(name)).result(PATIENCE) == 1001  # a second call in the notebook is another run
    assert box.seen[5:] == ["load", "score", "tell"]


def test_a_retry_of_the_new_run_goes_on_with_itself(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.values["fail"] = True
    failed(Kernel(monkeypatch, f"{name}-1").run(flow(name)))
    second = failed(Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name)))
    box.values["fail"] = False
    retried = Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name))
    assert (retried.id, retried.result(PATIENCE)) == (second.id, 1001)
    assert box.seen == ["load", "score", "score", "score", "tell"]


@pytest.mark.parametrize(
    ("params", "fix", "seen", "says"),
    [
        ({"n": 5}, 0, ["load", "score", "tell"], "no longer the same: load"),
        ({}, 1, ["score", "tell"], "no longer the same: score"),
    ],
    ids=["parameter", "code"],
)
def test_what_is_no_longer_the_same_is_done_again(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    params: dict[str, int], fix: int, seen: list[str], says: str,
) -> None:  # fmt: skip
    assert Kernel(monkeypatch, f"{name}-1").run(flow(name)).result(PATIENCE) == 1001
    box.seen.clear()
    assert (
        Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name, fix), **params).wait(PATIENCE)
        == "succeeded"
    )
    assert box.seen == seen
    assert says in capsys.readouterr().out


def test_one_that_had_succeeded_is_only_looked_at(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Kernel(monkeypatch, f"{name}-1").run(flow(name))
    assert first.result(PATIENCE) == 1001
    again = Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name))
    assert (again.id, again.result(PATIENCE), len(box.seen)) == (first.id, 1001, 3)
    assert again.row["job_run_id"] == f"{name}-1"


def test_one_that_still_goes_on_is_joined(name: str, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Kernel(monkeypatch, f"{name}-1").run(flow(name, holds=True))
    assert box.started.wait(PATIENCE)
    again = Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name, holds=True))
    assert (again.id, again.row["job_run_id"]) == (first.id, f"{name}-2")
    box.go.set()
    assert again.result(PATIENCE) == 1001
    assert box.seen == ["load", "score", "tell"]


def test_one_with_a_key_of_its_own_changes_hands(
    name: str, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.values["fail"] = True
    first = failed(Kernel(monkeypatch, f"{name}-1").run(flow(name), key="today"))
    box.values["fail"] = False
    again = Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name), key="today")
    assert (again.id, again.result(PATIENCE), again.row["job_run_id"]) == (first.id, 1001, f"{name}-2")
    assert box.seen == ["load", "score", "score", "tell"]


def test_an_output_that_is_gone_is_made_again(
    ws: Workspace, name: str, box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box.values["fail"] = True
    first = failed(Kernel(monkeypatch, f"{name}-1").run(flow(name), n=4711))
    (row,) = ws.catalog.query("select output from steps where run_id = :r and step = 'load'", r=first.id)
    output = row["output"]
    ws.artifacts.path(ws.artifacts.find(output)).unlink()
    box.values["fail"] = False
    assert Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(flow(name), n=4711).result(PATIENCE) == 4711001
    assert box.seen == ["load", "score", "load", "score", "tell"]
    assert "gone or damaged: load" in capsys.readouterr().out


def test_an_answered_gate_stays_answered(name: str, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def gated() -> aios.Workflow:
        wf = aios.Workflow(name)

        @wf.gate
        def review() -> int:
            return 1

        @wf.step
        def after(review: Any) -> str:
            from sys import aios_box as box

            if box.values.get("fail"):
                raise ValueError("after")
            return str(review.reason)

        return wf

    box.values["fail"] = True
    first = Kernel(monkeypatch, f"{name}-1").run(gated())
    until(lambda: first.status == "waiting")
    first.approve("review", reason="fine")
    failed(first)
    box.values["fail"] = False
    again = Kernel(monkeypatch, f"{name}-2", f"{name}-1").run(gated())
    assert again.result(PATIENCE) == "fine"
    assert statuses(again) == {"review": "succeeded", "after": "succeeded"}
    assert control.waiting_gates(again.workspace) == []
