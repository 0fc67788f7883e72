"""Every template's code runs, whatever the steps are called."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import ConflictError, NotFoundError, ParameterError
from aios_workbench.widgets import edit
from aios_workbench.widgets.edit.namespace import free, identifier
from aios_workbench.widgets.edit.templates import RECIPES
from aios_workbench.workflow import Workflow

TABLE = """import pandas as pd
@wf.step(name=NAME)
def made(rows: int = 40):
    return pd.DataFrame({"group": [i % 3 for i in range(rows)], "value": [float(i) for i in range(rows)],
                         "label": [i % 2 for i in range(rows)]})"""


@pytest.mark.parametrize("template", sorted(RECIPES))
@pytest.mark.parametrize("upstream", ["orders", "table", "pd", "raw data <img src=x>", "2nd"])
def test_code_of_every_template_runs(
    book: Any, template: str, upstream: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    book.run(f"NAME = {upstream!r}\n" + TABLE)
    inputs = [] if template == "load" else [upstream]
    change = edit.new_step(book["wf"], template, f"My {template}!", inputs)
    assert change.before is None
    assert "My" in change.note
    book.run(change.after)
    [step] = [s for s in book["wf"].steps if s.name != upstream]
    assert step.name == f"my_{template}"
    assert list(step.deps.values()) == inputs
    assert step.kind == ("gate" if template == "gate" else "step")
    definition = book["wf"].definition(step.name)
    frame = book["made"]()
    frame.to_csv("data.csv", index=False)
    given = dict.fromkeys(step.deps, frame)
    aside = {p.name: p.default for p in book["wf"].parameters if p.name in step.params}
    result = in_a_step(definition.fn, given | aside)
    assert result is not None
    if template == "sql":
        assert len(result) == 40
    if template == "export":
        assert Path(result["path"]).is_file()


def in_a_step(fn: Any, values: dict[str, Any]) -> Any:
    """Call a step's function with a context that takes progress and metrics."""
    import aios_workbench

    class Context:
        def progress(self, *_: Any) -> None: ...
        def metric(self, *_: Any) -> None: ...

    kept = aios_workbench.context
    aios_workbench.context = Context  # type: ignore[assignment, misc]
    try:
        return fn(**values)
    finally:
        aios_workbench.context = kept  # type: ignore[misc]


def test_templates_of_a_whole_workflow_run_end_to_end(book: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    book.run("NAME = 'orders'\n" + TABLE)
    wf = book["wf"]
    for template, name, inputs in (
        ("sql", "top", ["orders"]), ("check", "checked", ["top"]), ("map", "each", ["checked"]),
        ("aggregate", "sums", ["checked"]), ("model", "trained", ["checked"]), ("gate", "agreed", ["sums"]),
        ("export", "written", ["sums"]), ("notify", "told", ["written"]), ("step", "all_of_it", ["each", "trained"]),
    ):  # fmt: skip
        book.run(edit.new_step(wf, template, name, inputs, ["agreed"] if template == "notify" else []).after)
    run = wf.run(_gates={"agreed": "approve"})
    run.result()
    assert run.status == "succeeded"
    assert (tmp_path / "written.csv").is_file()
    assert run["written"].output["rows"] == 8
    run.workspace.close()


def test_names_are_free(book: Any) -> None:
    book.run("@wf.step\ndef load(rows: int = 1): return rows")
    names = [
        edit.new_step(book["wf"], "step", n).after for n in ("load", "wf", "list", "rows", "class", "aios")
    ]
    made = [n.name for code in names for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    assert made == ["load_2", "wf_2", "list_2", "rows_2", "class_", "aios_2"]


def test_wrong_questions(book: Any) -> None:
    wf = book["wf"]
    with pytest.raises(NotFoundError, match="no template"):
        edit.new_step(wf, "stp", "x")
    with pytest.raises(ParameterError) as e:
        edit.new_step(wf, "sql", "  ", [], ["nobody"])
    assert set(e.value.fields) == {"name", "after"}
    with pytest.raises(ParameterError) as e:
        edit.new_step(wf, "sql", "x")
    assert set(e.value.fields) == {"inputs"}
    with pytest.raises(ConflictError, match="no variable"):
        edit.new_step(Workflow("elsewhere"), "step", "x")


def test_the_new_cell_goes_below_what_it_builds_on(book: Any) -> None:
    source = book.run("@wf.step\ndef load(): return 1")
    book.run("@wf.step\ndef other(): return 1")
    below = edit.new_step(book["wf"], "step", "x", ["load"]).below
    assert below is not None
    assert below.source == source


@given(st.text(max_size=300), st.sets(st.text(max_size=8)))
def test_every_text_gives_a_free_name(text: str, taken: set[str]) -> None:
    import keyword

    name = free(identifier(text, "step"), taken)
    assert name.isidentifier()
    assert not keyword.iskeyword(name)
    assert name not in taken
