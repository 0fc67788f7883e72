"""A step whose value is checked before it counts: the option `gate`, and what a step keeps beside its output."""

from __future__ import annotations

from typing import Any

import pytest
from kit import Box, statuses

import aios_workbench as aios
from aios_workbench import drift
from aios_workbench.drift.models import ColumnDrift, ReportData, Rules, SourceInfo, Statistic
from aios_workbench.errors import DefinitionError, GateRejected, StepFailed, StepTimeout, UnknownOptionError
from aios_workbench.workspace import Workspace, gc


def report(effect: float) -> drift.DriftReport:
    """A comparison of one column."""
    verdict: Any = "drifted" if effect >= 0.1 else "stable"
    side = SourceInfo(name="claims", rows=500, columns=1)
    income = ColumnDrift(
        name="income", kind="numeric", verdict=verdict, effect=effect, effect_of="psi",
        p_value=0.0, p_adjusted=0.0, reasons=["PSI 0.41"], statistics={"psi": Statistic(value=effect, effect=effect)},
    )  # fmt: skip
    return drift.DriftReport(ReportData(
        id="r", name="claims", created_at=0.0, reference=side, current=side, rules=Rules(), drifted=effect >= 0.1,
        summary=f"{verdict}: income", columns=[income],
    ))  # fmt: skip


def metrics(ws: Workspace, run: Any) -> dict[str, float]:
    ws.catalog.flush()
    return {
        r["name"]: r["value"] for r in ws.catalog.query("select * from metrics where run_id = :r", r=run.id)
    }


def test_a_value_that_passes_goes_on_and_what_was_found_is_kept(wf: aios.Workflow) -> None:
    @wf.step(gate=lambda value: {"rows": value})
    def load() -> int:
        return 7

    @wf.step
    def after(load: int) -> int:
        return load + 1

    run = wf.run()
    assert run.result() == 8
    assert run["load"].kept == {"rows": 7}
    assert run["after"].kept is None


@pytest.mark.parametrize("found", [True, None])
def test_nothing_is_kept_where_nothing_was_found(wf: aios.Workflow, found: Any) -> None:
    wf.step(name="load", gate=lambda _value: found)(lambda: 7)
    run = wf.run()
    assert run.result() == 7
    assert run["load"].kept is None


def test_false_fails_the_step_and_what_needs_it_is_not_run(wf: aios.Workflow) -> None:
    def has_rows(value: list[int]) -> bool:
        return len(value) > 0

    wf.step(name="load", gate=has_rows)(lambda: [])  # noqa: PIE807 - a builtin takes what no step can
    wf.step(name="after")(lambda load: load)
    run = wf.run()
    with pytest.raises(GateRejected, match=r"did not pass its gate 'has_rows', which returned False"):
        run.result()
    assert statuses(run) == {"load": "failed", "after": "skipped"}
    assert run["load"].error.type == "GateRejected"


def test_a_gate_is_asked_at_every_attempt_and_of_a_fallback(wf: aios.Workflow, box: Box) -> None:
    box.values["n"] = 0

    def count() -> int:
        from sys import aios_box as box

        box.values["n"] += 1
        return int(box.values["n"])

    wf.step(name="load", gate=lambda n: n >= 3, retries=2, backoff=0.01)(count)
    assert wf.run().result() == 3
    wf.step(name="load", gate=lambda n: n < 0, fallback=[lambda: 5, lambda: -5])(count)
    run = wf.run()
    assert run.result() == -5


def test_a_check_that_takes_too_long_is_the_step_s_timeout(wf: aios.Workflow, box: Box) -> None:
    def slow(_value: int) -> None:
        from sys import aios_box as box

        box.hold()

    wf.step(name="load", gate=slow, timeout=0.2)(lambda: 1)
    with pytest.raises(StepTimeout, match="took longer than its timeout"):
        wf.run().result()


def test_a_gate_is_part_of_what_a_step_is(wf: aios.Workflow) -> None:
    def defined(gate: Any) -> tuple[str, str]:
        wf.step(name="load", cache=True, gate=gate)(lambda: 7)
        return wf.steps[0].code_hash, wf.spec().hash

    none, three, four = defined(None), defined(drift.check("r.parquet", max_share=0.3)), defined(
        drift.check("r.parquet", max_share=0.4)
    )  # fmt: skip
    assert len({none[0], three[0], four[0]}) == 3
    assert len({none[1], three[1], four[1]}) == 3
    assert defined(drift.check("r.parquet", max_share=0.3)) == three
    assert wf.steps[0].check_name == "drift check against r.parquet"
    assert defined(None) == none


def test_a_cached_value_has_passed_already_and_another_gate_asks_again(wf: aios.Workflow, box: Box) -> None:
    def asked(_value: int) -> dict[str, int]:
        from sys import aios_box as box

        box.seen.append(1)
        return {"asked": len(box.seen)}

    wf.step(name="load", cache=True, gate=asked)(lambda: 7)
    assert wf.run().result() == 7
    again = wf.run()
    assert (again.result(), again["load"].cached, box.seen) == (7, True, [1])
    wf.step(name="load", cache=True, gate=lambda value: value < 0)(lambda: 7)
    with pytest.raises(GateRejected, match="returned False"):
        wf.run().result()


def test_what_is_no_function_is_refused_where_it_is_written(wf: aios.Workflow) -> None:
    with pytest.raises(DefinitionError, match=r"gate must be a function .* use @wf\.gate"):
        wf.step(name="load", gate=True)(lambda: 7)
    with pytest.raises(UnknownOptionError, match="has no option 'gate'"):
        wf.gate(name="ask", gate=print)  # type: ignore[call-overload]


def test_what_a_failing_step_keeps_is_there_and_one_that_cannot_be_stored_is_told(wf: aios.Workflow) -> None:
    def keeps() -> None:
        aios.context().keep([1, 2])
        raise ValueError("after that")

    def cannot() -> int:
        import threading

        aios.context().keep(threading.Lock())
        return 3

    wf.step(name="keeps")(keeps)
    wf.step(name="cannot")(cannot)
    run = wf.run()
    run.wait()
    assert run["keeps"].kept == [1, 2]
    assert (run["cannot"].output, run["cannot"].kept) == (3, None)
    assert "what the step kept is lost" in run["cannot"].logs


def test_what_is_kept_survives_a_rerun_and_the_collector(wf: aios.Workflow, ws: Workspace) -> None:
    wf.step(name="load", gate=lambda value: {"seen": value})(lambda: "kept well")
    wf.step(name="after")(lambda load: load[::-1])
    run = wf.run()
    run.result()
    again = run.rerun("after")
    again.result()
    assert again["load"].kept == {"seen": "kept well"}
    kept = ws.catalog.one("select kept from steps where run_id = :r and step = 'load'", r=run.id)
    assert kept is not None
    assert kept["kept"] in gc.references(ws)


# ---------------------------------------------------------------- drift


@pytest.mark.parametrize("effect", [0.01, 0.5])
def test_drift_stops_the_run_and_the_report_is_kept_either_way(
    wf: aios.Workflow, ws: Workspace, effect: float
) -> None:
    found = report(effect)

    @wf.step(gate=aios.drift.check("reference.parquet"))
    def batch() -> Any:
        return found

    wf.step(name="score")(lambda batch: "scored")
    run = wf.run()
    if effect < 0.1:
        assert run.result() == "scored"
    else:
        with pytest.raises(StepFailed, match=r"DriftError.*income: PSI 0\.41"):
            run.result()
        assert run["batch"].error.type == "DriftError"
        assert run["score"].status == "skipped"
    verdict = run["batch"].kept
    assert verdict.passed is (effect < 0.1)
    assert verdict.report.columns["income"].psi == effect
    found_metrics = metrics(ws, run)
    assert found_metrics["drift_share"] == float(effect >= 0.1)
    assert found_metrics.get("drift.income.effect") == (0.5 if effect >= 0.1 else None)


@pytest.mark.parametrize("effect", [0.01, 0.5])
def test_a_run_is_routed_by_what_a_gate_found(wf: aios.Workflow, effect: float) -> None:
    found = report(effect)

    @wf.step
    def verdict() -> Any:
        return aios.drift.gate(found, fail=False)

    @wf.step(when=lambda verdict: verdict.passed)
    def usual(verdict: Any) -> str:
        return "the old model"

    @wf.step(when=lambda verdict: not verdict.passed)
    def retrain(verdict: Any) -> str:
        return f"a new model, because of {', '.join(verdict.columns)}"

    run = wf.run()
    run.wait()
    went, not_gone = ("usual", "retrain") if effect < 0.1 else ("retrain", "usual")
    assert statuses(run) == {"verdict": "succeeded", went: "succeeded", not_gone: "skipped"}
    assert run[went].output == ("the old model" if effect < 0.1 else "a new model, because of income")
    assert run["verdict"].kept.passed is (effect < 0.1)
