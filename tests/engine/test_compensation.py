"""What finished steps did is undone when the run fails: the order, the arguments, how often, what a resume redoes."""

from __future__ import annotations

from typing import Any

from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.widgets import fallback
from aios_workbench.widgets.source import static_state
from aios_workbench.workspace import Workspace


def rows(ws: Workspace, run: Any) -> list[tuple[Any, ...]]:
    found = ws.catalog.query("select * from compensations where run_id = :r order by leg, position", r=run.id)
    return [(r["leg"], r["step"], r["status"], r["attempts"]) for r in found]


def trip(**options: Any) -> aios.Workflow:
    """Three bookings in a row, then a payment that fails until the box says go; each undo notes what it was given."""
    wf = aios.Workflow("trip", **options)

    def cancel_hotel(hotel: str, city: str) -> None:
        from sys import aios_box as box

        box.seen.append(("undo", hotel, city, aios.context().key))

    def cancel_flight(output: str) -> object:
        from sys import aios_box as box

        box.seen.append(("undo", output))
        return object()  # what it returns is nobody's business, not even whether it can be stored

    @wf.step(compensate=cancel_hotel)
    def hotel(city: str = "Rome") -> str:
        from sys import aios_box as box

        box.seen.append("hotel")
        return f"hotel in {city}"

    @wf.step(compensate=cancel_flight)
    def flight(hotel: str) -> str:
        from sys import aios_box as box

        box.seen.append("flight")
        return "flight"

    @wf.step
    def label(flight: str) -> str:
        from sys import aios_box as box

        box.seen.append("label")
        return flight.upper()

    @wf.step
    def pay(label: str) -> str:
        from sys import aios_box as box

        box.seen.append("pay")
        if not box.go.is_set():
            raise ValueError("no money")
        return "paid"

    return wf


def test_a_failed_run_undoes_what_had_finished_last_first(ws: Workspace, box: Box) -> None:
    run = trip().run()
    assert run.wait(PATIENCE) == "failed"
    assert box.seen == [
        "hotel", "flight", "label", "pay", ("undo", "flight"),
        ("undo", "hotel in Rome", "Rome", f"{run.id}/hotel/undo"),
    ]  # fmt: skip
    assert statuses(run) == {
        "hotel": "compensated", "flight": "compensated", "label": "succeeded", "pay": "failed"
    }  # fmt: skip
    assert run["hotel"].message == "undone by 'cancel_hotel' because 'pay' failed"
    assert run.message == "undid 'hotel', 'flight'"
    assert rows(ws, run) == [(0, "flight", "compensated", 1), (0, "hotel", "compensated", 1)]
    assert [(a["kind"], a["name"], a["status"]) for a in run["flight"].attempts] == [
        ("step", None, "succeeded"), ("compensation", "cancel_flight", "succeeded"),
    ]  # fmt: skip
    assert run.error is not None
    assert run.error.message == "no money"


def test_undone_steps_are_shown_as_such(ws: Workspace, box: Box) -> None:
    run = trip().run()
    run.wait(PATIENCE)
    said = [e.text for e in run.events().events]
    assert "step 'hotel' was undone because 'pay' failed" in said
    assert said.index("step 'hotel' is being undone because 'pay' failed") > said.index(
        "step 'flight' was undone because 'pay' failed"
    )
    assert "hotel<br/>compensated" in run.to_mermaid()
    shown = fallback.bundle(static_state(run))
    assert "2 compensated" in shown["text/plain"]
    assert "↶ hotel" in shown["text/plain"]


def test_a_resume_does_again_what_was_undone_and_what_is_behind_it(ws: Workspace, box: Box) -> None:
    run = trip().run()
    run.wait(PATIENCE)
    box.seen.clear()
    run.resume()  # it fails again, and undoes again
    assert run.wait(PATIENCE) == "failed"
    assert [s for s in box.seen if isinstance(s, str)] == ["hotel", "flight", "label", "pay"]
    assert len(box.seen) == 6
    assert [r[0] for r in rows(ws, run)] == [0, 0, 1, 1]
    box.seen.clear()
    box.go.set()
    run.resume()
    assert run.wait(PATIENCE) == "succeeded"
    assert box.seen == ["hotel", "flight", "label", "pay"]
    assert set(statuses(run).values()) == {"succeeded"}


def test_a_rerun_of_an_undone_run_does_it_all_again_and_undoes_only_its_own(ws: Workspace, box: Box) -> None:
    wf = trip()
    box.go.set()
    first = wf.run()
    assert first.wait(PATIENCE) == "succeeded"
    box.go.clear()
    box.seen.clear()
    second = first.rerun(from_="pay")  # it reuses the bookings of the first run, which stand
    assert second.wait(PATIENCE) == "failed"
    assert box.seen == ["pay"]
    assert statuses(first)["hotel"] == statuses(second)["hotel"] == "succeeded"
    third = wf.run()
    third.wait(PATIENCE)
    box.seen.clear()
    box.go.set()
    assert third.rerun().wait(PATIENCE) == "succeeded"
    assert box.seen == ["hotel", "flight", "label", "pay"]


def test_an_undo_that_fails_does_not_stop_the_others_and_is_shown(
    wf: aios.Workflow, ws: Workspace, box: Box
) -> None:
    def broken(a: int) -> None:
        from sys import aios_box as box

        box.seen.append("undo a")
        raise LookupError("nothing to undo")

    def fine(b: int) -> None:
        from sys import aios_box as box

        box.seen.append("undo b")

    @wf.step(compensate=fine)
    def b() -> int:
        return 1

    @wf.step(compensate=broken, retries=1, backoff="1ms")
    def a(b: int) -> int:
        return 2

    @wf.step
    def fails(a: int) -> None:
        raise ValueError("x")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert box.seen == ["undo a", "undo a", "undo b"]
    assert statuses(run) == {"b": "compensated", "a": "succeeded", "fails": "failed"}
    assert run["a"].message == "could not be undone, 'broken' failed: LookupError: nothing to undo"
    assert run.message == "undid 'b'; could not undo 'a': look at what they did"
    assert rows(ws, run) == [(0, "a", "failed", 2), (0, "b", "compensated", 1)]
    assert "nothing to undo" in run["a"].attempts[-1]["error"]["traceback"]


def held(**options: Any) -> aios.Workflow:
    wf = aios.Workflow("held trip", **options)

    def undo(book: int) -> None:
        from sys import aios_box as box

        box.seen.append("undo")

    @wf.step(compensate=undo)
    def book() -> int:
        return 1

    @wf.step
    def hold(book: int) -> None:
        from sys import aios_box as box

        box.started.set()
        while not aios.context().cancelled:
            pass

    return wf


def test_a_cancelled_run_keeps_what_it_did_unless_told_otherwise(ws: Workspace, box: Box) -> None:
    for wanted in (False, True):
        box.started.clear()
        run = held(compensate_on_cancel=wanted).run()
        assert box.started.wait(PATIENCE)
        run.cancel()
        assert run.wait(PATIENCE) == "cancelled"
        assert statuses(run)["book"] == ("compensated" if wanted else "succeeded")
        assert box.seen == ["undo"] * wanted
    assert run.message == "undid 'book'"


def test_nothing_is_undone_in_a_run_that_succeeds_or_goes_on_without_a_step(
    wf: aios.Workflow, ws: Workspace, box: Box
) -> None:
    def undo(book: int) -> None:
        from sys import aios_box as box

        box.seen.append("undo")

    @wf.step(compensate=undo)
    def book() -> int:
        return 1

    @wf.step(on_error="skip")
    def extra(book: int) -> int:
        raise ValueError("x")

    run = wf.run()
    assert run.wait(PATIENCE) == "succeeded"
    assert box.seen == []
    assert rows(ws, run) == []


def test_what_a_fallback_did_is_undone_too(wf: aios.Workflow, ws: Workspace, box: Box) -> None:
    def undo(output: str) -> None:
        from sys import aios_box as box

        box.seen.append(output)

    @wf.step(compensate=undo, fallback=lambda: "by hand")
    def book() -> str:
        raise ConnectionError("down")

    @wf.step
    def fails(book: str) -> None:
        raise ValueError("x")

    run = wf.run()
    until(lambda: run.status == "failed")
    assert box.seen == ["by hand"]


def test_a_step_of_an_included_workflow_is_undone(ws: Workspace, box: Box) -> None:
    def cancel(book: str, city: str) -> None:
        from sys import aios_box as box

        box.seen.append((book, city))

    inner, wf = aios.Workflow("inner"), aios.Workflow("outer")

    @inner.step(compensate=cancel)
    def book(city: str = "Rome") -> str:
        return "room 7"

    wf.include(inner)

    @wf.step(after=[s.name for s in wf.steps])
    def pay() -> None:
        raise ValueError("no money")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert box.seen == [("room 7", "Rome")]
    assert set(statuses(run).values()) == {"compensated", "failed"}
