"""Requests of the browser, and what each is answered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aios_workbench._wire import Message
from aios_workbench.errors import AiosError, ConflictError, ParameterError
from aios_workbench.widgets import detail, edit, protocol
from aios_workbench.widgets.source import RunReader

if TYPE_CHECKING:
    from aios_workbench.widgets.graph import GraphWidget


class FormError(ParameterError):
    """Values that do not fit a gate's form, said per field."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("please correct " + ", ".join(f or "the form" for f in fields), fields)


def answer(widget: GraphWidget, content: Any) -> protocol.Answer | protocol.ErrorReply | None:
    """Return the reply to what the browser sent; None for what is no request at all."""
    identity = content.get("id") if isinstance(content, dict) else None
    if not isinstance(identity, int):
        return None
    try:
        request = protocol.REQUEST.validate_python(content)
        data = _do(widget, request)
        return protocol.Answer(id=identity, data=data.model_dump(mode="json"))
    except ValidationError as e:
        problem = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in e.errors()[:3])
        return protocol.ErrorReply(
            id=identity, type="ProtocolError", message=f"the kernel does not understand this request ({problem}); "
            "restart the kernel after upgrading aios-workbench, and reload the page",
        )  # fmt: skip
    except ParameterError as e:
        return protocol.ErrorReply(id=identity, type="ParameterError", message=str(e), fields=e.fields)
    except AiosError as e:
        return protocol.ErrorReply(id=identity, type=type(e).__name__, message=str(e))
    except Exception as e:  # noqa: BLE001 - a request must never be left without a reply
        return protocol.ErrorReply(id=identity, type=type(e).__name__, message=str(e) or type(e).__name__)


def _do(widget: GraphWidget, request: protocol.AnyRequest) -> Message:
    match request:
        case protocol.OpenStep():
            return _open(widget, request.step)
        case protocol.PreviewPage():
            ws = _reader(widget).ws
            return detail.page(ws, ws.artifacts.find(request.hash), request.offset, request.limit)
        case protocol.Logs():
            reader = _reader(widget)
            return detail.log_page(reader.ws, reader.run_id, request.step or "", request.after)
        case protocol.Hello():
            pass
        case protocol.RerunFrom() | protocol.Resume() | protocol.Cancel() | protocol.Decide():
            _act(widget, request)
        case protocol.AskSettings() | protocol.EditStep() | protocol.NewStep() | protocol.AskTemplates():
            return edit.answer(widget.workflow or getattr(widget.run, "workflow", None), request)
        case _:
            raise ConflictError(f"{request.kind!r} is not answered by this kernel yet")
    return protocol.Done(run_id=widget.run_id)


def _open(widget: GraphWidget, step: str) -> protocol.StepDetail:
    reader = widget.reader
    if reader is None:
        return detail.step_of_definition(widget.workflow, step)
    if widget.workflow is not None and all(s["name"] != step for s in reader.spec["steps"]):
        return detail.step_of_definition(widget.workflow, step)  # defined after the run
    return detail.step_of_run(reader, step)


def _act(widget: GraphWidget, request: protocol.AnyRequest) -> None:
    run = _run(widget)
    match request:
        case protocol.RerunFrom():
            widget.follow(run.rerun(from_=request.step))
        case protocol.Resume():
            run.resume()
        case protocol.Cancel():
            run.cancel()
        case protocol.Decide():
            _decide(widget, run, request)
    widget.poke()


def _decide(widget: GraphWidget, run: Any, request: protocol.Decide) -> None:
    if not request.approved:
        run.reject(request.step, request.reason)
    else:
        gates = {g.step: g for g in _reader(widget).read().gates}
        gate = gates.get(request.step)
        if gate is not None and gate.form:
            fields = check_form(gate.form, request.values)
            if fields:
                raise FormError(fields)
        run.approve(request.step, values=request.values, reason=request.reason or None)


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


def _reader(widget: GraphWidget) -> RunReader:
    if widget.reader is None:
        raise ConflictError(
            "this workflow has not run yet: there is nothing stored to look at. Call .run() first"
        )
    return widget.reader


def _run(widget: GraphWidget) -> Any:
    if widget.run is None:
        raise ConflictError("this workflow has not run yet; call .run() in a cell first")
    return widget.run
