"""Requests of the browser about an explanation, and what each is answered with."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aios_workbench._wire import Message
from aios_workbench.errors import ConflictError
from aios_workbench.widgets import (
    answers,
    explain_agreement,
    explain_beyond,
    explain_points,
    explain_rows,
    explain_view,
    protocol,
)
from aios_workbench.widgets import explain_protocol as asked
from aios_workbench.widgets.drift_answers import rows as preview
from aios_workbench.widgets.drift_view import cut
from aios_workbench.widgets.explain_pack import Crate
from aios_workbench.widgets.explain_pages import ColumnPage, Written
from aios_workbench.widgets.explain_state import NAME

if TYPE_CHECKING:
    from aios_workbench.widgets.explain import ExplainWidget
    from aios_workbench.widgets.explain_state import Looked

#: What asks the model, reads all rows or writes much: answered on threads of their own.
_HEAVY = frozenset(
    {
        "swarm", "rows", "scatter", "dependence", "effect", "interactions", "cohorts", "what_if", "agreement",
        "counterfactual", "prototypes", "text",
    }
)  # fmt: skip
_FILES: dict[str, tuple[str, str]] = {
    "code": ("py", "text/x-python"), "html": ("html", "text/html"), "json": ("json", "application/json"),
    "svg": ("svg", "image/svg+xml"), "png": ("png", "image/png"), "card": ("md", "text/markdown"),
}  # fmt: skip
#: Pictures of a model card; more of them nobody reads.
_MOST_PINNED = 24


def receive(widget: ExplainWidget, content: Any) -> None:
    """Answer what the browser sent, numbers as binary buffers beside it; a newer what-if ends the one before."""
    identity = content.get("id") if isinstance(content, dict) else None
    if type(identity) is int and content.get("kind") == "what_if":
        before, widget.wished = widget.wished, identity
        if before is not None:
            widget.asked.abort(before)
    answers.receive(widget, content, by=_with_buffers, heavy=_HEAVY)


def answer(widget: ExplainWidget, content: Any) -> protocol.Answer | protocol.ErrorReply | None:
    """Return the reply to what the browser sent, numbers as text; None for what is no request at all."""
    return _reply(widget, content, None)


def _with_buffers(widget: ExplainWidget, content: Any) -> answers.Sent:
    crate: list[bytes] = []
    return _reply(widget, content, crate), crate


def _reply(widget: ExplainWidget, content: Any, crate: Crate) -> protocol.Answer | protocol.ErrorReply | None:
    return answers.reply(content, asked.REQUEST, lambda request: _do(widget, request, crate))


def _do(widget: ExplainWidget, request: asked.AnyExplainRequest, crate: Crate) -> Message:
    if isinstance(request, (protocol.Hello, protocol.Abort)):
        return protocol.Done()
    looked = widget.looked
    made = _MADE[request.kind](looked, request, looked.output(request.output), crate)
    if isinstance(request, asked.Pin):
        widget.refresh()  # the answer must not arrive before what it has changed
    elif explain_beyond.stopped():
        raise ConflictError("this was asked for anew meanwhile, or taken back")
    return made


def _frame(found: Any) -> protocol.Preview:
    made = preview(explain_beyond.table(found))
    return made.model_copy(update={"type": cut(found.words, 2000)})


def _counterfactual(looked: Looked, q: asked.AskCounterfactual, output: int, _: Crate) -> Message:
    names = [looked.data.columns[looked.column(j)].name for j in q.immutable]
    return _frame(
        looked.explanation.counterfactual(
            looked.row(q.row),
            target=q.target,
            output=output,
            immutable=names,
            cancelled=explain_beyond.stopped,
        )
    )


def _column(looked: Looked, q: asked.AskColumn, _: int, __: Crate) -> Message:
    c = looked.data.columns[looked.column(q.column)]
    update = {"name": cut(c.name, NAME), "values": [cut(v, 200) for v in c.values]}
    return ColumnPage(column=c.model_copy(update=update))


def _pin(looked: Looked, q: asked.Pin, output: int, _: Crate) -> Message:
    from aios_workbench.widgets import explain_picture

    wanted = asked.Pinned(
        picture=q.picture, title=explain_picture.title(looked, q.picture, q.row, q.column), output=output, row=q.row,
        column=q.column,
    )  # fmt: skip
    kept = [p for p in looked.pinned if p != wanted]
    if not q.remove:
        if len(kept) >= _MOST_PINNED:
            raise ConflictError(f"a card has {_MOST_PINNED} pictures at most; take one out first")
        explain_picture.canvas(
            looked, q.picture, row=q.row, column=q.column, output=output
        )  # says so if it cannot be
        kept.append(wanted)
    looked.explanation.extra["pinned"] = [p.model_dump() for p in kept]
    return protocol.Done()


def _text(looked: Looked, q: asked.AskText, output: int, _: Crate) -> Message:
    ending, mime = _FILES[q.what]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", looked.data.name).strip("._")[:60] or "explanation"
    file = f"explain_{name}{f'_{q.picture}' if q.what in ('svg', 'png') else ''}.{ending}"
    if q.what == "png":
        from aios_workbench.widgets import explain_picture

        drawn = explain_picture.png(
            looked, q.picture, row=q.row, column=q.column, output=output, dark=q.dark, raw=q.raw
        )
        return Written(what="png", text=base64.b64encode(drawn).decode(), file=file, mime=mime, base64=True)
    return Written(what=q.what, text=_written(looked, q, output), file=file, mime=mime)


def _written(looked: Looked, q: asked.AskText, output: int) -> str:
    e = looked.explanation
    if q.what == "svg":
        from aios_workbench.widgets import explain_picture

        return explain_picture.svg(
            looked, q.picture, row=q.row, column=q.column, output=output, dark=q.dark, raw=q.raw
        )
    if q.what == "html":
        return e.to_html(raw=q.raw)
    if q.what == "json":
        return e.to_json(raw=q.raw)
    if q.what == "code":
        return e.code()
    from aios_workbench.explain.cards import model_card

    return model_card(None, explanation=e).to_markdown()


_MADE: dict[str, Callable[[Any, Any, int, Crate], Message]] = {
    "global": lambda looked, _, out, __: explain_view.global_page(looked, out),
    "swarm": lambda looked, q, out, crate: explain_points.swarm(
        looked, out, crate, top=q.top, points=q.points, columns=q.columns
    ),
    "row": lambda looked, q, out, _: explain_view.row_page(looked, looked.row(q.row), out, most=q.most),
    "rows": lambda looked, q, out, _: explain_rows.page(looked, q, out),
    "scatter": lambda looked, q, out, crate: explain_points.scatter(
        looked, out, crate, q.x, q.y, q.colour, points=q.points
    ),
    "dependence": explain_beyond.dependence,
    "effect": lambda looked, q, out, _: explain_beyond.effect(looked, q, out),
    "interactions": lambda looked, q, out, _: explain_beyond.interactions(looked, q, out),
    "cohorts": lambda looked, q, out, _: explain_beyond.cohorts(looked, q, out),
    "what_if": lambda looked, q, out, _: explain_beyond.what_if(looked, q, out),
    "agreement": lambda looked, q, out, crate: explain_agreement.page(looked, out, crate, points=q.points),
    "column": _column,
    "counterfactual": _counterfactual,
    "prototypes": lambda looked, q, out, _: _frame(
        looked.explanation.prototypes(looked.row(q.row), q.n, output=out)
    ),
    "text": _text,
    "pin": _pin,
}
