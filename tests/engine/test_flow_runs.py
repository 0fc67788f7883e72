"""Limits, rates, priorities and queues in runs of this process."""

from __future__ import annotations

import threading

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.engine.flow import store
from aios_workbench.engine.flow.limits import drop_limit, set_limit
from aios_workbench.engine.flow.store import Request
from aios_workbench.workspace import Workspace


class Gauge:
    """How many are inside at once, and the most there ever were."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_exc: object) -> None:
        with self._lock:
            self.now -= 1


def used(name: str) -> int:
    return next((one.in_use for one in aios.limits() if one.name == name), 0)


def living() -> str:
    engine = runtime.running()
    assert engine is not None
    return engine.executor_id


def fan(wf: aios.Workflow, count: int, **options: object) -> None:
    for n in range(count):

        def work() -> int:
            import time
            from sys import aios_box as box

            with box.values["gauge"]:
                time.sleep(0.01)
            return 1

        wf.step(name=f"s{n}", **options)(work)  # type: ignore[call-overload]


@pytest.mark.parametrize("there", [1, 2, 5])
def test_no_more_steps_than_permits(wf: aios.Workflow, box: Box, there: int) -> None:
    box.values["gauge"] = gauge = Gauge()
    aios.limit("pool", concurrency=there)
    fan(wf, 12, limits=["pool"])
    runs = [wf.run() for _ in range(2)]
    assert all(sum(r.result(PATIENCE).values()) == 12 for r in runs)
    assert 1 <= gauge.most <= there
    assert used("pool") == 0


def test_a_waiting_step_holds_no_thread_no_slot_and_says_what_it_waits_for(ws: Workspace, box: Box) -> None:
    set_limit(ws, "one", concurrency=1)
    wf = aios.Workflow("waits", max_parallel=1)

    @wf.step(limits=["one"])
    def holds() -> None:
        from sys import aios_box as box

        box.hold()

    first = wf.run()
    assert box.started.wait(PATIENCE)
    other = aios.Workflow("others", max_parallel=1)
    fan(other, 40, limits=["one"])

    @other.step
    def free() -> int:
        return 1

    box.values["gauge"] = Gauge()
    threads = threading.active_count()
    second = other.run()
    until(lambda: statuses(second)["free"] == "succeeded")  # the one slot is not taken by those that wait
    until(lambda: list(statuses(second).values()).count("waiting") == 40)
    assert threading.active_count() < threads + 20
    row = ws.catalog.one("select message from steps where run_id = :r and step = 's0'", r=second.id)
    assert row == {"message": f"waits for one (1 of 1 in use by run {first.id} step holds)"}
    assert second.status == "running"
    box.go.set()
    assert second.wait(PATIENCE) == "succeeded"
    assert (
        ws.catalog.query("select message from steps where run_id = :r and message is not null", r=second.id)
        == []
    )


def test_cancelling_ends_the_waiting_at_once_and_leaves_nothing(
    ws: Workspace, wf: aios.Workflow, box: Box
) -> None:
    set_limit(ws, "closed", concurrency=0)

    @wf.step(limits=["closed"])
    def never() -> int:
        return 1

    run = wf.run()
    until(lambda: run["never"].status == "waiting")
    assert "closed" in ws.catalog.query("select message from steps where run_id = :r", r=run.id)[0]["message"]
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    until(lambda: not aios.limit("closed").waiters)
    aios.limit("closed", concurrency=1)
    assert run.resume().result(PATIENCE) == 1
    assert used("closed") == 0


def test_opening_a_limit_lets_in_who_waits(ws: Workspace, wf: aios.Workflow) -> None:
    set_limit(ws, "door", concurrency=0)
    wf.step(name="through", limits=["door"])(lambda: 7)
    run = wf.run()
    until(lambda: run["through"].status == "waiting")
    aios.limit("door", concurrency=1)
    assert run.result(PATIENCE) == 7


def test_a_name_nobody_declared_has_one_permit_and_says_so(
    ws: Workspace, wf: aios.Workflow, box: Box
) -> None:
    for name in ("a", "b"):

        def work() -> None:
            from sys import aios_box as box

            box.hold()

        wf.step(name=name, limits=["undeclared"])(work)
    run = wf.run()
    until(lambda: sorted(statuses(run).values()) == ["running", "waiting"])
    assert not aios.limit("undeclared").declared
    until(lambda: ws.catalog.one(
        "select 1 as one from steps where run_id = :r and message like '%never declared: `aios limits set undec%'",
        r=run.id,
    ))  # fmt: skip
    aios.limit("undeclared", concurrency=2)
    until(lambda: sorted(statuses(run).values()) == ["running", "running"])
    box.go.set()
    assert run.wait(PATIENCE) == "succeeded"


def test_wanting_more_than_there_is_fails_with_the_remedy(ws: Workspace, wf: aios.Workflow) -> None:
    set_limit(ws, "two", concurrency=2)
    wf.step(name="greedy", limits={"two": 3})(lambda: 1)
    run = wf.run()
    with pytest.raises(
        aios.errors.StepFailed, match=r"wants 3 of 'two', of which there are 2.*aios limits set two 3"
    ):
        run.result(PATIENCE)


def test_the_next_of_those_that_wait_is_the_one_of_the_highest_priority(ws: Workspace, box: Box) -> None:
    set_limit(ws, "ordered", concurrency=1)

    def note(name: str, **options: object) -> aios.Workflow:
        wf = aios.Workflow(name, **options)  # type: ignore[arg-type]

        @wf.step(limits=["ordered"])
        def work(who: str) -> None:
            from sys import aios_box as box

            box.seen.append(who)
            if who == "holder":
                box.hold()

        return wf

    plain, urgent = note("plain"), note("urgent", priority=5)
    runs = [plain.run(who="holder")]
    assert box.started.wait(PATIENCE)
    for n, (flow, who, priority) in enumerate(
        [(plain, "later", None), (plain, "last", -3), (urgent, "second", None), (plain, "first", 50)]
    ):
        runs.append(flow.run(who=who, _priority=priority))
        until(lambda n=n: len(aios.limit("ordered").waiters) == n + 1)
    box.go.set()
    assert [r.wait(PATIENCE) for r in runs] == ["succeeded"] * 5
    assert box.seen == ["holder", "first", "second", "later", "last"]
    assert ws.catalog.one("select priority from runs where run_id = :r", r=runs[-1].id) == {"priority": 50}


def test_ready_steps_of_a_run_go_by_priority(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("slots", max_parallel=1)
    for n, priority in enumerate((0, 1, 7, -1)):

        def work() -> None:
            from sys import aios_box as box

            box.seen.append(aios.context().step)

        wf.step(name=f"s{n}", priority=priority)(work)
    assert wf.run().wait(PATIENCE) == "succeeded"
    assert set(box.seen[:2]) == {"s0", "s2"}  # the first to be ready finds the slot free
    assert box.seen[-1] == "s3"


def test_a_replay_asks_for_no_permit(ws: Workspace, wf: aios.Workflow) -> None:
    set_limit(ws, "once", concurrency=1)

    @wf.step(limits=["once"])
    def a() -> int:
        return 1

    @wf.step
    def b(a: int, fail: bool = True) -> int:
        from sys import aios_box as box

        if box.values.setdefault("failed", 0) == 0:
            box.values["failed"] = 1
            raise ValueError
        return a + 1

    with Box():
        run = wf.run()
        assert run.wait(PATIENCE) == "failed"
        aios.limit("once", concurrency=0)  # closed: who asked now would wait for ever
        assert run.resume().result(PATIENCE) == 2


def test_a_rate_holds_and_survives_a_clock_that_is_set_back(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limit(ws, "calls", rate="2/10s")
    clock = [5_000.0]
    monkeypatch.setattr(store.time, "time", lambda: clock[0])

    def ask(ticket: str) -> bool:
        request = Request(ticket, living(), "w", "r", "s", 0, {"calls": 1})
        return ticket in store.ask(ws, request).granted

    assert [ask("a"), ask("b"), ask("c")] == [True, True, False]
    clock[0] = 1_000.0  # an hour back: the uses lie in the future
    opened = store.leave(ws, "a").opens
    assert opened == 1_010.0
    clock[0] = 1_010.0
    assert store.leave(ws, "b").granted == {"c"}
    store.leave(ws, "c")
    assert [ask("d"), ask("e")] == [True, False]
    clock[0] = 9_000.0  # forward: at most a window's worth more
    assert store.leave(ws, "d").granted == {"e"}
    store.leave(ws, "e")
    drop_limit(ws, "calls")


def test_changing_a_rate_forgets_no_use(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    set_limit(ws, "kept", rate="4/min")
    clock = [1_000.0]
    monkeypatch.setattr(store.time, "time", lambda: clock[0])

    def ask(ticket: str) -> bool:
        request = Request(ticket, living(), "w", "r", "s", 0, {"kept": 1})
        return ticket in store.ask(ws, request).granted

    for n in range(4):
        clock[0] += 1
        assert ask(f"t{n}")
    set_limit(ws, "kept", rate="2/min")
    assert not ask("t5")
    clock[0] = 1_063.5  # the third use is out of the window, the fourth is not
    assert store.leave(ws, "t0").granted == {"t5"}
    assert not ask("t6")
    set_limit(ws, "kept", rate="3/min")
    assert "t6" in store.held(ws, living()).granted  # the change itself lets it in
    for n in range(9):
        store.leave(ws, f"t{n}")


def test_a_rate_in_a_run(ws: Workspace, wf: aios.Workflow, box: Box) -> None:
    aios.limit("often", rate="3/0.4s")
    for n in range(9):

        def call() -> None:
            import time
            from sys import aios_box as box

            box.seen.append(time.time())

        wf.step(name=f"s{n}", limits=["often"])(call)
    assert wf.run().wait(PATIENCE) == "succeeded"
    times = [r["at"] for r in ws.catalog.query("select at from limit_uses where name = 'often' order by at")]
    assert len(box.seen) == 9
    assert len(times) == 3
    assert ws.catalog.one("select turn, used from limits where name = 'often'") == {"turn": 9, "used": 9}


def test_no_more_runs_are_active_than_may_be(ws: Workspace, box: Box) -> None:
    box.values["gauge"] = gauge = Gauge()
    wf = aios.Workflow("few-active", max_active=2)
    fan(wf, 1)
    runs = [wf.run() for _ in range(7)]
    assert [r.result(PATIENCE) for r in runs] == [1] * 7
    assert gauge.most <= 2


def test_a_queued_run_is_cancelled_at_once(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("queued-cancel", max_active=1)

    @wf.step
    def work() -> None:
        from sys import aios_box as box

        box.hold()

    first = wf.run()
    assert box.started.wait(PATIENCE)
    second = wf.run()
    until(
        lambda: aios.limits() and any(o.waiters for o in aios.limits() if o.name == "workflow:queued-cancel")
    )
    assert second.status == "queued"
    until(lambda: second.row["message"] == "waits for its turn (1 of 1 runs active)")
    second.cancel()
    assert second.wait(PATIENCE) == "cancelled"
    assert statuses(second) == {"work": "cancelled"}
    box.go.set()
    assert first.wait(PATIENCE) == "succeeded"


def test_a_full_queue_says_so_or_makes_the_producer_wait(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("bounded", max_active=1, max_queued=2)

    @wf.step
    def work() -> int:
        from sys import aios_box as box

        box.hold()
        return 1

    runs = [wf.run()]
    assert box.started.wait(PATIENCE)
    runs += [wf.run(), wf.run(_key="known")]
    with pytest.raises(
        aios.errors.QueueFull, match=r"2 runs of workflow 'bounded' are queued.*max_queued=2"
    ) as full:
        wf.run(_wait=False)
    assert full.value.http_status == 429
    with pytest.raises(aios.errors.QueueFull):
        wf.run(_wait=0.05)
    assert wf.run(_key="known", _wait=False).id == runs[2].id  # not a further one
    threading.Timer(0.2, box.go.set).start()
    runs.append(wf.run())  # waits
    assert [r.result(PATIENCE) for r in runs] == [1] * 4
    with pytest.raises(aios.errors.ParameterError, match="_wait is True, False or seconds"):
        wf.run(_wait="long")


@pytest.mark.parametrize(("options", "told"), [
    ({"limits": {"gpu": 0}}, "limits: 'gpu' must be a whole number of at least 1"),
    ({"limits": {"": 1}}, "a resource needs a name"),
    ({"limits": ["workflow:x"]}, "reserved"),
    ({"limits": 3}, "names of resources"),
    ({"priority": 101}, "from -100 to 100"),
    ({"priority": True}, "from -100 to 100"),
    ({"prioritty": 1}, "did you mean 'priority'"),
])  # fmt: skip
def test_wrong_options_are_refused_where_they_are_written(options: dict[str, object], told: str) -> None:
    wf = aios.Workflow("wrong")
    with pytest.raises(aios.errors.DefinitionError, match=told):
        wf.step(**{"name": "a"} | options)(lambda: 1)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "options", [{"max_active": 0}, {"max_queued": -1}, {"priority": 1.5}, {"max_active": True}]
)
def test_wrong_options_of_a_workflow_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(aios.errors.DefinitionError, match=r"workflow 'wrong'"):
        aios.Workflow("wrong", **options)  # type: ignore[arg-type]


def test_declaring_is_audited_once_and_read_by_sql(ws: Workspace) -> None:
    for _ in range(2):
        aios.limit("audited", concurrency=3, rate="5/s", by="ana")
    aios.limit("audited", concurrency=None, by="ben")
    rows = ws.catalog.query("select actor, action from audit where subject = 'audited' order by seq")
    assert rows == [{"actor": a, "action": "limit.set"} for a in ("ana", "ben")]
    assert list(aios.sql("select rate from limits where name = 'audited'")["rate"]) == [5]
    with pytest.raises(aios.errors.NotFoundError, match="did you mean 'audited'"):
        aios.limit("auditd")
    with pytest.raises(aios.errors.ParameterError, match="is not a rate"):
        aios.limit("audited", rate="often")
    with pytest.raises(aios.errors.ParameterError, match="concurrency"):
        aios.limit("audited", concurrency=-1)


def test_nothing_looks_at_the_catalog_when_nothing_waits(ws: Workspace, wf: aios.Workflow) -> None:
    wf.step(name="a", limits=["quiet"])(lambda: 1)
    assert wf.run().result(PATIENCE) == 1
    engine = runtime.running()
    assert engine is not None
    watch = engine.host.admission._watch
    until(lambda: watch is None or watch.done())
