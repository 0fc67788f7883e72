"""What new steps can be made from: the text of each template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aios_workbench.widgets.edit.namespace import free


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
class Recipe:
    """A template: what it is called, and how its text is written."""

    title: str
    description: str
    #: Gives the parameters behind the inputs, and the body.
    write: Callable[[Draft], tuple[list[str], str]]
    kind: str = "step"
    least: int = 1
    options: str = ""
    #: The decorator, where it is not the kind's: a map goes over its first input, a loop begins with it.
    verb: str = ""


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
    item = free("item", set(d.inputs))
    return [item], (
        '"""Say in a line what is done with one item; what fails for good is kept, and can be done again."""\n'
        f"return {item}"
    )


def _loop(d: Draft) -> tuple[list[str], str]:
    return [], (
        '"""Make the next state from the one before; the first is what the input gave."""\n'
        f"return {d.first}  # a pace forward"
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


RECIPES: dict[str, Recipe] = {
    "step": Recipe("Empty step", "A function of the outputs of other steps", _blank, least=0),
    "load": Recipe("Load a table", "Reads a CSV or Parquet file", _load, least=0, options="retries=2"),
    "sql": Recipe("SQL query", "Asks the outputs of steps with SQL, through DuckDB", _sql),
    "check": Recipe("Check data", "Stops the run when rows or values are missing", _check),
    "map": Recipe(
        "For each item",
        "Does the same with every item, many at once; items that fail are kept",
        _map,
        verb="map",
        options='on_error="dead_letter"',
    ),
    "loop": Recipe(
        "Repeat",
        "Makes a new state from the one before until a condition holds",
        _loop,
        verb="loop",
        options="max=10",
    ),
    "aggregate": Recipe("Aggregate", "Groups a table and sums it up", _aggregate),
    "model": Recipe(
        "Train a model", "Gradient boosting on a table, with its score", _model, options="cache=True"
    ),
    "gate": Recipe(
        "Human gate", "Waits for a person, who fills in a form and decides", _gate, kind="gate", least=0
    ),
    "export": Recipe("Export a table", "Writes a CSV or Parquet file", _export),
    "notify": Recipe("Notify", "Posts a message to a webhook", _notify, least=0, options="retries=2"),
}
