"""The drift gate: when it opens, when it stays shut, and what it says."""

from __future__ import annotations

import importlib
import json
import pickle
from typing import Any

import pytest
from reports import HOSTILE, made, number, words

from aios_workbench import _hooks, drift
from aios_workbench.drift.gates import GateVerdict, check, gate
from aios_workbench.drift.models import Multivariate, SchemaChange, Side, Statistic
from aios_workbench.errors import DriftError, DriftInputError

CALM = [number(n, 0.0) for n in ("a", "b", "c")]
GONE = SchemaChange(column="d", change="missing", grave=True, words="d is missing")


def closed(report: Any, **options: Any) -> GateVerdict:
    verdict = gate(report, fail=False, **options)
    assert not verdict.passed
    assert not verdict
    return verdict


def test_a_gate_opens_where_nothing_drifted() -> None:
    verdict = gate(made(*CALM))
    assert verdict
    assert (verdict.share, verdict.compared, verdict.columns, verdict.reasons) == (0.0, 3, (), ())
    assert str(verdict).startswith("the drift gate passed")


def test_a_gate_that_stays_shut_names_columns_and_figures() -> None:
    report = made(number("income", 0.4).model_copy(update={"reasons": ["PSI 0.51, effect 0.40"]}), *CALM)
    with pytest.raises(
        DriftError, match=r"stays shut: income: PSI 0\.51, effect 0\.40.*make the new data"
    ) as e:
        gate(report)
    assert e.value.columns == ("income",)
    assert len(e.value.reasons) == 1


@pytest.mark.parametrize(
    ("max_share", "passes"), [(0.24, False), (0.25, True), (0.3, True), (0, False), (1, True)]
)
def test_a_share_of_columns_may_drift(max_share: float, passes: bool) -> None:
    verdict = gate(made(number("income"), *CALM), max_share=max_share, fail=False)
    assert verdict.passed == passes
    assert verdict.share == 0.25
    if not passes:
        assert verdict.reasons[0].startswith("25 % of columns drifted")
    assert verdict.columns == ("income",)  # what drifted, also where it is allowed


@pytest.mark.parametrize(("psi", "passes"), [(0.6, True), (0.52, True), (0.51, False), (0.2, False)])
def test_a_threshold_of_a_column_counts_whatever_the_share(psi: float, passes: bool) -> None:
    report = made(number("income", 0.4), *CALM)
    verdict = gate(report, max_share=1, columns={"income": {"psi": psi}}, fail=False)
    assert verdict.passed == passes
    if not passes:
        assert verdict.reasons == (f"income: PSI 0.51, {psi:g} is allowed",)


def test_a_figure_that_cannot_be_told_does_not_pass() -> None:
    c = number("income", 0.0, statistics={"psi": Statistic(value=float("nan"))})
    assert closed(made(c), columns={"income": {"psi": 0.2}}).columns == ("income",)


def test_a_grave_change_of_the_schema_keeps_it_shut_and_another_does_not() -> None:
    assert closed(made(*CALM, schema_changes=[GONE]), max_share=1).reasons == ("d is missing",)
    told = GONE.model_copy(update={"grave": False})
    assert gate(made(*CALM, schema_changes=[told])).passed


def test_a_threshold_for_a_column_that_is_gone_fails_by_the_schema() -> None:
    assert closed(made(*CALM, schema_changes=[GONE]), columns={"d": {"psi": 0.2}}).columns == ("d",)


def test_columns_together_keep_it_shut() -> None:
    together = Multivariate(verdict="drifted", reasons=["a model tells them apart: AUC 0.91"])
    assert closed(made(*CALM, multivariate=together)).reasons == ("a model tells them apart: AUC 0.91",)


@pytest.mark.parametrize(
    "columns", [(), (number("a", verdict="few", reference=Side(rows=5), current=Side(rows=5)),)]
)
def test_what_cannot_be_told_is_shut_unless_asked_otherwise(columns: tuple[Any, ...]) -> None:
    report = made(*columns, drifted=None)
    assert closed(report).compared == 0
    assert gate(report, unknown="pass").passed


def test_a_column_with_its_own_threshold_and_few_rows_is_not_told() -> None:
    few = number("income", 0.0, verdict="few", statistics={}, reference=Side(rows=5), current=Side(rows=5))
    verdict = closed(made(few, *CALM), columns={"income": {"psi": 0.2}})
    assert verdict.reasons == ("income: too few rows to tell",)
    assert gate(made(few, *CALM), columns={"income": {"psi": 0.2}}, unknown="pass").passed


def test_evidently_s_rules_ask_for_half_of_the_columns() -> None:
    def of(name: str, distance: float) -> Any:
        p_value = 0.0 if distance > 0.1 else 0.9
        return number(name, statistics={
            "wasserstein": Statistic(value=distance, effect=distance),
            "ks": Statistic(value=distance, p_value=p_value, rows=2000),
        })  # fmt: skip

    one, calm = of("x", 0.5), of("y", 0.01)
    third = calm.model_copy(update={"name": "z"})
    assert not gate(made(one, calm), rules="evidently", fail=False).passed
    assert gate(made(one, calm, third), rules="evidently").passed


@pytest.mark.parametrize(("options", "message"), [
    ({"columns": {"incom": {"psi": 0.2}}}, "no column of the report; did you mean 'income'"),
    ({"columns": {"income": {"psy": 0.2}}}, "psy"),
    ({"columns": {"income": {"mmd": 0.2}}}, "mmd of 'income', which was not computed .* it has psi, ks"),
    ({"max_share": 1.5}, "max_share is 1.5; it lies between 0 and 1"),
    ({"rules": "honst"}, "no rules 'honst'; did you mean 'honest'"),
])  # fmt: skip
def test_a_wrong_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DriftInputError, match=message):
        gate(made(number("income"), *CALM), **options)


def test_only_a_report_is_taken() -> None:
    with pytest.raises(DriftInputError, match=r"takes a report, not dict; .* aios\.drift\.check"):
        gate({"drifted": False})  # type: ignore[arg-type]


def test_hostile_names_are_told_on_one_line() -> None:
    verdict = closed(made(*(number(n) for n in HOSTILE)))
    assert verdict.columns == tuple(HOSTILE)
    assert "\n" not in str(verdict)
    json.dumps(verdict.to_dict())
    assert len(str(verdict)) < 600


def test_a_verdict_travels_with_its_report_and_without_its_rare_values() -> None:
    report = made(number("income"), words("city", {"Ghent": (500, 400), "Only Me": (1, 0)}))
    text = pickle.dumps(gate(report, fail=False))
    again = pickle.loads(text)
    assert b"Only Me" not in text
    assert not again.passed
    assert again.report.columns["income"].psi == report.columns["income"].psi


class Step:
    """Stands for a step of a workflow."""

    def __init__(self) -> None:
        self.kept: Any = None
        self.metrics: dict[str, Any] = {}

    def keep(self, value: Any) -> None:
        self.kept = value

    def metric(self, name: str, value: Any, unit: str | None = None) -> None:
        self.metrics[name] = value


@pytest.mark.parametrize("effect", [0.0, 0.4])
def test_in_a_step_report_and_figures_are_kept_either_way(
    effect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step()
    monkeypatch.setattr(_hooks, "_step", lambda: step)
    try:
        gate(made(number("claim_cost", effect), *CALM))
    except DriftError:
        assert effect
    assert step.kept.passed is (effect == 0)
    assert step.metrics.pop("drift_share") == (0.25 if effect else 0.0)
    assert step.metrics.pop("drift_passed") == float(not effect)
    # a figure called …_cost would count as what the run cost
    assert step.metrics == ({"drift.claim_cost.effect": 0.4} if effect else {})


def test_a_check_is_told_apart_by_what_it_asks() -> None:
    assert repr(check("claims.parquet", max_share=0.1)) == "drift check against claims.parquet"
    with pytest.raises(DriftInputError, match="max_share is 7"):
        check("claims.parquet", max_share=7)
    with pytest.raises(DriftInputError, match="unknown is 'maybe'"):
        check("claims.parquet", unknown="maybe")  # type: ignore[arg-type]
    with pytest.raises(DriftError):
        check("nothing.parquet")(made(number("income")))  # a report is taken as it is


def test_the_package_gives_functions_not_modules() -> None:
    for name, home in drift._HOMES.items():
        module = importlib.import_module(f"aios_workbench.drift.{home}")
        assert getattr(drift, name) is getattr(module, name), name  # also once its module is imported
    assert callable(drift.gate)
    assert drift.gate is gate
