"""Mermaid text of workflows and runs. That Mermaid itself reads it is tried in tests/browser/test_graph_export.py."""

from __future__ import annotations

import re

import pytest

from aios_workbench.workflow import StepSpec, Workflow, mermaid
from aios_workbench.workflow.mermaid import mermaid_text


def test_values_are_solid_and_order_is_dashed() -> None:
    steps = [
        StepSpec("a"),
        StepSpec("b", deps={"x": "a", "y": "a"}),
        StepSpec("c", after=["a", "b"], deps={"x": "b"}),
    ]
    assert mermaid(steps).splitlines()[4:] == ["  s0 --> s1", "  s1 --> s2", "  s0 -.-> s2"]


def test_states_are_said_and_coloured() -> None:
    text = mermaid([StepSpec("a"), StepSpec("b", deps={"x": "a"})], {"a": "failed", "b": "skipped"})
    assert 's0["a<br/>failed"]' in text
    assert "class s0 failed" in text
    assert "classDef skipped" in text


@pytest.mark.parametrize(
    "name",
    ['"] --> x["', "<img src=x onerror=alert(1)>", "%%{init: {'theme': 'x'}}%%", "`a` **b**", "a;b", "#35;", "a\nb"],
)  # fmt: skip
def test_a_label_holds_nothing_mermaid_reads(name: str) -> None:
    assert not re.search(r"""["'<>%{}`*;\n\[\]]""", re.sub(r"#\d+;", "", mermaid_text(name)))


@pytest.mark.parametrize(
    ("name", "label"), [("1. first", "1#46; first"), ("- a", "#45; a"), ("größe 中", "größe 中")]
)
def test_lists_are_not_begun_and_letters_stay(name: str, label: str) -> None:
    assert mermaid_text(name) == label


def test_a_workflow_draws_itself() -> None:
    wf = Workflow("w")
    wf.step(name="load")(lambda: 1)

    @wf.gate
    def review(load: int) -> int:
        return load

    assert wf.to_mermaid("TB") == 'flowchart TB\n  s0["load"]\n  s1{{"review"}}\n  s0 --> s1\n'
