"""Requests of the browser about a drift report, and what each is answered with."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from aios_workbench._wire import Message
from aios_workbench.drift.rules import as_rules
from aios_workbench.errors import ParameterError
from aios_workbench.widgets import answers, drift_view, protocol
from aios_workbench.widgets import drift_protocol as asked
from aios_workbench.workspace.cells import cell
from aios_workbench.workspace.models import Column

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.widgets.drift import DriftWidget

#: What reads data or writes much: answered on threads of their own.
_HEAVY = frozenset({"slices", "moved", "multivariate", "text"})
_ENDINGS = {"gate": "py", "code": "py", "contract": "yaml", "html": "html", "json": "json"}
#: Columns of the rows that moved most: the answer is looked at, not worked with.
_COLUMNS = 60


def receive(widget: DriftWidget, content: Any) -> None:
    """Answer what the browser sent: at once, or from another thread where it may take long."""
    answers.receive(widget, content, by=answer, heavy=_HEAVY)


def answer(widget: DriftWidget, content: Any) -> protocol.Answer | protocol.ErrorReply | None:
    """Return the reply to what the browser sent; None for what is no request at all."""
    return answers.reply(content, asked.REQUEST, lambda request: _do(widget, request))


def _do(widget: DriftWidget, request: asked.AnyDriftRequest) -> Message:
    looked = widget.looked
    match request:
        case asked.AskColumn():
            return asked.ColumnPage(column=drift_view.page(looked.column(request.column)))
        case asked.Judge():
            looked.judge(as_rules(request.rules))
        case asked.TakeSlices():
            looked.take(tuple(_known(s) for s in request.slices))
        case asked.AskMoved():
            looked.column(request.column)
            return rows(looked.report.moved(request.column, request.n))
        case asked.AskMultivariate():
            looked.multivariate()
        case asked.AskText():
            return _written(looked.report, request.what)
        case _:
            return protocol.Done()
    widget.refresh()  # the answer must not arrive before what it has changed
    return protocol.Done()


def rows(frame: pd.DataFrame) -> protocol.Preview:
    """Return a frame's rows as they are sent: every value as text or as a number JSON has."""
    shown = frame.iloc[:, :_COLUMNS]
    columns = [Column(name=str(n), type=str(t)) for n, t in zip(shown.columns, shown.dtypes, strict=True)]
    values = [[cell(v) for v in line] for line in shown.itertuples(index=False, name=None)]
    return protocol.Preview(
        kind="frame", type="DataFrame", shape=list(frame.shape), columns=columns, rows=values, total=len(frame),
        truncated=shown.shape[1] < frame.shape[1],
    )  # fmt: skip


def _written(report: Any, what: asked.Text) -> asked.Written:
    make = {
        "gate": report.gate_code, "code": report.code, "contract": report.contract, "html": report.to_html,
        "json": report.to_json,
    }[what]  # fmt: skip
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", str(report.data.name)).strip("._")[:60] or "report"
    return asked.Written(what=what, text=str(make()), file=f"drift_{name}.{_ENDINGS[what]}")


def _known(s: asked.Slice) -> asked.Slice:
    bounds = [v for v in (s.low, s.high) if v is not None]
    if len(bounds) == 1 or (bounds and s.value is not None):
        raise ParameterError("a slice is a value, or a range with both ends")
    if any(not math.isfinite(v) for v in bounds) or bounds != sorted(bounds):
        raise ParameterError("a slice's range goes from a number up to another")
    return s
