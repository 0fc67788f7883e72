"""sql, doctor, lab: look at what is there."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from aios_workbench import adapters
from aios_workbench.cli import lab

if TYPE_CHECKING:
    import pytest
    from conftest import Project


def test_sql(project: Project) -> None:
    project("run", "flows.py:hello", "-p", "who=[red]\u202e")
    query = "select step, status, started_at from steps order by step"
    found = project.json("sql", query)
    assert found["columns"] == ["step", "status", "started_at"]
    assert [r["step"] for r in found["rows"]] == ["greeting", "shout"]
    assert found["rows"][0]["started_at"].startswith("20")
    rows = list(csv.DictReader(io.StringIO(project("sql", query, "--csv").stdout)))
    assert [r["status"] for r in rows] == ["succeeded"] * 2
    shown = project("sql", "select params, null as nothing, 1.5 as x from runs").stdout
    assert "[red]\\u202e" in shown
    assert "1 of 2 rows" in project("sql", "select * from steps", "--limit", "1").stdout
    assert project("sql", "-", text="select 7 as n").stdout.split() == ["n", "7"]
    assert "did you mean 'runs'" in project.error("sql", "select * from run", code=2)
    project("sql", query, "--csv", "--json", code=2)


def checks(data: dict[str, Any]) -> dict[str, str]:
    return {c["name"]: c["status"] for c in data["checks"]}


def test_doctor(project: Project) -> None:
    before = project.json("doctor", code=None)
    assert checks(before)["workspace"] == "info"
    assert not project.root.exists()
    assert {"aios-workbench", "python", "dbos", "jupyterlab"} <= set(before["versions"])
    assert {a["level"] for a in before["adapters"]} <= set(adapters.LEVELS)
    project("run", "flows.py:hello")
    found = checks(project.json("doctor", code=None))
    looked_at = ("workspace", "catalog", "journal", "locks", "audit trail", "artifacts", "processes")
    assert {n: found[n] for n in looked_at} == dict.fromkeys(looked_at, "ok")
    assert "sqlite" in project("doctor", code=None).stdout


def test_doctor_finds_damage(project: Project) -> None:
    from aios_workbench.govern import audit

    project("run", "flows.py:hello")
    ws = project.ws
    output = ws.catalog.query("select output from steps where step = 'shout'")[0]["output"]
    path = ws.artifacts.path(ws.artifacts.find(output))
    path.write_bytes(b"x" * path.stat().st_size)
    audit(ws, "ada", "test", "x")
    ws.catalog.write("update audit set actor = 'eve'")
    found = project.json("doctor", code=1)
    assert checks(found)["artifacts"] == "broken"
    assert checks(found)["audit trail"] == "broken"
    assert not found["ok"]


def test_doctor_on_a_file_that_is_no_database(project: Project) -> None:
    project.root.mkdir()
    (project.root / "executors").mkdir()
    (project.root / "catalog.db").write_bytes(b"not a database at all, sorry" * 100)
    found = project.json("doctor", code=1)
    assert checks(found)["catalog"] == "broken"
    with sqlite3.connect(":memory:"):
        assert "damaged" in project.error("runs", code=5)


def test_adapters_claim_with_evidence() -> None:
    names = [a.name for a in adapters.ADAPTERS]
    assert len(set(names)) == len(names)
    for adapter in adapters.ADAPTERS:
        assert adapter.level in adapters.LEVELS
        assert adapter.purpose
        assert adapter.evidence
        assert ("tests/" in adapter.evidence) == (adapter.level != "untested")


def test_lab(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(lab.os, "execv", lambda _path, command: started.append(command))
    told = json.loads(project("lab", "--json", ".", "--port", "9999").stdout)
    assert told["command"] == started[0]
    assert started[0][1:3] == ["-m", "jupyterlab"]
    assert started[0][-2:] == ["--port", "9999"]
    assert f"--ServerApp.root_dir={project.folder}" in started[0]
