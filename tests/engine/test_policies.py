"""Which errors are retried, after how long; what goes on without a failed step; the cap on a run's attempts."""

from __future__ import annotations

import datetime as dt
import email.utils
import time
from types import SimpleNamespace
from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.engine.retrying import MAX_RETRY_AFTER, judge, retry_after
from aios_workbench.errors import (
    AttemptsExhausted,
    DefinitionError,
    MissingInputError,
    StepFailed,
    StepTimeout,
)
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Workspace


class Flaky(ConnectionError):
    """Of this module, as an error of a notebook is of the notebook."""


def tried(run: Any, step: str) -> list[tuple[Any, ...]]:
    return [(a["kind"], a["status"], a["message"]) for a in run[step].attempts]


@pytest.mark.parametrize(
    ("options", "error", "attempts", "why"),
    [
        ({}, ValueError("x"), 3, "not retried: all 3 attempts are used up"),
        ({"retry_on": ConnectionError}, ConnectionResetError("x"), 3, "not retried: all 3 attempts are used up"),
        ({"retry_on": ConnectionError}, ValueError("x"), 1, "not retried: ValueError is not in retry_on"),
        ({"retry_on": [ConnectionError, "KeyError"]}, KeyError("x"), 3, "not retried: all 3 attempts are used up"),
        ({"give_up_on": (ValueError,)}, ValueError("x"), 1, "not retried: ValueError is in give_up_on"),
        ({"give_up_on": "OSError"}, Flaky("x"), 1, "not retried: Flaky is in give_up_on as OSError"),
        ({"retry_on": OSError, "give_up_on": Flaky}, Flaky("x"), 1, "not retried: Flaky is in give_up_on"),
        ({"retry_on": OSError, "give_up_on": Flaky}, OSError("x"), 3, "not retried: all 3 attempts are used up"),
        ({"retry_on": "some.thing.Else"}, ValueError("x"), 1, "not retried: ValueError is not in retry_on"),
        ({"retry_on": "json.JSONDecodeError"}, None, 3, "not retried: all 3 attempts are used up"),
    ],
)  # fmt: skip
def test_the_class_of_an_error_decides_whether_it_is_retried(
    wf: aios.Workflow, box: Box, options: Any, error: Any, attempts: int, why: str
) -> None:
    box.values["error"] = error

    @wf.step(retries=2, backoff="1ms", **options)
    def s() -> None:
        import json
        from sys import aios_box as box

        raise box.values["error"] or json.JSONDecodeError("m", "d", 0)

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert len(run["s"].attempts) == attempts
    assert tried(run, "s")[-1] == ("step", "failed", why)
    assert all(said.startswith("tried again after ") for _, _, said in tried(run, "s")[:-1])


def test_a_class_that_travels_by_value_is_known_by_its_name(wf: aios.Workflow) -> None:
    class Busy(Exception):
        pass

    @wf.step(retries=1, backoff="1ms", retry_on=Busy)
    def s() -> None:
        raise Busy("travelled inside the function")

    assert "Busy" in wf.steps[0].retry_on[0]
    run = wf.run()
    run.wait(PATIENCE)
    assert [a["status"] for a in run["s"].attempts] == ["failed", "failed"]


def test_a_timeout_is_matched_as_its_own_class_and_as_the_built_in(wf: aios.Workflow) -> None:
    for name, wanted in (("own", StepTimeout), ("builtin", TimeoutError), ("other", ConnectionError)):

        @wf.step(name=name, retries=1, backoff="1ms", timeout="50ms", retry_on=wanted)
        def s() -> None:
            while not aios.context().cancelled:
                pass

    run = wf.run()
    run.wait(PATIENCE)
    assert [len(run[n].attempts) for n in ("own", "builtin", "other")] == [2, 2, 1]


def test_what_is_not_retried_still_falls_back(wf: aios.Workflow) -> None:
    @wf.step(retries=5, give_up_on=ValueError, fallback=lambda: "stand-in")
    def s() -> str:
        raise ValueError("x")

    run = wf.run()
    assert run.result(PATIENCE) == "stand-in"
    assert [k for k, _, _ in tried(run, "s")] == ["step", "fallback"]


RESPONSE = SimpleNamespace(headers={"Retry-After": "7"})


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"retry_after": 3}, 3.0), ({"retry_after": "2.5"}, 2.5), ({"retry_after": dt.timedelta(minutes=1)}, 60.0),
        ({"response": RESPONSE}, 7.0), ({"headers": {"retry-after": "9"}}, 9.0),
        ({"retry_after": 1, "response": RESPONSE}, 1.0),
        ({}, None), ({"retry_after": None}, None), ({"retry_after": "soon"}, None),
        ({"retry_after": float("nan")}, None),
        ({"headers": 3}, None), ({"retry_after": -5}, 0.0), ({"retry_after": float("inf")}, None),
    ],
)  # fmt: skip
def test_an_error_may_say_how_long_to_wait(given: dict[str, Any], seconds: float | None) -> None:
    error = ConnectionError("busy")
    vars(error).update(given)
    assert retry_after(error) == seconds


def test_a_date_is_a_wait_too() -> None:
    error = ConnectionError("busy")
    vars(error)["retry_after"] = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 90 < (retry_after(error) or 0) <= 100
    vars(error)["retry_after"] = email.utils.formatdate(time.time() - 100, usegmt=True)
    assert retry_after(error) == 0


def test_the_wait_an_error_asks_for_replaces_the_backoff() -> None:
    error = ConnectionError("busy")
    spec = StepSpec("s", retries=1, backoff=0.001)
    vars(error)["retry_after"] = 40
    verdict = judge(spec, error, 1)
    assert (verdict.retry, verdict.wait) == (True, 40.0)
    assert verdict.why == "tried again after 40.0 s, as the error asks"
    vars(error)["retry_after"] = MAX_RETRY_AFTER + 1
    verdict = judge(spec, error, 1)
    assert not verdict.retry
    assert "asks for a wait of 1 h" in (verdict.why or "")


def test_a_run_waits_as_long_as_an_error_asks(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff="1h")
    def s() -> int:
        if aios.context().attempt == 1:
            error = ConnectionError("429")
            error.retry_after = 0.01
            raise error
        return 1

    run = wf.run()
    assert run.result(PATIENCE) == 1
    assert tried(run, "s")[0] == ("step", "failed", "tried again after 10 ms, as the error asks")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"retry_on": "ConectionError"}, "no built-in exception.*ConnectionError"),
        ({"retry_on": 3}, "retry_on: takes exception classes"), ({"give_up_on": [int]}, "give_up_on: takes exception"),
        ({"give_up_on": "a b"}, "dotted names"), ({"on_error": "skipp"}, "on_error: is one of 'fail', 'skip'.*skip"),
        ({"breaker": 3}, "breaker: takes a name"), ({"breaker": " "}, "1 to 200 characters"),
        ({"compensate": 3}, "compensate: takes a function"), ({"hedge": "soon"}, "hedge: 'soon' is not a duration"),
        ({"compensate": lambda: None, "cache": True}, "compensate says that the step has an effect"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_with_the_step_and_a_remedy(
    wf: aios.Workflow, options: Any, says: str
) -> None:
    with pytest.raises(DefinitionError, match=f"step 's'.*{says}"):

        @wf.step(**options)
        def s() -> None: ...


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"failures": 0}, "failures must be"),
        ({"within": "x"}, "within: 'x' is not"),
        ({"cool_down": 0}, "cool_down: "),
    ],
)
def test_wrong_breakers_are_refused(arguments: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=f"breaker 'crm'.*{says}"):
        aios.Breaker("crm", **arguments)


def test_an_undo_function_that_takes_what_nobody_has_is_refused(wf: aios.Workflow) -> None:
    @wf.step(compensate=lambda charge, ordr: None)
    def charge(order: int = 1) -> int:
        return order

    with pytest.raises(
        MissingInputError, match=r"'charge', compensate: 'ordr' is neither.*did you mean 'order'"
    ):
        wf.spec()


def test_a_step_that_may_be_skipped_lets_the_run_succeed_and_shows_it(wf: aios.Workflow) -> None:
    @wf.step(on_error="skip", retries=1, backoff="1ms")
    def enrich() -> int:
        raise ConnectionError("CRM is down")

    @wf.step
    def report(enrich: int) -> int:
        return enrich

    @wf.step
    def other() -> int:
        return 2

    run = wf.run()
    assert run.wait(PATIENCE) == "succeeded"
    assert statuses(run) == {"enrich": "skipped", "report": "skipped", "other": "succeeded"}
    assert run["enrich"].message == "skipped after ConnectionError: CRM is down (on_error='skip')"
    assert run["enrich"].error is not None
    assert len(run["enrich"].attempts) == 2
    assert run["report"].message == "not run: 'enrich' was skipped after an error"
    assert run.message == "went on without 'enrich', skipped after an error"
    assert "went on without 'enrich'" in repr(run)
    assert run.result() == 2


def test_what_was_skipped_after_an_error_is_tried_again_by_a_resume(wf: aios.Workflow, box: Box) -> None:
    @wf.step(on_error="skip")
    def maybe() -> int:
        from sys import aios_box as box

        box.seen.append("maybe")
        if len(box.seen) == 1:
            raise ConnectionError("down")
        return 1

    @wf.step(after="maybe", when=lambda: True)
    def never() -> int:
        return 1

    @wf.step
    def fails() -> int:
        from sys import aios_box as box

        if not box.go.is_set():
            raise ValueError("not yet")
        return 2

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.message == "went on without 'maybe', skipped after an error"
    box.go.set()
    run.resume()
    assert run.wait(PATIENCE) == "succeeded"
    assert statuses(run) == {"maybe": "succeeded", "never": "succeeded", "fails": "succeeded"}
    assert run.message is None


def capped(limit: int, **options: Any) -> aios.Workflow:
    wf = aios.Workflow("capped", max_attempts=limit, **options)

    @wf.step
    def load() -> int:
        return 1

    @wf.step(retries=50, backoff="1ms", fallback=lambda load: 0, on_error="skip")
    def call(load: int) -> int:
        from sys import aios_box as box

        box.seen.append("call")
        raise ConnectionError("down")

    return wf


def test_a_run_makes_no_more_attempts_than_allowed(ws: Workspace, box: Box) -> None:
    run = capped(6).run()
    with pytest.raises(AttemptsExhausted) as e:
        run.result(PATIENCE)
    assert len(box.seen) == 5
    assert (
        "has made 6 of the 6 its workflow 'capped' allows (max_attempts): 'call' 5 (5 without success), 'load' 1"
        in str(e.value)
    )
    assert "Before that: ConnectionError: down" in str(e.value)
    assert statuses(run) == {
        "load": "succeeded",
        "call": "failed",
    }  # neither its fallback nor on_error makes up for it
    assert run["load"].output == 1
    assert (run.row["attempts_used"], run.row["attempts_allowed"]) == (6, 6)


def test_a_resume_gives_as_many_attempts_again_but_one_by_itself_does_not(ws: Workspace, box: Box) -> None:
    wf = capped(4)
    run = wf.run(_key="same")
    run.wait(PATIENCE)
    assert len(box.seen) == 3
    run.resume()
    assert run.wait(PATIENCE) == "failed"
    assert len(box.seen) == 7
    assert (run.row["attempts_used"], run.row["attempts_allowed"]) == (8, 8)
    again = wf.run(_key="same")
    assert again.id == run.id
    until(lambda: again.row["leg"] == 2)
    assert again.wait(PATIENCE) == "failed"
    assert len(box.seen) == 7


def test_steps_beside_each_other_share_the_cap(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("wide", max_attempts=10)
    for i in range(4):

        @wf.step(name=f"s{i}", retries=20, backoff="1ms")
        def s() -> None:
            from sys import aios_box as box

            box.seen.append(1)
            raise ConnectionError("down")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert len(box.seen) == 10
    assert {e.type for n in run if (e := run[n].error) is not None} == {"AttemptsExhausted"}


def test_a_cap_under_which_nothing_can_succeed_is_refused() -> None:
    wf = aios.Workflow("tight", max_attempts=1)
    wf.step(name="a")(lambda: 1)
    wf.step(name="b")(lambda: 2)
    with pytest.raises(DefinitionError, match="max_attempts=1 is less than its 2 steps need"):
        wf.spec()
    with pytest.raises(DefinitionError, match="max_attempts must be a whole number"):
        aios.Workflow("w", max_attempts=0)


def test_a_workflow_without_policies_keeps_its_identity(wf: aios.Workflow) -> None:
    @wf.step
    def s() -> int:
        return 1

    with_default, without = wf.spec(), aios.Workflow(wf.name)
    without.step(on_error="skip")(s)
    assert with_default.hash != without.spec().hash


def test_the_steps_own_error_is_shown_when_no_fallback_answers(wf: aios.Workflow) -> None:
    def rules() -> int:
        raise LookupError("no rule")

    @wf.step(fallback=[rules])
    def model() -> int:
        raise ConnectionError("model is down")

    run = wf.run()
    with pytest.raises(StepFailed, match="ConnectionError: model is down"):
        run.result(PATIENCE)


def test_a_dead_letter_keeps_what_a_step_was_called_with_until_it_succeeds(
    wf: aios.Workflow, box: Box
) -> None:
    @wf.step
    def load() -> list[int]:
        return [1, 2]

    @wf.step(on_error="dead_letter", retries=1, backoff="1ms")
    def send(load: list[int]) -> int:
        from sys import aios_box as box

        if not box.go.is_set():
            raise ConnectionError("CRM is down")
        return len(load)

    @wf.step
    def fails() -> None:
        from sys import aios_box as box

        if not box.go.is_set():
            raise ValueError("for a resume")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run["send"].status == "skipped"
    (letter,) = run["send"].dead_letters
    assert (letter["type"], letter["reason"], letter["attempts"], letter["status"]) == (
        "ConnectionError", "CRM is down", 2, "open"
    )  # fmt: skip
    references = run["send"].dead_letters.input(0)
    assert ws_value(run, references["load"]) == [1, 2]
    box.go.set()
    run.resume()
    assert run.wait(PATIENCE) == "succeeded"
    (letter,) = run["send"].dead_letters
    assert (letter["status"], letter["redriven_by"]) == ("redriven", run.id)
    box.go.clear()
    second = wf.run()
    second.wait(PATIENCE)
    box.go.set()
    third = second.rerun()
    assert third.wait(PATIENCE) == "succeeded"
    assert [x["redriven_by"] for x in second["send"].dead_letters] == [third.id]


def test_an_error_in_when_is_a_failure_that_on_error_settles(wf: aios.Workflow) -> None:
    @wf.step(on_error="skip", when=lambda: 1 / 0)
    def maybe() -> int:
        return 1

    run = wf.run()
    assert run.wait(PATIENCE) == "succeeded"
    assert run["maybe"].message == "skipped after ZeroDivisionError: division by zero (on_error='skip')"


def ws_value(run: Any, reference: str) -> Any:
    store = run.workspace.artifacts
    return store.get(store.find(reference))
