"""Gates: asked once, decided once, by whoever is first; nothing holds a thread meanwhile."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from kit import PATIENCE, statuses, until
from pydantic import BaseModel, Field

import aios_workbench as aios
from aios_workbench.engine import control, decisions, durable
from aios_workbench.errors import (
    ConflictError,
    GateExpired,
    GateRejected,
    NotFoundError,
    ParameterError,
)
from aios_workbench.workspace import Workspace


class Form(BaseModel):
    verdict: Literal["pay", "refuse"]
    amount: float = Field(ge=0, default=10)
    note: str = ""


def flow(name: str, **options: Any) -> aios.Workflow:
    wf = aios.Workflow(name)

    @wf.step
    def claims(n: int = 3) -> list[int]:
        return list(range(n))

    @wf.gate(**options)
    def review(claims: list[int]) -> dict[str, Any]:
        print("asked")
        return {"open": len(claims)}

    @wf.step
    def pay(review: aios.Decision) -> dict[str, Any]:
        d = review
        return {
            "approved": d.approved,
            "by": d.by,
            "reason": d.reason,
            "values": d.values,
            "auto": d.auto,
            "data": d.data,
        }

    return wf


def waiting(run: aios.Run) -> aios.Run:
    until(lambda: run.status == "waiting", f"{run.id} to wait")
    return run


def test_approval_reaches_the_steps_behind(wf: aios.Workflow) -> None:
    run = waiting(flow(wf.name, form=Form).run())
    assert statuses(run) == {"claims": "succeeded", "review": "waiting", "pay": "pending"}
    run.approve("review", values={"verdict": "pay"}, by="ana", reason="fine")
    assert run.result(PATIENCE) == {
        "approved": True, "by": "ana", "reason": "fine", "auto": False, "data": {"open": 3},
        "values": {"verdict": "pay", "amount": 10, "note": ""},
    }  # fmt: skip
    assert run["review"].logs == "asked"


def test_rejection_fails_the_run_with_name_and_reason(wf: aios.Workflow) -> None:
    run = waiting(flow(wf.name).run())
    run.reject("review", "too high", by="ana")
    with pytest.raises(GateRejected, match="rejected by ana: too high"):
        run.result(PATIENCE)
    assert statuses(run) == {"claims": "succeeded", "review": "failed", "pay": "skipped"}


def test_rejection_can_be_an_answer(wf: aios.Workflow) -> None:
    run = waiting(flow(wf.name, on_reject="continue").run())
    run.reject("review", "no", by="ana")
    out = run.result(PATIENCE)
    assert (out["approved"], out["by"], out["reason"]) == (False, "ana", "no")


def test_a_gate_expires(wf: aios.Workflow) -> None:
    run = flow(wf.name, timeout="50ms").run()
    with pytest.raises(GateExpired, match="nobody decided in time"):
        run.result(PATIENCE)
    with pytest.raises(ConflictError, match="not waiting: expired"):
        run.approve("review")


def test_when_passes_the_gate_by(wf: aios.Workflow) -> None:
    made = flow(wf.name, when=lambda claims: len(claims) > 2)
    out = made.run(n=1).result(PATIENCE)
    assert (out["approved"], out["auto"], out["data"]) == (True, True, None)
    waiting(made.run(n=3)).cancel()


@pytest.mark.parametrize(
    ("policy", "end", "values"),
    [
        ({"review": "approve"}, "succeeded", {}),
        ({"*": "approve"}, "succeeded", {}),
        ({"*": "reject", "review": "approve"}, "succeeded", {}),
        ({"review": "reject"}, "failed", None),
        ({"review": {"decision": "approve", "values": {"x": 1}, "reason": "nightly"}}, "succeeded", {"x": 1}),
    ],
)
def test_a_policy_decides_and_is_named(wf: aios.Workflow, policy: Any, end: str, values: Any) -> None:
    run = flow(wf.name).run(_gates=policy)
    assert run.wait(PATIENCE) == end
    gate = control.get_run(run.workspace, run.id)["gates"][0]
    assert gate["decided_by"] == "policy"
    if values is not None:
        assert (run["pay"].output["auto"], run["pay"].output["values"]) == (True, values)


def test_the_environment_gives_the_default_policy(wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_GATES", '{"review": "approve", "of another workflow": "reject"}')
    assert flow(wf.name).run().result(PATIENCE)["by"] == "policy"
    waiting(flow(wf.name).run(_gates={"review": "wait"})).cancel()


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"reviw": "approve"}, "no gate 'reviw'; did you mean 'review'"),
        ({"review": "yes"}, "use 'approve', 'reject', 'wait'"),
        ({"review": {"decision": "maybe"}}, "use 'approve'"),
        ({"review": None}, "use 'approve'"),
        ({"review": "approve"}, "verdict"),
        ({"review": {"decision": "approve", "values": {"verdict": "steal"}}}, "verdict"),
        ({"claims": "approve"}, "no gate 'claims'"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_before_the_start(
    wf: aios.Workflow, policy: Any, says: str
) -> None:
    made = flow(wf.name, form=Form)
    with pytest.raises(ParameterError) as e:
        made.run(_gates=policy)
    assert says in str(e.value)
    assert made.runs() == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "'verdict' is a required"), ({"verdict": "steal"}, "verdict: 'steal'"),
        ({"verdict": "pay", "amount": -1}, "amount"),
        ({"verdict": "pay", "nte": "x"}, "no field 'nte'; did you mean 'note'"),
        ({"verdict": "pay", "amount": "ten"}, "amount"),
        ({"verdict": "pay", "note": None}, "note"),
    ],
)  # fmt: skip
def test_values_must_fit_the_form_and_the_gate_waits_on(wf: aios.Workflow, values: Any, says: str) -> None:
    run = waiting(flow(wf.name, form=Form).run())
    with pytest.raises(ParameterError) as e:
        run.approve("review", values=values)
    assert says in str(e.value)
    assert run.status == "waiting"
    run.cancel()


def test_of_many_who_decide_at_once_one_does(
    wf: aios.Workflow, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All have read that the gate is waiting before the first of them writes."""
    run = waiting(flow(wf.name).run())
    barrier, read = threading.Barrier(8), ws.catalog.one
    said: list[int] = []
    lost: list[str] = []
    looked: set[int] = set()

    def one(sql: str, **params: Any) -> Any:
        row, me = read(sql, **params), threading.get_ident()
        if me in looked:
            looked.remove(me)
            barrier.wait(20)
        return row

    def decide(i: int) -> None:
        try:
            control.read_run(ws, run.id)
            looked.add(threading.get_ident())
            decisions.decide(ws, run.id, "review", approved=i % 2 == 0, by=f"p{i}", reason="r")
            said.append(i)
        except ConflictError as e:
            lost.append(str(e))

    monkeypatch.setattr(ws.catalog, "one", one)
    threads = [threading.Thread(target=decide, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(said) == 1
    assert len([e for e in lost if "not waiting" in e]) == 7
    assert run.wait(PATIENCE) == ("succeeded" if said[0] % 2 == 0 else "failed")
    assert control.get_run(ws, run.id)["gates"][0]["decided_by"] == f"p{said[0]}"
    audited = ws.catalog.query("select actor from audit where subject = :s", s=f"{run.id}/review")
    assert [a["actor"] for a in audited] == [f"p{said[0]}"]


def test_what_is_no_waiting_gate_is_refused(wf: aios.Workflow) -> None:
    run = waiting(flow(wf.name).run())
    for step in ("pay", "claims", "nothing"):
        with pytest.raises(NotFoundError, match="no gate"):
            run.approve(step)
    run.approve("review")
    assert run.wait(PATIENCE) == "succeeded"
    with pytest.raises(ConflictError, match="not waiting: approved by"):
        run.reject("review", "changed my mind")
    with pytest.raises(NotFoundError):
        control.decide(run.workspace, "no such run", "review", True, by="x")  # noqa: FBT003 - the contract


def test_a_gate_whose_question_fails_is_a_failed_step(wf: aios.Workflow) -> None:
    @wf.gate
    def review() -> int:
        raise LookupError("no claims")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run["review"].error is not None
    assert run["review"].error.type == "LookupError"


def threads_in_gates() -> int:
    """Count the threads that are executing engine/gates.py, however deep."""
    stacks = [traceback.extract_stack(frame) for frame in sys._current_frames().values()]
    return sum(any(f.filename.endswith("engine/gates.py") for f in stack) for stack in stacks)


def test_many_waiting_gates_hold_no_thread(ws: Workspace) -> None:
    wf = aios.Workflow("many gates", max_parallel=2)
    for i in range(40):

        @wf.gate(name=f"g{i}")
        def ask() -> None:
            return None

    run = wf.run()
    until(lambda: run.status == "waiting" and set(statuses(run).values()) == {"waiting"})
    until(lambda: threads_in_gates() == 0)  # the pool keeps idle threads; none may sit in a gate
    quick = aios.Workflow("beside")
    quick.step(name="s")(lambda: 1)
    assert quick.run().result(PATIENCE) == 1
    for i in range(40):
        run.approve(f"g{i}", by="ana")
    assert run.wait(PATIENCE) == "succeeded"


def test_the_last_word_on_a_run_is_the_one_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def tell(_catalog: Any, _run_id: str, status: str) -> None:
        time.sleep(0.2 if status == "running" else 0)
        words.append(status)

    monkeypatch.setattr(durable, "tell_run", tell)

    async def two() -> None:
        loop = asyncio.get_running_loop()
        active = durable.Active("r", 0, loop, loop.create_future(), busy=1, status="waiting")
        walk: Any = SimpleNamespace(active=active, ws=SimpleNamespace(catalog=None), run={"run_id": "r"})
        first = asyncio.create_task(durable._Walk._note(walk))  # a step begins
        await asyncio.sleep(0.05)
        active.busy, active.wakes = 0, {"gate": asyncio.Event()}  # it has ended, what is left is a gate
        await asyncio.gather(first, durable._Walk._note(walk))

    asyncio.run(two())
    assert words == ["running", "waiting"]


def answers(run: aios.Run) -> list[Callable[[], None]]:
    return [run.cancel, lambda: run.approve("review"), lambda: run.reject("review", "x")]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_gate_decided_while_another_branch_works(wf: aios.Workflow, box: Any, which: int) -> None:
    made = flow(wf.name)

    @made.step
    def beside() -> int:
        from sys import aios_box

        aios_box.hold()
        return 1

    run = made.run()
    until(lambda: run["review"].status == "waiting")
    box.started.wait(PATIENCE)
    assert run.status == "running", "somebody is still working"
    answers(run)[which]()
    if which:
        until(lambda: run["review"].status != "waiting")
    box.go.set()
    assert run.wait(PATIENCE) == ["cancelled", "succeeded", "failed"][which]
