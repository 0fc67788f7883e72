"""What every handler shares: authentication resource, JSON in, JSON out, errors as messages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from http.client import responses
from typing import Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from tornado import web

from aios_workbench.errors import AiosError, NotFoundError, hint
from aios_workbench.govern import actor as account
from aios_workbench.server.places import Places
from aios_workbench.server.watch import Watchers
from aios_workbench.workspace import Workspace

#: A promoted job's parameters are JSON typed by a person; nothing sent here is ever larger.
MAX_BODY = 1_000_000

_RANDOM_ID = re.compile(r"[0-9a-f]{32}")

Model = TypeVar("Model", bound=BaseModel)


class Problem(web.HTTPError):
    """An answer the client can act on: `{message, hint?, fields?, denied?}`."""

    def __init__(
        self, status: int, message: str, *, hint: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})

    def __str__(self) -> str:
        return f"HTTP {self.status_code}: {self.message}"


class AiosHandler(APIHandler):
    """Base of all handlers under `<base>/aios/`."""

    auth_resource = "aios"
    _track_activity = False  # a panel that listens must not keep an idle server from being culled

    def initialize(self, places: Places, watchers: Watchers) -> None:
        """Take what the extension set up once."""
        self.places = places
        self.watchers = watchers

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse bodies no client of ours sends, before any handler looks at them."""
        await super().prepare()
        body = self.request.body
        if len(body) > MAX_BODY:
            raise Problem(413, f"the request holds {len(body):,} bytes; at most {MAX_BODY:,} are taken")
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            raise Problem(415, "send JSON: the header Content-Type must be application/json")

    @property
    def actor(self) -> str:
        """The name that decisions and the audit trail carry.

        A server of one's own knows its user by a token only and calls them "Anonymous" with a random id; there
        it is the account the server runs as.
        """
        user = self.current_user
        anonymous = _RANDOM_ID.fullmatch(user.username) and user.name.startswith("Anonymous ")
        return account() if anonymous else str(user.username)

    def focus(self) -> str | None:
        """The path, relative to the server's root, of the document the client looks at."""
        return self.get_query_argument("path", None)

    def workspace(self) -> Workspace:
        """The workspace of the document in focus.

        Raises
        ------
        NotFoundError
            When nothing was ever run there: looking must not create one.
        """
        found = self.places.existing(self.focus())
        if found is None:
            raise NotFoundError(
                f"there is no workspace at {self.places.locate(self.focus())} yet; the first run of a workflow makes it"
            )
        return found

    async def reply(self, work: Callable[[], Any], status: int = 200) -> None:
        """Do `work` in a thread, answer with its result as JSON."""
        data = await self.do(work)
        self.set_status(status)
        self.finish(to_json(data))

    async def do(self, work: Callable[[], Any]) -> Any:
        """Do `work` in a thread; what a user can cause becomes a `Problem`."""
        return await asyncio.to_thread(self.guarded, work)

    @staticmethod
    def guarded(work: Callable[[], Any]) -> Any:
        """Do `work`; what a user can cause becomes a `Problem`."""
        try:
            return finite(work())
        except AiosError as e:
            raise Problem(e.http_status, str(e)) from e
        except ValidationError as e:
            raise invalid(e, ()) from e

    def body(self, model: type[Model]) -> Model:
        """Return the request's body as `model`.

        Raises
        ------
        Problem
            400 when it is no JSON object, 422 when a field is unknown, missing or wrong.
        """
        return self._validate(model, self.read_json())

    def read_json(self) -> dict[str, Any]:
        """Return the request's body as a JSON object; an empty body is an empty one."""
        text = self.request.body.strip() or b"{}"
        try:
            data = json.loads(text, parse_constant=_no_constant)
            whole = b"\\u" not in text or _encodes(json.dumps(data, ensure_ascii=False))
        except (ValueError, RecursionError) as e:
            raise Problem(400, f"the body is not JSON: {e}") from None
        if not isinstance(data, dict):
            raise Problem(400, f"the body must be a JSON object, not {type(data).__name__}")
        if not whole:
            raise Problem(400, "the body holds half of a surrogate pair, which is no text")
        return data

    def arguments(self, model: type[Model]) -> Model:
        """Return the query string as `model`; arguments it does not know (token, cache busters) are left alone."""
        given = {
            n: v
            for n in model.model_fields
            if (v := self.get_query_argument(n, None)) is not None and v != ""
        }
        return self._validate(model, given)

    def _validate(self, model: type[Model], data: dict[str, Any]) -> Model:
        try:
            return model.model_validate(data)
        except ValidationError as e:
            raise invalid(e, model.model_fields) from None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as JSON; an unforeseen one says nothing of the server's inside."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        reply: dict[str, Any] = {"message": responses.get(status_code, "unknown error")}
        if isinstance(error, Problem):
            reply["message"] = error.message
            if status_code == 403:  # not who is signed in, but what they may do: the message says why
                reply["denied"] = True
            if error.hint:
                reply["hint"] = error.hint
            if error.fields:
                reply["fields"] = error.fields
        elif isinstance(error, web.HTTPError) and status_code < 500:
            if error.log_message:
                reply["message"] = error.log_message
        elif status_code >= 500:
            reply["message"] = "the server failed to do this"
            reply["hint"] = "the Jupyter server's log has the details"
        if status_code >= 500:
            self.log.error("aios: %s %s answered %d", self.request.method, self.request.path, status_code)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(reply))


class UnknownHandler(AiosHandler):
    """Everything under `<base>/aios/` that is no route: JSON, not the server's HTML page."""

    @web.authenticated
    async def get(self, *_: str) -> None:
        """Say so."""
        raise Problem(404, f"there is nothing at {self.request.path}")

    post = put = delete = patch = head = get


def invalid(error: ValidationError, known: Any, *, kinds: bool = False) -> Problem:
    """Return pydantic's findings as one message per field; with `kinds`, of one of several models."""
    fields: dict[str, str] = {}
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        where = item["loc"][1:] if kinds else item["loc"]
        name = ".".join(str(part) for part in where) or ("kind" if kinds else "body")
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            text = "unknown field" + hint(name, known)
        fields.setdefault(name, text)
    return Problem(422, "; ".join(f"{n}: {t}" for n, t in fields.items()), fields=fields)


def finite(value: Any) -> Any:
    """Return `value` with NaN and infinity as text: JSON has no word for them and browsers refuse Python's."""
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


def to_json(data: Any) -> str:
    """Return JSON that browsers read; half of a surrogate pair, which UTF-8 has no bytes for, is escaped."""
    text = json.dumps(data, default=str, ensure_ascii=False, allow_nan=False)
    return text if text.isascii() or _encodes(text) else json.dumps(data, default=str, allow_nan=False)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> Any:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)
