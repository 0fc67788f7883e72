"""New steps and gates from templates: working code, with the names of this workflow in it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from aios_workbench.errors import ConflictError, NotFoundError, ParameterError, hint
from aios_workbench.widgets.edit.namespace import free, identifier, variable, variables
from aios_workbench.widgets.edit.recipes import RECIPES, Draft, Recipe
from aios_workbench.widgets.edit.rewrite import place_of
from aios_workbench.widgets.edit.settings import quoted
from aios_workbench.widgets.messages import CellRef, CodeEdit, Template, Templates
from aios_workbench.workflow import Workflow


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


def _code(recipe: Recipe, holder: str, draft: Draft, names: dict[str, str], after: Sequence[str]) -> str:
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
    if recipe.verb == "map":
        over, *_ = names.values()
        names = {name: step for name, step in names.items() if step != over}
        options[:0] = [f"over={quoted(over)}", f'item="{parameters[0]}"']
    renamed = {name: step for name, step in names.items() if name != step}
    if renamed:
        options.append("inputs={" + ", ".join(f'"{n}": {quoted(s)}' for n, s in renamed.items()) + "}")
    if after:
        options.append(f"after=[{', '.join(map(quoted, after))}]")
    decorator = f"@{holder}.{recipe.verb or recipe.kind}" + (f"({', '.join(options)})" if options else "")
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
