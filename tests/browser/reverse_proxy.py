"""A reverse proxy as people put before Jupyter: HTTP and websockets, path and Host kept. It can be cut and mended."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

from tornado import httpclient, httpserver, httputil, netutil, web, websocket

_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding"}


class Proxy:
    """Hands requests for `/…` on to `target` on a port of its own, from a thread of its own."""

    def __init__(self, target: str) -> None:
        self.target = target
        (self._socket,) = netutil.bind_sockets(0, "127.0.0.1")
        self.port = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._sockets: set[Socket] = set()
        self._up = True
        self.requests: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Close every websocket and refuse every request, as while a server restarts."""
        self._up = False
        self._do(self._close_all())

    def mend(self) -> None:
        """Work again."""
        self._up = True

    def stop(self) -> None:
        """End the thread."""
        self._do(self._close_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close_all(self) -> None:
        for socket in list(self._sockets):
            socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def start() -> None:
            httpclient.AsyncHTTPClient.configure(None, max_clients=100, max_body_size=10**9)
            app = web.Application([(r".*", Socket, {"proxy": self})])
            httpserver.HTTPServer(app).add_socket(self._socket)

        self._loop.run_until_complete(start())
        self._loop.run_forever()


class Socket(websocket.WebSocketHandler):
    """One request, or one websocket with its counterpart at the target."""

    def initialize(self, proxy: Proxy) -> None:
        """Take the proxy."""
        self.proxy = proxy
        self.other: Any = None
        self.connected = asyncio.Event()

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Hand on, or become a websocket."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket" and self.proxy._up:
            await super().get(*args, **kwargs)
        else:
            await self.hand_on()

    async def hand_on(self) -> None:
        """Ask the target the same."""
        path = str(self.request.path)
        if not self.proxy._up:
            self.set_status(502)
            return
        self.proxy.requests.append(f"{self.request.method} {path}")
        answer = await httpclient.AsyncHTTPClient().fetch(
            self.proxy.target + str(self.request.uri), method=str(self.request.method),
            headers=self.request.headers, body=self.request.body or None, follow_redirects=False,
            raise_error=False, allow_nonstandard_methods=True, request_timeout=60, decompress_response=True,
        )  # fmt: skip
        self.set_status(answer.code, answer.reason)
        for name, value in answer.headers.get_all():
            if name.lower() not in _HOP:
                self.add_header(name, value)
        if answer.code not in (204, 304) and answer.body:
            self.write(answer.body)

    post = put = patch = delete = hand_on  # type: ignore[assignment]

    def check_origin(self, origin: str) -> bool:
        """Leave that to the target."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Take the first: JupyterLab offers one."""
        return subprotocols[0] if subprotocols else None

    async def open(self, *_: str) -> None:  # type: ignore[override]
        """Connect to the target, then pass on both ways."""
        self.proxy._sockets.add(self)
        headers = httputil.HTTPHeaders({
            n: v for n, v in self.request.headers.get_all() if not n.lower().startswith("sec-websocket")
        })  # fmt: skip
        url = self.proxy.target.replace("http", "ws", 1) + str(self.request.uri)
        offered = self.request.headers.get("Sec-WebSocket-Protocol")
        self.other = await websocket.websocket_connect(
            httpclient.HTTPRequest(url, headers=headers),
            subprotocols=[offered.split(",")[0].strip()] if offered else None,
            on_message_callback=self.from_target,
        )
        self.connected.set()

    def from_target(self, message: str | bytes | None) -> None:
        """Pass a message to the browser."""
        if message is None:
            self.close()
        else:
            with contextlib.suppress(websocket.WebSocketClosedError):
                self.write_message(message, binary=isinstance(message, bytes))

    async def on_message(self, message: str | bytes) -> None:  # type: ignore[override]
        """Pass a message to the target."""
        await self.connected.wait()
        with contextlib.suppress(websocket.WebSocketClosedError):
            await self.other.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        """Close the other side too."""
        self.proxy._sockets.discard(self)
        if self.other is not None:
            self.other.close()
