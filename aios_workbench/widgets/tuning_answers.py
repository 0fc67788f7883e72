"""Requests of the browser about a tuning, and what each is answered with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aios_workbench._wire import Message
from aios_workbench.errors import ParameterError
from aios_workbench.knn.models import Constraints
from aios_workbench.widgets import answers, protocol
from aios_workbench.widgets import tuning_protocol as asked

if TYPE_CHECKING:
    from aios_workbench.widgets.tuning import TuningWidget

#: What searches, or waits for the tuner's process: answered on threads of their own.
_HEAVY = frozenset({"explore", "hard", "control", "code", "export"})


def receive(widget: TuningWidget, content: Any) -> None:
    """Answer what the browser sent: at once, or from another thread where it may take long."""
    answers.receive(widget, content, by=answer, heavy=_HEAVY)


def answer(widget: TuningWidget, content: Any) -> protocol.Answer | protocol.ErrorReply | None:
    """Return the reply to what the browser sent; None for what is no request at all."""
    return answers.reply(content, asked.REQUEST, lambda request: _do(widget, request))


def _do(widget: TuningWidget, request: asked.AnyTuningRequest) -> Message:
    tuning = widget.target
    match request:
        case asked.Control():
            {"stop": tuning.stop, "pause": tuning.pause, "resume": tuning.resume}[request.action]()
        case asked.Choose():
            if request.point is None:
                tuning.constrain(tuning.state.constraints)
            else:
                tuning.choose(_known(tuning, request.point))
        case asked.Constrain():
            tuning.constrain(_possible(request.constraints))
        case asked.AskCost():
            cost: Message = tuning.cost_of(request.recall)
            return cost
        case asked.Explore():
            return _explore(tuning, request)
        case asked.AskHard():
            return asked.HardQueries(queries=list(tuning.hard_queries(request.point, request.n)))
        case asked.AskCode():
            return asked.Snippet(code=_code(tuning, request))
        case asked.AskExport():
            return _export(tuning, request)
        case _:
            return protocol.Done()
    widget.refresh()  # the answer must not arrive before what it has changed
    return protocol.Done()


def _explore(tuning: Any, request: asked.Explore) -> Message:
    query = request.text if request.row is None else request.row
    if query is None or query == "":
        raise ParameterError("give a text or the number of a row")
    found: Message = tuning.explore(query, request.k, request.point)
    return found


def _code(tuning: Any, request: asked.AskCode) -> str:
    if request.what == "build":
        return str(tuning.code(request.point))
    name = answers.variable(tuning, "tuning")
    if request.point is None:
        return f"index = {name}.best"
    return f"index = {name}.pick(point={json.dumps(_known(tuning, request.point))})"


def _export(tuning: Any, request: asked.AskExport) -> asked.Exported:
    made = dict(tuning.export(request.system, request.point))
    notes = made.pop("notes", None) or []
    sql = made.get("sql")
    if isinstance(sql, list):
        settings = [f"SET {name} = {value}" for name, value in dict(made.get("search") or {}).items()]
        text = "".join(f"{line};\n" for line in [*sql, *settings])
    else:
        text = json.dumps(made, indent=2, ensure_ascii=False, default=str)
    return asked.Exported(
        system=request.system,
        text=text,
        notes=[str(n) for n in ([notes] if isinstance(notes, str) else notes)],
    )


def _known(tuning: Any, point: str) -> str:
    if all(p.id != point for p in tuning.state.points):
        raise ParameterError(f"this tuning has no point {point!r}; choose one of those that are shown")
    return point


def _possible(constraints: Constraints) -> Constraints:
    """Refuse what no index can hold, naming the field."""
    fields = {}
    if not 0 < constraints.recall <= 1:
        fields["recall"] = "between 0 and 1"
    for name in ("latency_ms", "memory_bytes", "build_seconds"):
        value = getattr(constraints, name)
        if value is not None and not 0 < value < float("inf"):
            fields[name] = "more than 0"
    if fields:
        raise ParameterError("please correct " + ", ".join(fields), fields)
    return constraints
