"""A step's cell with that step's decorator changed, and not one character else."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.widgets.cells import Origin, origins
from aios_workbench.widgets.edit.items import drop, items, opening, put
from aios_workbench.widgets.edit.parse import Spot, find, parse
from aios_workbench.widgets.edit.settings import Said, changes, current, fields_of
from aios_workbench.widgets.messages import CodeEdit, SettingsForm, StepPolicy
from aios_workbench.workflow import Workflow
from aios_workbench.workflow.written import Definition


@dataclass(frozen=True)
class Place:
    """Where a step's decorator stands."""

    origin: Origin
    spot: Spot

    @property
    def decorator(self) -> str:
        """The text behind the @."""
        return self.origin.source[self.spot.start : self.spot.end]

    @property
    def arguments(self) -> str:
        """Its arguments with their brackets; empty brackets when it has none."""
        return self.decorator[opening(self.decorator) :] if self.spot.called else "()"


def place_of(workflow: Workflow, step: str) -> Place:
    """Return where a step is made.

    Raises
    ------
    NotFoundError
        When the workflow has no such step.
    ConflictError
        When its code is not to be had, or is nothing that can be changed for this step alone.
    """
    definition = workflow.definition(step)
    refused: ConflictError | None = None
    for origin in origins(definition.fn):
        try:
            spot = find(origin.source, origin.label, workflow, step)
        except ConflictError as e:
            refused = refused or (e if origin.sure else None)
            continue
        if spot is not None:
            return Place(origin, spot)
        if origin.sure and origin.path is None:
            break  # it was made here, by something else than a decorator
    wanted = f"@{_variable(workflow, definition)}.{definition.kind}"
    raise refused or ConflictError(
        f"no {wanted} above a function makes '{step}' ({definition.where}): it was made by a call, or its code was not "
        "kept. Change it by hand, or write it as a decorated function"
    )


def settings(workflow: Workflow, step: str) -> SettingsForm:
    """Return what the form of a step's settings shows."""
    definition = workflow.definition(step)
    form = SettingsForm(
        step=step, kind="gate" if definition.kind == "gate" else "step", settings=StepPolicy()
    )
    form.after_choices = [n for n in workflow._definitions if n != step]
    form.functions = _functions(definition)
    form.fields = fields_of(definition.kind)
    try:
        place = place_of(workflow, step)
    except ConflictError as e:
        form.problem = str(e)
        form.settings = _effective(definition)
        return form
    form.settings = current(definition, Said.of(place.arguments))
    form.cell = place.origin.ref(place.spot.line)
    form.writable = place.origin.path is None
    form.code = f"@{place.decorator}"
    return form


def edit_step(workflow: Workflow, step: str, asked: StepPolicy) -> CodeEdit:
    """Return the code that gives a step these settings.

    Parameters
    ----------
    workflow : Workflow
    step : str
    asked : StepPolicy
        All settings the step is to have; what equals the present ones stays as it is written.

    Raises
    ------
    NotFoundError
        When the workflow has no such step.
    ParameterError
        With a message for each field that cannot be.
    ConflictError
        When the step's code cannot be changed from here.
    """
    if step not in workflow._definitions:
        raise NotFoundError(f"workflow '{workflow.name}' has no step '{step}' any more")
    definition, place = workflow.definition(step), place_of(workflow, step)
    wanted = changes(workflow, definition, Said.of(place.arguments), asked)
    arguments = place.arguments
    for name, source in wanted.items():
        if source is not None:
            arguments = put(arguments, name, source)
        else:
            at = next((i for i, item in enumerate(items(arguments)) if item.name == name), None)
            arguments = arguments if at is None else drop(arguments, at)
    before = place.origin.source
    after = before
    if wanted:
        head = place.decorator[: opening(place.decorator)] if place.spot.called else place.decorator
        arguments = "" if arguments == "()" else arguments
        if not place.spot.called:
            arguments = arguments or "()"
        after = before[: place.spot.start] + head + arguments + before[place.spot.end :]
        _check(workflow, step, place, after)
    return CodeEdit(
        title=_title(step, wanted), before=before, after=after, cell=place.origin.ref(place.spot.line),
        diff=diff(before, after, place.origin.label), writable=place.origin.path is None,
        note=_note(place, bool(wanted)),
    )  # fmt: skip


def _check(workflow: Workflow, step: str, place: Place, after: str) -> None:
    """Look again: nothing but this decorator may have changed."""
    spot = find(after, place.origin.label, workflow, step)
    if spot is None or spot.others != place.spot.others:
        raise ConflictError(
            f"the decorator of '{step}' in {place.origin.label} is written in a way that cannot be changed safely; "
            "change it by hand"
        )
    parse(after, place.origin.label)


def diff(before: str, after: str, label: str) -> str:
    """Return a unified diff of two texts, or nothing."""
    old, new = before.splitlines(), after.splitlines()
    found = difflib.unified_diff(old, new, f"{label} now", f"{label} then", lineterm="", n=3)
    return "\n".join(found)


def _title(step: str, wanted: dict[str, str | None]) -> str:
    if not wanted:
        return f"Nothing to change in {step}"
    said = [f"{name}={source}" if source else f"no {name}" for name, source in wanted.items()]
    return f"{step}: {', '.join(said)}"


def _note(place: Place, changed: bool) -> str:
    if place.origin.path is not None:
        return f"This step is written in the file {place.origin.label}. Copy the change into it, then import it again."
    return "The step takes the new settings when its cell is run." if changed else ""


def _effective(definition: Definition) -> StepPolicy:
    o = definition.options
    return StepPolicy(
        retries=o.get("retries"), cache=o.get("cache"), after=list(o.get("after") or ()),
        tags=[str(t) for t in o.get("tags") or ()], on_reject=o.get("on_reject"),
        backoff=None if o.get("backoff") is None else f"{o['backoff']:g} s",
        timeout=None if o.get("timeout") is None else f"{o['timeout']:g} s",
        fallback=[getattr(f, "__name__", repr(f)) for f in definition.fallbacks],
        when=getattr(o.get("when"), "__name__", None),
    )  # fmt: skip


def _functions(definition: Definition) -> list[str]:
    """Names of the notebook's own functions, to choose a fallback or a condition from."""
    namespace = getattr(definition.fn, "__globals__", {})
    own = [
        name for name, value in namespace.items()
        if not name.startswith("_") and value is not definition.fn and hasattr(value, "__code__")
        and getattr(value, "__module__", None) == definition.fn.__module__
    ]  # fmt: skip
    return sorted(own)[:500]


def _variable(workflow: Workflow, definition: Definition) -> str:
    namespace = getattr(definition.fn, "__globals__", {})
    return next((n for n, v in namespace.items() if v is workflow and n.isidentifier()), "wf")
