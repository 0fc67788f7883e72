"""`POST ask`: every question of the inspector, in the words of `widgets.protocol`."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import ensure_async
from pydantic import ValidationError
from tornado import web

from aios_workbench.errors import ParameterError
from aios_workbench.server.base import AiosHandler, Problem, invalid, to_json
from aios_workbench.widgets import ask, protocol
from aios_workbench.workspace.stop import Stop, stoppable

#: At most so many scans of large tables at once, and so many waiting: a server is shared with kernels.
_THREADS, _WAITING = 2, 32


class AskHandler(AiosHandler):
    """`POST ask`: body is a request, the answer its message."""

    _pool: ThreadPoolExecutor | None = None
    _waiting = 0
    _future: Future[Any] | None = None
    _stop: Stop | None = None

    @web.authenticated
    @authorized(action="read")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Answer; what changes something needs the permission to write as well."""
        request = self._request()
        if isinstance(request, ask.ACTING) and not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "write", self.auth_resource)
        ):
            raise Problem(403, f"you may look at runs here, but not change them ({request.kind})")
        who = self.actor

        def work() -> dict[str, Any]:
            ws = self.workspace()
            try:
                answer = ask.ask(ws, request, hands=ask.ControlHands(ws, who))
            except ParameterError as e:
                raise Problem(422, str(e), fields=e.fields) from None
            return answer.model_dump(mode="json")

        data = await (self._heavy(work) if isinstance(request, ask.HEAVY) else self.do(work))
        self.watchers.touch(self.places.locate(self.focus()))  # whoever looks wants to hear what comes
        self.finish(to_json(data))

    def on_connection_close(self) -> None:
        """Give up what nobody waits for any more."""
        if self._future is not None:
            self._future.cancel()
        if self._stop is not None:
            self._stop.stop()
        super().on_connection_close()

    async def _heavy(self, work: Any) -> Any:
        """Do `work` on one of a few threads, so that a slow scan holds up no other answer."""
        if AskHandler._waiting >= _WAITING:
            raise Problem(429, "many large tables are being read right now", hint="try again in a moment")
        pool = AskHandler._pool = AskHandler._pool or ThreadPoolExecutor(_THREADS, "aios-ask")
        AskHandler._waiting += 1
        try:
            self._stop = stop = Stop()

            def stopping() -> Any:
                with stoppable(stop):
                    return self.guarded(work)

            self._future = pool.submit(stopping)
            return await asyncio.wrap_future(self._future)
        except asyncio.CancelledError:
            raise Problem(499, "the page has gone") from None
        finally:
            AskHandler._waiting -= 1

    def _request(self) -> protocol.AnyRequest:
        data = {"id": 0, **self.read_json()}
        try:
            return protocol.REQUEST.validate_python(data)
        except ValidationError as e:
            model = next(
                (m for m in protocol.ANSWERS if m.model_fields["kind"].default == data.get("kind")), None
            )
            raise invalid(e, model.model_fields if model else (), kinds=True) from None
