"""One place that answers every question about a run, for the kernel's widgets and for the server alike.

Reading runs no user code and loads no pickle. What changes a run goes through `Hands`: in a kernel they are the
Run object's, in the server those of `engine.control` in the name of the signed-in user.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from aios_workbench._wire import Message
from aios_workbench.errors import ConflictError, NotFoundError, ParameterError
from aios_workbench.widgets import detail, letters, news, protocol
from aios_workbench.workspace import Artifact, Workspace

#: Questions that may take seconds and read much: asked on threads of their own, a few at a time.
HEAVY = (
    protocol.AskTable, protocol.AskProfile, protocol.AskSql, protocol.AskMedia, protocol.AskDiff, protocol.AskStepDiff,
    protocol.AskHistory, protocol.AskLineage,
)  # fmt: skip
#: Requests that change something: they need the right to.
ACTING = (protocol.RerunFrom, protocol.Redrive, protocol.Resume, protocol.Cancel, protocol.Decide)
#: Questions that need no run.
RUNLESS = (
    protocol.Hello, protocol.PreviewPage, protocol.AskTable, protocol.AskProfile, protocol.AskSql, protocol.AskMedia,
    protocol.AskHistory,
)  # fmt: skip
#: Questions about what is being written in a notebook: only its kernel can answer.
IN_KERNEL = (
    protocol.AskSettings, protocol.EditStep, protocol.NewStep, protocol.AskTemplates, protocol.Abort,
)  # fmt: skip


class FormError(ParameterError):
    """Values that do not fit a gate's form, said per field."""

    http_status = 422

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("please correct " + ", ".join(f or "the form" for f in fields), fields)


class Hands(Protocol):
    """How a run is acted upon, and in whose name."""

    def rerun(self, run_id: str, step: str) -> str:
        """Start a new run from a step; return its id."""

    def redrive(self, run_id: str, step: str) -> str:
        """Start a new run that does a map's open dead letters again; return its id."""

    def resume(self, run_id: str) -> str:
        """Go on with a run that has stopped."""

    def cancel(self, run_id: str) -> str:
        """Stop a run."""

    def decide(self, run_id: str, request: protocol.Decide) -> str:
        """Approve or reject at a gate."""


class ControlHands:
    """Acts through `engine.control`: what has to be executed is left to a worker.

    Parameters
    ----------
    ws : Workspace
        Where the runs are.
    who : str
        The name decisions and the audit trail carry.
    """

    def __init__(self, ws: Workspace, who: str) -> None:
        self._ws, self._who = ws, who

    def rerun(self, run_id: str, step: str) -> str:
        """Start a new run from a step; return its id."""
        from aios_workbench.engine import control

        return control.rerun(self._ws, run_id, step, by=self._who)

    def redrive(self, run_id: str, step: str) -> str:
        """Start a new run that does a map's open dead letters again; return its id."""
        from aios_workbench.engine import again

        return again.redrive_later(self._ws, run_id, step, by=self._who)

    def resume(self, run_id: str) -> str:
        """Go on with a run that has stopped."""
        from aios_workbench.engine import control

        return control.resume(self._ws, run_id, by=self._who)

    def cancel(self, run_id: str) -> str:
        """Stop a run."""
        from aios_workbench.engine import control

        control.cancel(self._ws, run_id, by=self._who)
        return run_id

    def decide(self, run_id: str, request: protocol.Decide) -> str:
        """Approve or reject at a gate; where the process that asked is gone, somebody is found to go on."""
        from aios_workbench.engine import control, leases

        control.decide(
            self._ws, run_id, request.step, request.approved, by=self._who, values=request.values,
            reason=request.reason or None,
        )  # fmt: skip
        run = control.read_run(self._ws, run_id)
        if run["status"] in ("running", "waiting") and not leases.alive(self._ws, run["owner"]):
            control.ensure_worker(self._ws)
        return run_id


def ask(
    ws: Workspace, request: protocol.AnyRequest, *, run_id: str | None = None, hands: Hands | None = None
) -> Message:
    """Answer a request with the message `protocol.ANSWERS` names for it.

    Parameters
    ----------
    run_id : str, optional
        The run meant when the request names none: a widget's own.
    hands : Hands, optional
        How to act; without, what would change something is refused.

    Raises
    ------
    NotFoundError
        For a run, step or artifact this workspace does not have.
    ConflictError
        For what cannot be done now, or not here.
    FormError
        Naming the fields of a gate's form to correct.

    Examples
    --------
    >>> ask(ws, protocol.OpenStep(id=1, run_id="claims-261120-060000-1a2b3c", step="score"))  # doctest: +SKIP
    """
    run_id = request.run_id or run_id
    ws.catalog.flush()
    if run_id is not None and ws.catalog.one("select 1 from runs where run_id = :r", r=run_id) is None:
        from aios_workbench.engine import control

        control.read_run(ws, run_id)  # raises, naming the nearest ids
    if isinstance(request, ACTING):
        return protocol.Done(run_id=_act(ws, request, _named(run_id), hands))
    if isinstance(request, IN_KERNEL):
        raise ConflictError(
            f"{request.kind!r} is asked of the notebook's kernel: open the notebook and run it"
        )
    return _read(ws, request, run_id)


def origin(ws: Workspace, run_id: str | None, hash_: str) -> str:
    """Return the Python expression of a stored value, or an empty text when it is no step's output.

    Examples
    --------
    >>> origin(ws, "claims-261120-060000-1a2b3c", "9f86…")  # doctest: +SKIP
    'aios.run("claims-261120-060000-1a2b3c")["score"]'
    """
    row = ws.catalog.one(
        "select step from steps where run_id = :r and output = :h order by position limit 1",
        r=run_id,
        h=hash_,
    )
    return (
        ""
        if row is None
        else f"aios.run({json.dumps(run_id)})[{json.dumps(row['step'], ensure_ascii=False)}]"
    )


def check_form(schema: dict[str, Any], values: dict[str, Any]) -> dict[str, str]:
    """Return field -> what is wrong with it; the empty name stands for the form as a whole.

    Examples
    --------
    >>> form = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
    >>> check_form(form, {})
    {'note': 'required'}
    """
    from jsonschema import Draft202012Validator

    properties: dict[str, Any] = schema.get("properties", {})
    filled = {n: p["default"] for n, p in properties.items() if "default" in p} | values
    found: dict[str, str] = {}
    for error in Draft202012Validator(schema).iter_errors(filled):
        if error.validator == "required":
            for name in error.validator_value:
                if name not in filled:
                    found.setdefault(name, "required")
        else:
            found.setdefault(str(error.absolute_path[0]) if error.absolute_path else "", error.message)
    for name in values:
        if properties and name not in properties and schema.get("additionalProperties") is not True:
            found.setdefault(name, "the form has no such field")
    return found


def _act(ws: Workspace, request: Any, run_id: str, hands: Hands | None) -> str:
    if hands is None:
        raise ConflictError("this run can only be looked at here; open it where it was started to change it")
    match request:
        case protocol.RerunFrom():
            return hands.rerun(run_id, request.step)
        case protocol.Redrive():
            return hands.redrive(run_id, request.step)
        case protocol.Resume():
            return hands.resume(run_id)
        case protocol.Cancel():
            return hands.cancel(run_id)
    if request.approved:
        row = ws.catalog.one(
            "select form from gates where run_id = :r and step = :s and status = 'waiting'",
            r=run_id, s=request.step,
        )  # fmt: skip
        fields = check_form(json.loads(row["form"]), request.values) if row and row["form"] else {}
        if fields:
            raise FormError(fields)
    return hands.decide(run_id, request)


def _named(run_id: str | None) -> str:
    if run_id is None:
        raise NotFoundError("this question needs a run: say which with `run_id`")
    return run_id


def _read(ws: Workspace, request: Any, run_id: str | None) -> Message:
    from aios_workbench.observe import history
    from aios_workbench.workspace import tables

    match request:
        case protocol.Hello():
            return protocol.Done(run_id=run_id)
        case protocol.AskHistory():
            return history.history(ws, request.workflow, request.limit, request.before)
        case protocol.PreviewPage() | protocol.AskTable() | protocol.AskProfile() | protocol.AskSql():
            return _value(ws, request, ws.artifacts.find(request.hash), run_id)
        case protocol.AskMedia():
            return tables.media(ws, ws.artifacts.find(request.hash))
    return _run(ws, request, _named(run_id))


def _value(ws: Workspace, request: Any, artifact: Artifact, run_id: str | None) -> Message:
    """Answer about a stored value by its hash."""
    from aios_workbench.workspace import tables

    if isinstance(request, protocol.PreviewPage):
        return detail.page(ws, artifact, request.offset, request.limit)
    named = origin(ws, run_id, request.hash)
    match request:
        case protocol.AskTable():
            return tables.table(ws, artifact, request.query, origin=named)
        case protocol.AskProfile():
            return tables.profile(ws, artifact, request.columns, origin=named)
    return tables.sql_page(ws, artifact, request.query, request.limit, origin=named)


def _run(ws: Workspace, q: Any, run_id: str) -> Message:
    """Answer about a run."""
    from aios_workbench.observe import diff, events, lineage, overview, timeline

    match q:
        case protocol.OpenStep() | protocol.AskLetters() | protocol.Logs():
            return _step(ws, q, run_id)
        case protocol.AskGraph():
            return news.graph(ws, run_id, q.since)
        case protocol.AskOverview():
            return overview.overview(ws, run_id)
        case protocol.AskTimeline():
            return timeline.timeline(ws, run_id)
        case protocol.AskEvents():
            return events.events(ws, run_id, q.after, q.limit)
        case protocol.AskLineage():
            return lineage.lineage(ws, run_id, q.step, q.depth)
        case protocol.AskDiff():
            return diff.diff_runs(ws, run_id, q.other)
        case protocol.AskStepDiff():
            return diff.diff_steps(ws, run_id, q.other, q.step)
    raise ConflictError(f"{q.kind!r} is not answered by this version of aios-workbench")


def _step(ws: Workspace, q: Any, run_id: str) -> Message:
    """Answer about a step."""
    match q:
        case protocol.OpenStep():
            return detail.step_of_run(news.reader(ws, run_id), q.step)
        case protocol.AskLetters():
            return letters.letters(ws, run_id, q.step, q.offset)
    return detail.log_page(
        ws, run_id, q.step, q.after, before=q.before, search=q.search, level=q.level, attempt=q.attempt
    )


def problem(error: Exception) -> tuple[str, str, dict[str, str]]:
    """Return type, message and fields of an error, for a reply to the browser."""
    fields = error.fields if isinstance(error, ParameterError) else {}
    name = "ParameterError" if fields else type(error).__name__
    return name, str(error) or name, fields
