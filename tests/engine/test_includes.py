"""A workflow inside another: names, bindings, reruns, mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.errors import DefinitionError


def scoring() -> aios.Workflow:
    """Two steps, one switch, three parameters."""
    sub = aios.Workflow("scoring")

    @sub.step
    def clean(rows: list[int], least: int = 0) -> list[int]:
        return [r for r in rows if r >= least]

    @sub.step(when=lambda clean, least=0: len(clean) > least)
    def score(clean: list[int], weight: float = 1.0) -> list[float]:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(weight)
        return [c * weight for c in clean]

    return sub


def test_steps_get_names_of_their_own_and_parameters_are_bound(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def load(n: int = 4) -> list[int]:
        return list(range(n))

    low = wf.include(scoring(), prefix="low", inputs={"rows": "load", "weight": "low_weight"})
    high = wf.include(
        scoring(),
        prefix="high",
        inputs={"rows": "load"},
        params={"weight": 10.0, "least": 1},
        outputs={"score": "top"},
    )
    assert low == {"clean": "low_clean", "score": "low_score"}
    assert high == {"clean": "high_clean", "score": "top"}

    @wf.step
    def report(low_score: list[float], top: list[float]) -> list[float]:
        return [sum(low_score), sum(top)]

    assert sorted(p.name for p in wf.parameters) == ["least", "low_weight", "n"]
    run = wf.run(low_weight=0.5)
    assert run.result(PATIENCE) == [3.0, 60.0]
    assert set(statuses(run)) == {"load", "low_clean", "low_score", "high_clean", "top", "report"}
    assert {s.group for s in wf.steps} == {"", "low", "high"}
    assert run["top"].inputs["weight"] == 10.0


def test_a_name_that_is_not_bound_is_the_step_of_that_name(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def rows() -> list[int]:
        return [1, 2]

    wf.include(scoring())
    assert wf.run().result(PATIENCE) == [1.0, 2.0]


def test_an_include_of_an_include(wf: aios.Workflow, box: Box) -> None:
    middle = aios.Workflow("middle")
    middle.include(scoring(), prefix="s", inputs={"weight": "factor"})

    @middle.step
    def total(s_score: list[float], plus: int = 0) -> float:
        return sum(s_score) + plus

    wf.include(middle, prefix="m", params={"factor": 3.0, "rows": [1, 2]}, outputs={"total": "total"})
    assert sorted(s.name for s in wf.steps) == ["m_s_clean", "m_s_score", "total"]
    assert wf.run(plus=1).result(PATIENCE) == 10.0


def test_a_constant_counts_as_code(wf: aios.Workflow, box: Box) -> None:
    wf.include(scoring(), params={"rows": [1], "weight": 2.0})
    run = wf.run()
    assert run.result(PATIENCE) == [2.0]
    wf.include(scoring(), params={"rows": [1], "weight": 3.0})
    assert wf.state == {"scoring_clean": "fresh", "scoring_score": "stale"}
    again = run.rerun()
    assert again.result(PATIENCE) == [3.0]
    assert again["scoring_clean"].cached
    assert box.seen == [2.0, 3.0]


def test_a_parameter_that_changed_redoes_the_included_step(wf: aios.Workflow, box: Box) -> None:
    wf.include(scoring(), inputs={"weight": "w"}, params={"rows": [1]})
    run = wf.run(w=2.0)
    assert run.result(PATIENCE) == [2.0]
    again = run.rerun(w=5.0)
    assert again.result(PATIENCE) == [5.0]
    assert again["scoring_clean"].cached


def test_including_again_replaces_what_came_before(wf: aios.Workflow) -> None:
    sub = scoring()
    wf.include(sub)
    sub.remove("score")
    wf.include(sub)
    assert [s.name for s in wf.steps] == ["scoring_clean"]


def test_after_holds_back_the_first_steps_only(wf: aios.Workflow) -> None:
    wf.step(name="ready")(lambda: 1)
    wf.include(scoring(), after=["ready"])
    assert {s.name: s.after for s in wf.steps} == {
        "ready": [],
        "scoring_clean": ["ready"],
        "scoring_score": [],
    }


def test_gates_maps_and_loops_come_along(wf: aios.Workflow) -> None:
    sub = aios.Workflow("sub")

    @sub.gate
    def ask(n: int = 1) -> int:
        return n

    @sub.loop(until=lambda at, limit: at >= limit, max=9)
    def climb(at: int, limit: int, ask: Any) -> int:
        return at + 1

    wf.include(sub, inputs={"at": "low"}, params={"limit": 3})
    run = wf.run(_gates={"*": "approve"}, low=0)
    assert run.result(PATIENCE) == 3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"inputs": {"row": "load"}}, "inputs names 'row'.*did you mean 'rows'"),
        ({"params": {"wieght": 1}}, "did you mean 'weight'"),
        ({"outputs": {"scor": "x"}}, "outputs names 'scor'.*no step.*did you mean 'score'"),
        ({"inputs": {"rows": "load"}, "params": {"rows": 1}}, "bound twice"),
        ({"outputs": {"score": "load"}}, "'load', which is taken"),
        ({"outputs": {"score": "x", "clean": "x"}}, "which is taken"),
        ({"prefix": " "}, "prefix must be text"),
    ],
)
def test_mistakes_are_named(wf: aios.Workflow, given: dict[str, Any], says: str) -> None:
    wf.step(name="load")(lambda: [1])
    with pytest.raises(DefinitionError, match=says):
        wf.include(scoring(), **given)
    assert [s.name for s in wf.steps] == ["load"]
    with pytest.raises(DefinitionError, match="cannot include itself"):
        wf.include(wf)
