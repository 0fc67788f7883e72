"""Requests of the browser to a widget in the kernel, and what each is answered with."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from aios_workbench._wire import Message
from aios_workbench.errors import ConflictError
from aios_workbench.widgets import ask, detail, edit, protocol
from aios_workbench.workspace.stop import Stop, stoppable

if TYPE_CHECKING:
    from aios_workbench.widgets.graph import GraphWidget

#: A reply, and binary buffers that go beside it.
Sent = tuple[Message | None, list[bytes]]

#: A scan of a large table is not stopped by a second one beside it; a third waits.
_THREADS = 2


def receive(
    widget: Any, content: Any, *, by: Callable[..., Any] | None = None, heavy: frozenset[str] | None = None
) -> None:
    """Answer what the browser sent: at once, or from another thread where it may take long.

    `by` and `heavy` are another widget's way to answer (with a reply, or a `Sent`), and the kinds of its requests that
    take long.
    """
    by = by or answer
    identity = content.get("id") if isinstance(content, dict) else None
    if type(identity) is not int:
        return
    if content.get("kind") == "abort":
        widget.asked.abort(content.get("target"))
    if content.get("kind") in (_HEAVY if heavy is None else heavy):
        widget.asked.begin(identity, lambda: _send(widget, by(widget, content)))
    else:
        _send(widget, by(widget, content))


def answer(widget: GraphWidget, content: Any) -> protocol.Answer | protocol.ErrorReply | None:
    """Return the reply to what the browser sent; None for what is no request at all."""
    return reply(content, protocol.REQUEST, lambda request: _do(widget, request))


def reply(
    content: Any, read: TypeAdapter[Any], do: Callable[[Any], Message]
) -> protocol.Answer | protocol.ErrorReply | None:
    """Return what `do` answers to a request, or its error in words; None for what is no request at all."""
    identity = content.get("id") if isinstance(content, dict) else None
    if type(identity) is not int:
        return None
    try:
        data = do(read.validate_python(content))
        return protocol.Answer(id=identity, data=data.model_dump(mode="json"))
    except ValidationError as e:
        problem = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in e.errors()[:3])
        return protocol.ErrorReply(
            id=identity, type="ProtocolError", message=f"the kernel does not understand this request ({problem}); "
            "restart the kernel after upgrading aios-workbench, and reload the page",
        )  # fmt: skip
    except Exception as e:  # noqa: BLE001 - a request must never be left without a reply
        kind, message, fields = ask.problem(e)
        return protocol.ErrorReply(id=identity, type=kind, message=message, fields=fields)


def variable(target: Any, otherwise: str) -> str:
    """Return the name an object has in the notebook, for code that a person copies."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    names = [n for n, v in dict(getattr(shell, "user_ns", {})).items() if v is target]
    return next((n for n in names if not n.startswith("_")), otherwise)


class Asked:
    """Questions of one widget that are being answered on other threads."""

    def __init__(self) -> None:
        self._futures: dict[int, Future[None]] = {}
        self._stops: dict[int, Stop] = {}
        self._lock = threading.Lock()

    def begin(self, identity: int, work: Any) -> None:
        """Do `work` on a thread when its turn comes."""
        stop = Stop()

        def stopping() -> None:
            with stoppable(stop):
                work()

        with self._lock:
            future = self._futures[identity] = _pool().submit(stopping)
            self._stops[identity] = stop
        future.add_done_callback(lambda _: self._forget(identity))

    def abort(self, identity: Any) -> None:
        """Drop a question nobody waits for any more; a query it runs is interrupted."""
        with self._lock:
            future = self._futures.get(identity) if type(identity) is int else None
            stop = self._stops.get(identity) if type(identity) is int else None
        if future is not None and stop is not None and not future.cancel():
            stop.stop()

    def _forget(self, identity: int) -> None:
        with self._lock:
            self._futures.pop(identity, None)
            self._stops.pop(identity, None)


class WidgetHands:
    """Acts through the Run object behind a widget: in this kernel, with the code as the notebook has it now."""

    def __init__(self, widget: GraphWidget) -> None:
        if widget.run is None:
            raise ConflictError("this workflow has not run yet; call .run() in a cell first")
        self._widget = widget
        self._run = widget.run

    def rerun(self, run_id: str, step: str) -> str:
        """Start a new run from a step, and show it."""
        new = self._mine(run_id).rerun(from_=step)
        self._widget.follow(new)
        return str(new.id)

    def redrive(self, run_id: str, step: str) -> str:
        """Do a map's open dead letters again in a new run, and show it."""
        new = self._mine(run_id).redrive(step)
        self._widget.follow(new)
        return str(new.id)

    def resume(self, run_id: str) -> str:
        """Go on with the run."""
        self._mine(run_id).resume()
        return run_id

    def cancel(self, run_id: str) -> str:
        """Stop the run."""
        self._mine(run_id).cancel()
        return run_id

    def decide(self, run_id: str, request: protocol.Decide) -> str:
        """Approve or reject at a gate."""
        run = self._mine(run_id)
        if request.approved:
            run.approve(request.step, values=request.values, reason=request.reason or None)
        else:
            run.reject(request.step, request.reason)
        return run_id

    def _mine(self, run_id: str) -> Any:
        if run_id != self._run.id:
            raise ConflictError(
                f"run {run_id} is only shown here: act on it with aios.run({run_id!r}), or in the side panel"
            )
        return self._run


def _do(widget: GraphWidget, request: protocol.AnyRequest) -> Message:
    own = request.run_id in (None, widget.run_id)
    if isinstance(request, protocol.OpenStep) and own:
        return _open(widget, request.step)
    if isinstance(request, ask.ACTING):
        done = ask.ask(widget.ws, request, run_id=widget.run_id, hands=WidgetHands(widget))
        widget.poke()
        return done
    if isinstance(request, edit.REQUESTS):
        workflow = widget.workflow or getattr(widget.run, "definition", None)
        return edit.answer(workflow or edit.named(widget.state.workflow), request)
    if isinstance(request, protocol.Abort):
        return protocol.Done(run_id=widget.run_id)
    if widget.run_id is None and request.run_id is None and not isinstance(request, ask.RUNLESS):
        raise ConflictError(
            "this workflow has not run yet: there is nothing stored to look at. Call .run() first"
        )
    return ask.ask(widget.ws, request, run_id=widget.run_id)


def _open(widget: GraphWidget, step: str) -> protocol.StepDetail:
    reader = widget.reader
    if reader is None:
        return detail.step_of_definition(widget.workflow, step)
    if widget.workflow is not None and all(s["name"] != step for s in reader.spec["steps"]):
        return detail.step_of_definition(widget.workflow, step)  # defined after the run
    return detail.step_of_run(reader, step)


def _send(widget: GraphWidget, made: Message | Sent | None) -> None:
    reply, buffers = made if isinstance(made, tuple) else (made, [])
    if reply is not None:
        with contextlib.suppress(Exception):  # closed meanwhile: there is nobody to tell
            widget.send(reply.model_dump(mode="json"), buffers or None)


_HEAVY = frozenset(str(m.model_fields["kind"].default) for m in ask.HEAVY)
_made: list[ThreadPoolExecutor] = []


def _pool() -> ThreadPoolExecutor:
    if not _made:
        _made.append(ThreadPoolExecutor(_THREADS, "aios-answers"))
    return _made[0]
