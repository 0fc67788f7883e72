"""A step that does something once: per key, over all runs, and honest about what nobody can know."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, line, script, statuses, until

import aios_workbench as aios
from aios_workbench.engine import control
from aios_workbench.errors import (
    ConflictError,
    DefinitionError,
    EffectInDoubt,
    NotFoundError,
    ParameterError,
    StepTimeout,
)
from aios_workbench.workspace import Workspace


def test_once_per_key_over_all_runs(wf: aios.Workflow, box: Box) -> None:
    @wf.step(once=lambda claim_id: claim_id)
    def pay(claim_id: str, amount: int) -> str:
        from sys import aios_box as box

        box.seen.append(claim_id)
        return f"paid {amount}"

    first = wf.run(claim_id="C-1", amount=5)
    assert first.result(PATIENCE) == "paid 5"
    again = wf.run(claim_id="C-1", amount=7)
    assert again.result(PATIENCE) == "paid 5"
    assert again["pay"].cached
    assert again["pay"]._row()["message"] == f"done already by run {first.id} (key 'C-1'): not done again"
    assert wf.run(claim_id="C-2", amount=7).result(PATIENCE) == "paid 7"
    assert box.seen == ["C-1", "C-2"]
    (effect,) = first.effects
    assert (effect["status"], effect["key"], effect["step"]) == ("done", "C-1", "pay")
    assert again.effects == []


def test_once_per_inputs_whatever_the_code(wf: aios.Workflow, box: Box) -> None:
    def define(version: int) -> None:
        @wf.step(once=True)
        def send(to: str) -> int:
            from sys import aios_box as box

            box.seen.append(to)
            return version

    define(1)
    assert [wf.run(to=to).result(PATIENCE) for to in ("a", "a", "b")] == [1, 1, 1]
    define(2)
    assert wf.run(to="a").result(PATIENCE) == 1
    assert box.seen == ["a", "b"]


def test_an_exception_says_that_it_has_not_happened(wf: aios.Workflow, box: Box) -> None:
    @wf.step(once=True, retries=2, backoff="1ms")
    def pay() -> int:
        from sys import aios_box as box

        box.seen.append(1)
        if len(box.seen) < 3:
            raise ConnectionError("refused")
        return len(box.seen)

    run = wf.run()
    assert run.result(PATIENCE) == 3
    assert [a["status"] for a in run["pay"].attempts] == ["failed", "failed", "succeeded"]
    assert wf.run().result(PATIENCE) == 3


def test_runs_at_the_same_time_do_it_once(wf: aios.Workflow, box: Box) -> None:
    @wf.step(once=True)
    def pay() -> int:
        from sys import aios_box as box

        box.seen.append(1)
        box.hold()
        return 7

    runs = [wf.run() for _ in range(4)]
    assert box.started.wait(PATIENCE)
    until(lambda: all(statuses(r)["pay"] == "running" for r in runs))
    runs[3].cancel() if runs[3].effects == [] else runs[2].cancel()
    box.go.set()
    ended = [r.wait(PATIENCE) for r in runs]
    assert sorted(ended) == ["cancelled", "succeeded", "succeeded", "succeeded"]
    assert box.seen == [1]


@pytest.mark.parametrize("executor", ["thread", "process"])
def test_what_was_cut_off_is_in_doubt(wf: aios.Workflow, executor: str) -> None:
    @wf.step(once=lambda n: f"order {n}", executor=executor, timeout="500ms", retries=3, backoff="1ms")
    def pay(n: int = 3) -> int:
        import time

        end = time.monotonic() + 60
        while time.monotonic() < end and not aios.context().cancelled:
            time.sleep(0.01)
        return 1

    run = wf.run()
    with pytest.raises(
        EffectInDoubt, match=r"began 'order 3' in run .* was cut off \(StepTimeout\).*settle\('pay', 'don"
    ):
        run.result(PATIENCE)
    assert [a["error"]["type"] for a in run["pay"].attempts] == ["StepTimeout", "EffectInDoubt"]
    assert [e["status"] for e in run.effects] == ["in_doubt"]
    other = wf.run()
    with pytest.raises(EffectInDoubt):
        other.result(PATIENCE)
    with pytest.raises(NotFoundError, match="no effect 'order 4'; did you mean 'order 3'"):
        run.settle("pay", "done", key="order 4")
    with pytest.raises(ParameterError):
        run.settle("pay", "perhaps")
    assert run.settle("pay", "done", output=42) == "order 3"
    with pytest.raises(ConflictError, match="not in doubt: it is done"):
        run.settle("pay", "done", key="order 3")
    assert [r.resume().result(PATIENCE) for r in (run, other)] == [42, 42]
    actions = [
        a["action"]
        for a in run.workspace.catalog.query("select action from audit where subject = :r", r=run.id)
    ]
    assert "effect.settle" in actions


def test_not_done_means_again(wf: aios.Workflow, box: Box) -> None:
    @wf.step(once=True, timeout="300ms")
    def pay() -> int:
        from sys import aios_box as box

        box.seen.append(1)
        while len(box.seen) == 1 and not aios.context().cancelled:
            box.go.wait(0.01)
        return 5

    run = wf.run()
    with pytest.raises(StepTimeout):
        run.result(PATIENCE)
    assert run.settle("pay", "not done")
    assert run.resume().result(PATIENCE) == 5
    assert box.seen == [1, 1]


def test_asking_waits_for_a_word(wf: aios.Workflow) -> None:
    @wf.step(once=True, timeout="300ms", in_doubt="ask", retries=1, backoff="1ms")
    def pay() -> int:
        import time

        while not aios.context().cancelled:
            time.sleep(0.01)
        return 5

    run = wf.run()
    until(lambda: run["pay"].status == "waiting")
    assert "may have been done, or not" in run["pay"]._row()["message"]
    run.settle("pay", "done", output="asked the bank")
    assert run.result(PATIENCE) == "asked the bank"


def test_a_value_that_cannot_be_stored_is_in_doubt_too(wf: aios.Workflow) -> None:
    @wf.step(once=True)
    def pay() -> Any:
        import threading

        return threading.Lock()

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.effects[0]["because"] == "its function had returned, then: SerializationError"


def test_undone_may_be_done_again(wf: aios.Workflow, box: Box) -> None:
    @wf.step(once=lambda n: n, compensate=lambda output: print("refunded", output))
    def pay(n: int) -> int:
        from sys import aios_box as box

        box.seen.append(n)
        return n

    @wf.step
    def ship(pay: int, fails: bool) -> int:
        if fails:
            raise ValueError("sold out")
        return pay

    run = wf.run(n=1, fails=True)
    assert run.wait(PATIENCE) == "failed"
    assert run.effects == []
    assert wf.run(n=1, fails=False).result(PATIENCE) == 1
    later = wf.run(n=1, fails=True)
    assert later.wait(PATIENCE) == "failed"  # it did not pay: there is nothing of its own to undo
    assert wf.run(n=1, fails=False).result(PATIENCE) == 1
    assert box.seen == [1, 1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"once": "order"}, "once is True .once per inputs. or a function"),
        ({"once": lambda order: order}, r"takes 'order', which the step does not; did you mean 'order_id'\?"),
        ({"once": lambda token: token, "secrets": {"token": "T"}}, "takes 'token', which the step does not"),
        ({"once": True, "in_doubt": "perhaps"}, "in_doubt is 'fail', 'ask' or 'again'"),
        ({"in_doubt": "again"}, "this one has none"),
        ({"once": True, "hedge": "1s"}, "leave one out"),
    ],
)
def test_wrong_options(wf: aios.Workflow, options: dict[str, Any], says: str) -> None:
    def pay(order_id: str, token: str) -> int:
        return 1

    with pytest.raises(DefinitionError, match=rf"step 'pay' \(.*{says}"):
        wf.step(**options)(pay)


@pytest.mark.parametrize("key", [None, "", 1.5, b"x", {"a": 1}])
def test_a_key_that_is_none(wf: aios.Workflow, key: Any) -> None:
    @wf.step(once=lambda: key)
    def pay() -> int:
        return 1

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    error = run["pay"].error
    assert error is not None
    assert "return what names the effect" in error.message


PAYS = """
@wf.step(once=lambda n: n, in_doubt=os.environ["DOUBT"])
def pay(n: int = 1):
    import os, signal, time
    with open(os.environ["EFFECTS"], "a") as f: f.write("paid\\n")
    if os.environ.get("DIE"): os.kill(os.getpid(), signal.SIGKILL); time.sleep(60)
    return n
run = wf.run(); print(run.id, flush=True); print(run.wait(60), flush=True)
if run.error: print(run.error.type)
"""


@pytest.mark.alone
@pytest.mark.parametrize(("doubt", "paid"), [("fail", 1), ("again", 2)])
def test_kill_9_while_doing_it(tmp_path: Path, doubt: str, paid: int) -> None:
    home, effects = tmp_path / ".aios", tmp_path / "effects"
    env = {"DOUBT": doubt, "EFFECTS": str(effects)}
    killed = script(home, PAYS, DIE="1", **env)
    run_id = line(killed)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    adopt = script(
        home,
        f"run = aios.run('{run_id}').resume(); print(run.wait(60), [e['status'] for e in run.effects])",
        **env,
    )
    said = finished(adopt)
    expected = "failed ['in_doubt']\n" if doubt == "fail" else "succeeded ['done']\n"
    assert said == expected
    assert effects.read_text().count("paid") == paid
    if doubt == "fail":
        told = finished(script(home, f"""
        run = aios.run('{run_id}')
        print(run.error.type, run.settle("pay", "done", output=9), run.resume().result(60))
        """))  # fmt: skip
        assert told == "EffectInDoubt 1 9\n"
        assert finished(script(home, PAYS, **env)).endswith("succeeded\n")
    assert effects.read_text().count("paid") == paid


@pytest.mark.alone
def test_processes_that_do_it_at_once(tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    env = {"DOUBT": "fail", "EFFECTS": str(effects)}
    several = [script(tmp_path / ".aios", PAYS, **env) for _ in range(4)]
    assert [finished(p).split()[1] for p in several] == ["succeeded"] * 4
    assert effects.read_text() == "paid\n"
    ws = Workspace(tmp_path / ".aios")
    assert len(ws.catalog.query("select * from effects")) == 1
    ws.close()


KEYED = """
@wf.step
def a():
    import os, time
    with open(os.environ["EFFECTS"], "a") as f: f.write("done\\n")
    time.sleep(0.2)
    if not os.path.exists(os.environ["EFFECTS"] + ".ok"): raise ValueError("not yet")
    return 1
import threading
wf.spec()
print("ready", flush=True); sys.stdin.readline()
runs = []
threads = [threading.Thread(target=lambda: runs.append(wf.run(_key="the same"))) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(json.dumps([(r.id, r.wait(60)) for r in runs]), flush=True)
"""


@pytest.mark.alone
def test_the_same_key_at_once_is_one_run(tmp_path: Path) -> None:
    home, effects = tmp_path / ".aios", tmp_path / "effects"
    for expected, status in ((1, "failed"), (2, "succeeded")):
        several = [script(home, KEYED, EFFECTS=str(effects)) for _ in range(3)]
        assert [line(p) for p in several] == ["ready"] * 3
        for p in several:
            assert p.stdin is not None
            p.stdin.write("go\n")
            p.stdin.flush()
        said = [json.loads(finished(p)) for p in several]
        assert [len(runs) for runs in said] == [4] * 3, "a call has raised"
        assert len({run for runs in said for run, _ in runs}) == 1
        if status == "succeeded":
            assert {s for runs in said for _, s in runs} == {status}
        assert effects.read_text().count("done") >= expected
        ws = Workspace(home)
        (run,) = control.list_runs(ws)
        legs = ws.catalog.one("select leg from runs")
        assert legs is not None
        assert effects.read_text().count("done") == legs["leg"] + 1  # each leg once, whoever asked for it
        assert run["status"] == status
        ws.close()
        Path(f"{effects}.ok").touch()
        os.sync()
