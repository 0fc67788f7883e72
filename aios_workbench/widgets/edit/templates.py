"""New steps and gates from templates: working code, with the names of this workflow in it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aios_workbench.errors import ConflictError, NotFoundError, ParameterError, hint
from aios_workbench.widgets.edit.namespace import free, identifier, variable, variables
from aios_workbench.widgets.edit.rewrite import place_of
from aios_workbench.widgets.edit.settings import quoted
from aios_workbench.widgets.messages import CellRef, CodeEdit, Template, Templates
from aios_workbench.workflow import Workflow


@dataclass(frozen=True)
class Draft:
    """What a template's text is made of: names that are free and safe to stand in code."""

    name: str
    inputs: Sequence[str]
    taken: frozenset[str]

    @property
    def first(self) -> str:
        """The first input."""
        return self.inputs[0]

    def parameter(self, name: str) -> str:
        """Return a name for a workflow parameter of this step, which no step or other parameter has."""
        return free(f"{self.name}_{name}", set(self.taken) | set(self.inputs))


@dataclass(frozen=True)
class _Recipe:
    title: str
    description: str
    #: Gives the parameters behind the inputs, and the body.
    write: Callable[[Draft], tuple[list[str], str]]
    kind: str = "step"
    least: int = 1
    options: str = ""


def _blank(d: Draft) -> tuple[list[str], str]:
    if not d.inputs:
        count = d.parameter("count")
        return [
            f"{count}: int = 5"
        ], f'"""Say in a line what this step gives."""\nreturn list(range({count}))'
    value = d.first if len(d.inputs) == 1 else "{" + ", ".join(f'"{i}": {i}' for i in d.inputs) + "}"
    return [], f'"""Say in a line what this step gives."""\nreturn {value}'


def _load(d: Draft) -> tuple[list[str], str]:
    path = d.parameter("path")
    return [f'{path}: str = "data.csv"'], (
        '"""Read a CSV or Parquet file."""\n'
        "import pandas as pd\n\n"
        f'if {path}.endswith((".parquet", ".pq")):\n'
        f"    return pd.read_parquet({path})\n"
        f"return pd.read_csv({path})"
    )


def _sql(d: Draft) -> tuple[list[str], str]:
    tables = "\n".join(f'    db.register("{i}", pd.DataFrame({i}))' for i in d.inputs)
    query = f'select * from "{d.first}" limit 1000'  # noqa: S608 - an identifier, in code for a person to change
    return [], (
        '"""Ask the tables before with SQL; each has the name of its step."""\n'
        "import duckdb\n"
        "import pandas as pd\n\n"
        f"with duckdb.connect() as db:\n"
        f"{tables}\n"
        f"    return db.sql('{query}').df()"
    )


def _check(d: Draft) -> tuple[list[str], str]:
    rows = d.parameter("least_rows")
    return [f"{rows}: int = 1"], (
        '"""Stop the run when the data is not as it should be; hand it on when it is."""\n'
        "import pandas as pd\n\n"
        f"table = pd.DataFrame({d.first})\n"
        f"if len(table) < {rows}:\n"
        f'    raise ValueError(f"{{len(table)}} rows, at least {{{rows}}} are needed")\n'
        f"empty = [str(c) for c in table.columns if table[c].isna().all()]\n"
        "if empty:\n"
        "    raise ValueError(f\"nothing in {', '.join(empty)}\")\n"
        f"return table"
    )


def _map(d: Draft) -> tuple[list[str], str]:
    return [], (
        '"""Do something with each item, and show how far it is."""\n'
        "from aios_workbench import context\n\n"
        f"items = list({d.first})\n"
        "results = []\n"
        "for number, item in enumerate(items, 1):\n"
        "    results.append(item)  # what is done with one item\n"
        '    context().progress(number / len(items), f"{number} of {len(items)}")\n'
        "return results"
    )


def _aggregate(d: Draft) -> tuple[list[str], str]:
    by = d.parameter("by")
    return [f'{by}: str = ""'], (
        f'"""Sum the figures up, per value of one column where `{by}` names it."""\n'
        "import pandas as pd\n\n"
        f"table = pd.DataFrame({d.first})\n"
        f"if {by}:\n"
        f"    return table.groupby({by}, dropna=False).sum(numeric_only=True).reset_index()\n"
        f'return table.describe().reset_index(names="figure")'
    )


def _model(d: Draft) -> tuple[list[str], str]:
    target = d.parameter("target")
    return [f'{target}: str = ""'], (
        f'"""Train a model that predicts one column (the last, unless `{target}` names it) and score it."""\n'
        "import pandas as pd\n"
        "from aios_workbench import context\n"
        "from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor\n"
        "from sklearn.model_selection import train_test_split\n\n"
        f"table = pd.DataFrame({d.first})\n"
        f"answer = table[{target} or table.columns[-1]]\n"
        f'known = table.drop(columns=answer.name).select_dtypes("number")\n'
        "numbers = pd.api.types.is_float_dtype(answer)\n"
        "model = (HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier)(random_state=0)\n"
        "train, test, train_answer, test_answer = train_test_split(known, answer, random_state=0)\n"
        "model.fit(train, train_answer)\n"
        'context().metric("r2" if numbers else "accuracy", float(model.score(test, test_answer)))\n'
        "return model"
    )


def _gate(d: Draft) -> tuple[list[str], str]:
    shown = d.first if len(d.inputs) == 1 else "{" + ", ".join(f'"{i}": {i}' for i in d.inputs) + "}"
    return [], f'"""Shown to the reviewer, who approves or rejects."""\nreturn {shown}'


def _export(d: Draft) -> tuple[list[str], str]:
    path = d.parameter("path")
    return [f'{path}: str = "{d.name}.csv"'], (
        '"""Write a CSV or Parquet file, whole or not at all."""\n'
        "from pathlib import Path\n\n"
        "import pandas as pd\n\n"
        f"table, target = pd.DataFrame({d.first}), Path({path})\n"
        f"target.parent.mkdir(parents=True, exist_ok=True)\n"
        f'part = target.with_name(target.name + ".part")\n'
        f'if target.suffix in (".parquet", ".pq"):\n'
        f"    table.to_parquet(part)\n"
        "else:\n"
        f"    table.to_csv(part, index=False)\n"
        f"part.replace(target)\n"
        f'return {{"path": str(target), "rows": len(table)}}'
    )


def _notify(d: Draft) -> tuple[list[str], str]:
    url = d.parameter("webhook")
    what = f"str({d.first})[:500]" if d.inputs else '"done"'
    return [f'{url}: str = ""'], (
        f'"""Tell a chat or a service through its webhook; without `{url}` it is only logged."""\n'
        "import json\n"
        "import urllib.request\n\n"
        f"text = {what}\n"
        f"if not {url}:\n"
        "    print(text)\n"
        "    return text\n"
        'headers = {"Content-Type": "application/json"}\n'
        f'request = urllib.request.Request({url}, json.dumps({{"text": text}}).encode(), headers)\n'
        "with urllib.request.urlopen(request, timeout=30) as reply:\n"
        "    return reply.status"
    )


RECIPES: dict[str, _Recipe] = {
    "step": _Recipe("Empty step", "A function of the outputs of other steps", _blank, least=0),
    "load": _Recipe("Load a table", "Reads a CSV or Parquet file", _load, least=0, options="retries=2"),
    "sql": _Recipe("SQL query", "Asks the outputs of steps with SQL, through DuckDB", _sql),
    "check": _Recipe("Check data", "Stops the run when rows or values are missing", _check),
    "map": _Recipe("For each item", "Does the same with every item, with progress", _map),
    "aggregate": _Recipe("Aggregate", "Groups a table and sums it up", _aggregate),
    "model": _Recipe(
        "Train a model", "Gradient boosting on a table, with its score", _model, options="cache=True"
    ),
    "gate": _Recipe(
        "Human gate", "Waits for a person, who fills in a form and decides", _gate, kind="gate", least=0
    ),
    "export": _Recipe("Export a table", "Writes a CSV or Parquet file", _export),
    "notify": _Recipe("Notify", "Posts a message to a webhook", _notify, least=0, options="retries=2"),
}


def templates() -> Templates:
    """Return what new steps can be made from."""
    return Templates(templates=[
        Template(
            id=key, title=r.title, description=r.description, kind="gate" if r.kind == "gate" else "step",
            takes_inputs=key != "load",
        )
        for key, r in RECIPES.items()
    ])  # fmt: skip


def new_step(
    workflow: Workflow, template: str, name: str, inputs: Sequence[str] = (), after: Sequence[str] = ()
) -> CodeEdit:
    """Return the code of a new step, to be put into a cell of its own.

    Parameters
    ----------
    workflow : Workflow
    template : str
        One of `RECIPES`.
    name : str
        What it is to be called; made into a Python name that nothing else has.
    inputs, after : sequence of str
        Steps whose outputs it gets; steps it waits for only.

    Raises
    ------
    NotFoundError
        When there is no such template.
    ParameterError
        With a message for each field that cannot be.
    ConflictError
        When no variable holds the workflow.
    """
    if template not in RECIPES:
        raise NotFoundError(f"there is no template {template!r}{hint(template, RECIPES)}")
    recipe = RECIPES[template]
    steps = workflow._definitions
    wrong = {
        field: f"workflow '{workflow.name}' has no step '{step}'{hint(step, steps)}"
        for field, named in (("inputs", inputs), ("after", after)) for step in named if step not in steps
    }  # fmt: skip
    if not wrong and len(inputs) < recipe.least:
        wrong["inputs"] = f"“{recipe.title}” needs the output of at least one step"
    if not name.strip():
        wrong["name"] = "give the step a name"
    if wrong:
        raise ParameterError("; ".join(f"{f}: {m}" for f, m in wrong.items()), wrong)
    holder = variable(workflow)
    taken = set(variables(workflow)) | set(steps) | _parameters(workflow)
    own = free(identifier(name, recipe.kind), taken)
    inputs = list(dict.fromkeys(inputs))
    names = _arguments(inputs, {own}, set())
    after = [a for a in dict.fromkeys(after) if a not in inputs]
    code = _code(recipe, holder, Draft(own, list(names), frozenset(taken | {own})), names, after)
    clash = _locals(code) & set(names)
    if clash:  # a step called `pd` or `table`: the template uses that name itself
        names = _arguments(inputs, {own}, clash)
        code = _code(recipe, holder, Draft(own, list(names), frozenset(taken | {own})), names, after)
    return CodeEdit(
        title=f"New {recipe.kind} {own}", after=code, below=_below(workflow, [*inputs, *after]),
        diff="\n".join(f"+{line}" for line in code.split("\n")),
        note=f"“{name.strip()}” is called {own} in the code." if own != name.strip() else "",
    )  # fmt: skip


def _parameters(workflow: Workflow) -> set[str]:
    try:
        return {p.name for p in workflow.parameters}
    except Exception:  # noqa: BLE001 - a workflow that is wrong elsewhere can still get a step
        return set()


def _arguments(inputs: Sequence[str], taken: set[str], avoided: set[str]) -> dict[str, str]:
    """Function parameter -> step; the same name where that is one."""
    out: dict[str, str] = {}
    for step in inputs:
        name = identifier(step, "input").lstrip("_") or "input"
        if name != step or step in avoided:
            name = f"{name}_value" if name in avoided else name
            name = free(name, taken | set(out) | set(inputs) | avoided)
        out[name] = step
    return out


def _locals(code: str) -> set[str]:
    """Names a template's function binds itself."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return found


def _code(recipe: _Recipe, holder: str, draft: Draft, names: dict[str, str], after: Sequence[str]) -> str:
    parameters, body = recipe.write(draft)
    options = [recipe.options] if recipe.options else []
    head = ""
    if recipe.kind == "gate":
        form = free("".join(w.title() for w in draft.name.split("_")) + "Form", set(draft.taken))
        options.append(f"form={form}")
        head = (
            "from pydantic import BaseModel, Field\n\n\n"
            f"class {form}(BaseModel):\n"
            '    note: str = Field("", title="Note", description="Kept with the decision")\n\n\n'
        )
    renamed = {name: step for name, step in names.items() if name != step}
    if renamed:
        options.append("inputs={" + ", ".join(f'"{n}": {quoted(s)}' for n, s in renamed.items()) + "}")
    if after:
        options.append(f"after=[{', '.join(map(quoted, after))}]")
    decorator = f"@{holder}.{recipe.kind}" + (f"({', '.join(options)})" if options else "")
    signature = ", ".join([*names, *parameters])
    text = "\n".join(f"    {line}" if line else "" for line in body.split("\n"))
    return f"{head}{decorator}\ndef {draft.name}({signature}):\n{text}"


def _below(workflow: Workflow, steps: Sequence[str]) -> CellRef | None:
    """The cell behind which the new one goes: the last of those it builds on, or of the workflow."""
    found: list[tuple[int, CellRef]] = []
    for step in [*steps] or list(workflow._definitions):
        try:
            place = place_of(workflow, step)
        except ConflictError:
            continue
        if place.origin.number is not None:
            found.append((place.origin.number, place.origin.ref(place.spot.line)))
    return max(found, key=lambda f: f[0])[1] if found else None
