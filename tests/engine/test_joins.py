"""Joins after branches: which of the steps before must have succeeded, and what the step gets of the others."""

from __future__ import annotations

from typing import Any

import pytest
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.errors import DefinitionError


def branches(wf: aios.Workflow, needs: str, fails: str = "") -> None:
    """Two branches and a step behind both: one is switched off, one may fail."""

    @wf.step
    def size(n: int = 1) -> int:
        return n

    @wf.step(when=lambda size: size > 10)
    def big(size: int) -> str:
        if "big" in fails:
            raise ValueError("big broke")
        return "big"

    @wf.step(when=lambda size: size <= 10)
    def small(size: int) -> str:
        from sys import aios_box as box  # type: ignore[attr-defined]

        if "small" in fails and not box.values.get("mended"):
            raise ValueError("small broke")
        return "small"

    @wf.step(needs=needs)
    def joined(big: Any, small: Any = "default") -> Any:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append((big, small))
        return [big, small]


@pytest.mark.parametrize(
    ("needs", "n", "fails", "ends", "state", "value"),
    [
        ("all", 1, "", "succeeded", "skipped", None),
        ("any", 1, "", "succeeded", "succeeded", [None, "small"]),
        ("any", 99, "", "succeeded", "succeeded", ["big", "default"]),
        ("done", 1, "", "succeeded", "succeeded", [None, "small"]),
        ("any", 1, "small", "failed", "skipped", None),
        ("done", 1, "small", "failed", "succeeded", [None, "default"]),
    ],
)
def test_a_join_runs_by_what_it_needs(
    wf: aios.Workflow, box: Box, needs: str, n: int, fails: str, ends: str, state: str, value: Any
) -> None:
    branches(wf, needs, fails)
    run = wf.run(n=n)
    assert run.wait(PATIENCE) == ends
    assert run["joined"].status == state
    assert (run["joined"].output if state == "succeeded" else None) == value


def test_why_a_join_was_not_run_is_said(wf: aios.Workflow, box: Box) -> None:
    branches(wf, "any", "small")
    run = wf.run()
    run.wait(PATIENCE)
    rows = aios.sql(f"select step, message from steps where run_id = '{run.id}'").set_index("step")["message"]
    assert rows["joined"] == "not run: none of 'big', 'small' succeeded"
    assert rows["big"] == "not run: its `when` was false"


def test_a_failure_is_made_up_for_by_a_join_that_needs_any(wf: aios.Workflow) -> None:
    @wf.step
    def primary() -> int:
        raise ConnectionError("down")

    @wf.step
    def mirror() -> int:
        return 2

    @wf.step(needs="any")
    def rows(primary: int = 0, mirror: int = 0) -> int:
        return primary or mirror

    run = wf.run()
    assert run.result(PATIENCE) == 2
    assert statuses(run) == {"primary": "failed", "mirror": "succeeded", "rows": "succeeded"}


def test_a_failure_that_something_else_waits_for_still_counts(wf: aios.Workflow) -> None:
    @wf.step
    def primary() -> int:
        raise ConnectionError("down")

    @wf.step
    def mirror() -> int:
        return 2

    @wf.step(needs="any")
    def rows(primary: int = 0, mirror: int = 0) -> int:
        return primary or mirror

    @wf.step
    def strict(primary: int) -> int:
        return primary

    assert wf.run().wait(PATIENCE) == "failed"


def test_a_resume_redoes_what_went_on_without_the_failed_step(wf: aios.Workflow, box: Box) -> None:
    branches(wf, "done", "small")
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    box.values["mended"] = True
    assert run.resume().wait(PATIENCE) == "succeeded"
    assert box.seen == [(None, "default"), (None, "small")]
    assert run["joined"].output == [None, "small"]


def test_a_resume_keeps_a_join_whose_other_branch_was_switched_off(wf: aios.Workflow, box: Box) -> None:
    branches(wf, "any")

    @wf.step
    def after(joined: Any) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        if not box.values.get("mended"):
            raise ValueError("not yet")
        return 1

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    box.values["mended"] = True
    assert run.resume().wait(PATIENCE) == "succeeded"
    assert box.seen == [(None, "small")], "the join was done again"


def test_a_cancelled_run_runs_no_step_that_needs_only_done(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def slow() -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.hold()
        return 1

    @wf.step(needs="done", after=["slow"])
    def clean() -> int:
        return 1

    run = wf.run()
    assert box.started.wait(PATIENCE)
    run.cancel()
    box.go.set()
    assert run.wait(PATIENCE) == "cancelled"
    assert run["clean"].status == "cancelled"


def test_an_unknown_need_is_refused_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="did you mean 'done'"):
        aios.Workflow("w").step(name="s", needs="don")(lambda: 1)
