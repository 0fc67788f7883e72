"""A step gets a secret when it is called; nothing that is stored, shown or asked for has it."""

from __future__ import annotations

import base64
import sqlite3
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kit import PATIENCE, until

import aios_workbench as aios
from aios_workbench.engine.needs import secrets_needed
from aios_workbench.errors import DefinitionError, NotFoundError, SecretExposed, SecretMissing
from aios_workbench.workspace import Workspace


@pytest.fixture
def value(monkeypatch: pytest.MonkeyPatch) -> str:
    made = f"s3cr/t {uuid.uuid4().hex}"
    monkeypatch.setenv("AIOS_SECRET_CRM_TOKEN", made)
    return made


@pytest.fixture(params=["thread", "process"])
def executor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def holds(ws: Workspace, value: str) -> list[str]:
    """Return the files of the workspace that have a value in them, in any form in which it may have got there."""
    ws.catalog.flush()
    raw = value.encode()
    forms = [raw, base64.b64encode(raw).rstrip(b"=")[:-2], quote(value, safe="").encode(), raw.hex().encode()]
    with sqlite3.connect(ws.root / "catalog.db") as con:
        con.execute("pragma wal_checkpoint")
    con.close()
    return [p.name for p in ws.root.rglob("*") if p.is_file() and any(f in p.read_bytes() for f in forms)]


def test_nothing_keeps_it(wf: aios.Workflow, ws: Workspace, executor: str, value: str) -> None:
    @wf.step(executor=executor, secrets={"token": "CRM_TOKEN"}, retries=1, backoff="1ms")
    def asks(token: str, n: int = 3) -> int:
        import base64
        import logging
        import sys
        from urllib.parse import quote

        ctx = aios.context()
        print("got", token)
        print(base64.b64encode(f"user:{token}".encode()).decode(), file=sys.stderr)
        sys.stdout.write(token[:9])
        sys.stdout.write(token[9:])
        logging.getLogger("x").warning("https://crm/?key=%s", quote(token, safe=""))
        ctx.log(token)
        ctx.progress(0.5, f"with {token}")
        ctx.metric(f"m {token}", token)
        ctx.keep({"n": n})
        if ctx.attempt == 1:
            try:
                raise KeyError(token)
            except KeyError as e:
                raise ConnectionError(f"401 for {token}") from e
        assert ctx.params == {"n": 3}
        return len(token)

    run = wf.run()
    assert run.result(PATIENCE) == len(value)
    assert run["asks"].logs.count("[secret CRM_TOKEN]") == 10
    first = run["asks"].attempts[0]["error"]
    assert first["message"] == "401 for [secret CRM_TOKEN]"
    assert "KeyError: '[secret CRM_TOKEN]'" in first["traceback"]
    assert run.metrics == {"m [secret CRM_TOKEN]": "[secret CRM_TOKEN]"}
    assert run["asks"].inputs == {"n": 3}
    assert holds(ws, value) == []


def test_a_value_that_holds_it_is_not_stored(
    wf: aios.Workflow, ws: Workspace, executor: str, value: str
) -> None:
    @wf.step(executor=executor, secrets={"token": "CRM_TOKEN"}, retries=3, backoff="1h")
    def leaks(token: str) -> Any:
        return {"request": {"headers": [token]}}

    run = wf.run()
    with pytest.raises(SecretExposed, match=r"has the secret 'CRM_TOKEN' in it, so it is not stored"):
        run.result(PATIENCE)
    assert len(run["leaks"].attempts) == 1
    assert holds(ws, value) == []


def test_a_crash_does_not_show_it(wf: aios.Workflow, ws: Workspace, value: str) -> None:
    @wf.step(executor="process", secrets={"token": "CRM_TOKEN"})
    def dies(token: str) -> None:
        import os

        os.write(2, token.encode())
        os.kill(os.getpid(), 9)

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    error = run["dies"].error
    assert error is not None
    assert error.message.endswith("Its last output:\n  [secret CRM_TOKEN]")
    assert holds(ws, value) == []


def test_a_missing_one(wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch, executor: str) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)

    @wf.step(
        executor=executor, secrets={"token": "NOT_THERE"}, retries=5, backoff="1h", fallback=lambda token: 1
    )
    def asks(token: str) -> int:
        return 1

    with pytest.raises(SecretMissing, match=r"no secret 'NOT_THERE' here. Looked for: environment variable"):
        wf.run().result(PATIENCE)


def test_it_is_looked_for_at_every_attempt(wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATED", "first one")

    @wf.step(secrets={"token": "ROTATED"}, retries=1, backoff="1ms")
    def asks(token: str) -> str:
        if token == "first one":
            import os

            os.environ["ROTATED"] = "second one"
            raise PermissionError("expired")
        return token.split(maxsplit=1)[0]

    assert wf.run().result(PATIENCE) == "second"


def test_the_cache_knows_its_name_and_not_its_value(
    wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def define(reference: str) -> None:
        @wf.step(cache=True, secrets={"token": reference})
        def asks(token: str) -> int:
            return len(token)

    monkeypatch.setenv("ONE", "123456789")
    monkeypatch.setenv("OTHER", "1234567890")
    define("ONE")
    assert wf.run().result(PATIENCE) == 9
    assert wf.state == {"asks": "fresh"}
    monkeypatch.setenv("ONE", "12345678901234")
    again = wf.run()
    assert (again.result(PATIENCE), again["asks"].cached) == (9, True)
    define("OTHER")
    assert wf.state == {"asks": "stale"}
    assert wf.run().result(PATIENCE) == 10


def test_fallbacks_compensations_and_steps_of_that_name(wf: aios.Workflow, ws: Workspace, value: str) -> None:
    def rules(token: str, n: int) -> int:
        return len(token) + n

    def undo(token: str, output: int) -> None:
        print("undone", output, len(token))

    @wf.step
    def token() -> str:
        return "a step called like the parameter"

    @wf.step(secrets={"token": "CRM_TOKEN"}, fallback=rules, compensate=undo)
    def asks(token: str, n: int = 1) -> int:
        raise ConnectionError(token)

    @wf.step
    def fails(asks: int) -> None:
        raise ValueError("no")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    until(lambda: f"undone {len(value) + 1} {len(value)}" in run["asks"].logs, "the compensation")
    assert holds(ws, value) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"tokn": "CRM_TOKEN"},
            r"secrets names 'tokn', which the function does not take; did you mean 'token'\?",
        ),
        ({"token": "a value, not a name"}, "Give the name here, and the value to the environment"),
        ({"token": "../etc/passwd"}, "Give the name here"),
        ({"token": 3}, "Give the name here"),
        (["CRM_TOKEN"], "secrets maps parameters to names of secrets"),
    ],
)
def test_wrong_references(wf: aios.Workflow, given: Any, says: str) -> None:
    def f(token: str) -> int:
        return 1

    with pytest.raises(DefinitionError, match=says) as e:
        wf.step(secrets=given)(f)
    assert "a value, not" not in str(e.value)


def test_what_is_needed(wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AIOS_SECRETS", "/nowhere")
    monkeypatch.setenv("SOON_GONE", "here")

    @wf.step(secrets={"a": "CRM_TOKEN", "b": "SOON_GONE"})
    def one(a: str, b: str) -> int:
        return 1

    @wf.step(secrets={"a": "CRM_TOKEN"})
    def two(a: str, one: int) -> int:
        return 1

    wf.run().result(PATIENCE)
    monkeypatch.delenv("SOON_GONE")
    needed = secrets_needed(aios.open_workspace(), wf.name)
    assert needed == [
        {"secret": "CRM_TOKEN", "workflow": wf.name, "steps": ["one", "two"],
         "found": "environment variable AIOS_SECRET_CRM_TOKEN"},
        {"secret": "SOON_GONE", "workflow": wf.name, "steps": ["one"], "found": None},
    ]  # fmt: skip
    with pytest.raises(NotFoundError, match="did you mean"):
        secrets_needed(aios.open_workspace(), wf.name + "x")
    assert not Path("/nowhere").exists()
