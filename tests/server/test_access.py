"""Who may ask: nobody unknown, nobody without permission, no other site's page."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from aios_workbench.server.extension import routes
from aios_workbench.workspace import Workspace

pytest_plugins = ["pytest_jupyter.jupyter_server"]

ENDPOINTS = [
    ("POST", "ask"),
    ("GET", "snapshot"),
    ("GET", "events"),
    ("GET", "runs"),
    ("GET", "runs/r1"),
    ("GET", "runs/r1/steps/s"),
    ("GET", "runs/r1/logs"),
    ("GET", "runs/r1/gates/g"),
    ("POST", "runs/r1/gates/g"),
    ("POST", "runs/r1/cancel"),
    ("POST", "runs/r1/resume"),
    ("POST", "runs/r1/rerun"),
    ("GET", "jobs"),
    ("GET", "jobs/j1"),
    ("DELETE", "jobs/j1"),
    ("POST", "jobs/j1/pause"),
    ("POST", "jobs/j1/resume"),
    ("POST", "jobs/j1/trigger"),
    ("GET", "jobs/j1/parameters"),
    ("GET", "jobs/j1/runs"),
    ("GET", "jobs/j1/next"),
    ("GET", "jobs/j1/alerts"),
    ("GET", "jobs/j1/versions"),
    ("GET", "jobs/j1/diff"),
    ("POST", "jobs/j1/rollback"),
    ("GET", "jobs/j1/approvals"),
    ("POST", "jobs/j1/approvals"),
    ("GET", "jobs/j1/rollout"),
    ("POST", "jobs/j1/rollout"),
    ("POST", "jobs/j1/rollout/finish"),
    ("GET", "jobs/j1/backfills"),
    ("POST", "jobs/j1/backfills"),
    ("POST", "jobs/j1/backfills/preview"),
    ("POST", "jobs/j1/backfills/b1/cancel"),
    ("GET", "jobs/j1/runs/x"),
    ("POST", "jobs/j1/runs/x/resume"),
    ("GET", "jobs/j1/runs/x/log"),
    ("GET", "jobs/j1/runs/x/cells/x/log"),
    ("POST", "workers"),
    ("POST", "jobs/j1/runs/x/cancel"),
    ("GET", "jobs/j1/runs/x/html"),
    ("GET", "jobs/j1/runs/x/notebook"),
    ("GET", "tutorials/01_first_workflow"),
    ("POST", "promote"),
    ("POST", "promote/open"),
    ("POST", "promote/check"),
    ("POST", "promote/preview"),
    ("POST", "promote/review"),
    ("POST", "promote/mend"),
    ("POST", "promote/files"),
    ("POST", "promote/write"),
    ("GET", "promote/badge"),
    ("POST", "promote/clean-run"),
    ("GET", "promote/clean-run/x"),
    ("POST", "promote/clean-run/x/cancel"),
]


class OnlyOthers(Authorizer):
    """Allows all resources but ours."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - read by the test below

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Say no to "aios"."""
        self.asked.append((action, resource))
        return resource != "aios"


@pytest.fixture
def denied(jp_server_config: dict[str, Any]) -> None:
    jp_server_config["ServerApp"]["authorizer_class"] = OnlyOthers


def test_every_route_is_in_the_list() -> None:
    for pattern, handler in routes()[:-1]:
        methods = {m for m, path in ENDPOINTS if re.fullmatch(pattern, path)}
        offered = {m for m in ("GET", "POST", "PUT", "PATCH", "DELETE") if m.lower() in vars(handler)}
        assert methods == offered, pattern


async def test_a_stranger_gets_403(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, ws: Workspace
) -> None:
    for method, path in [*ENDPOINTS, ("GET", "nothing/here")]:
        with pytest.raises(HTTPClientError) as e:
            await http_server_client.fetch(
                f"{jp_base_url}aios/{path}", method=method, body="{}" if method == "POST" else None,
                headers={"Content-Type": "application/json"}, follow_redirects=False,
            )  # fmt: skip
        assert e.value.code == 403, (method, path)
        assert "snapshot" not in str(e.value.response.body)


async def test_permission_is_asked_for_each(denied: None, ask: Any, ws: Workspace) -> None:
    OnlyOthers.asked.clear()
    for method, path in ENDPOINTS:
        status, answer = await ask(method, path)
        assert status == 403, (method, path, answer)
    actions = [action for action, resource in OnlyOthers.asked if resource == "aios"]
    assert actions == ["read" if method == "GET" or path == "ask" else "write" for method, path in ENDPOINTS]


async def test_a_cookie_alone_does_not_write(
    jp_fetch: Any, http_server_client: Any, jp_base_url: str, ws: Workspace
) -> None:
    r = await jp_fetch("aios", "snapshot")
    cookies = [c.split(";")[0] for c in r.headers.get_list("Set-Cookie") if c.startswith("username-")]
    assert cookies, "the token's answer sets a login cookie"

    async def post(**headers: str) -> tuple[int, Any]:
        url = f"{jp_base_url}aios/runs/r1/cancel"
        headers = {"Content-Type": "application/json", **headers}
        try:
            r = await http_server_client.fetch(url, method="POST", body="{}", headers=headers)
        except HTTPClientError as e:
            r = e.response
        return r.code, json.loads(r.body)

    status, answer = await post(Cookie=cookies[0])
    assert (status, "xsrf" in answer["message"]) == (403, True)
    token = "0123456789abcdef" * 2
    status, _ = await post(Cookie=f"{cookies[0]}; _xsrf={token}", **{"X-XSRFToken": "f" * 32})
    assert status == 403
    status, answer = await post(Cookie=f"{cookies[0]}; _xsrf={token}", **{"X-XSRFToken": token})
    assert (status, "no run 'r1'" in answer["message"]) == (404, True)
