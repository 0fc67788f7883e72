"""The jobs every target is given, and what each says of them."""

from __future__ import annotations

import ast
import datetime as dt
import json
import shlex
from pathlib import Path
from typing import Any

import nbformat
import yaml

from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.targets import Plan, Step, get
from aios_workbench.promote.targets.base import Files
from aios_workbench.promote.targets.systemd import _words

#: GitHub and kfp read schedules in UTC; the rest gets a zone with daylight saving.
UTC_ONLY = ("github", "kfp")
#: These know intervals that no cron expression says.
INTERVALS = ("prefect", "temporal")
HOSTILE = "na\"me's $(id) `id` {{ x }} ${{ y }} %h \\ тест <!-- & #!"
STEPS = (
    Step("load", retries=2, retry_delay=5.0, timeout=600.0),
    Step("score", ("load",)),
    Step("check it", ("load",), gate=True),
    Step("report", ("score", "check it"), conditional=True),
)
CELLS = """
import json, os, pathlib
pathlib.Path(out).write_text(json.dumps({"limit": limit * 2, "note": note, "rows": rows}, ensure_ascii=False))
if limit < 0:
    raise ValueError("no room for a negative limit")
"""


def zone_for(target: str) -> str:
    return "Asia/Kolkata" if target in UTC_ONLY else "Europe/Berlin"


def nightly(target: str, **options: Any) -> JobSpec:
    """A job with everything a target may have to say something about."""
    given: dict[str, Any] = {
        "name": "nightly claims", "notebook": "claims.ipynb", "schedule": "30 6 * * 1-5", "timezone": zone_for(target),
        "parameters": {"limit": 500, "note": "every night", "rows": [1, 2]}, "retries": 2, "retry_delay": "30s",
        "timeout": "30m", "gates": {"review": "wait"}, "alerts": ["$ALERTS"], "missed": "all",
    }  # fmt: skip
    return JobSpec(**{**given, **options})


def plan_of(target: str, spec: JobSpec, **options: Any) -> Plan:
    given = {"bundle": "/srv/claims/bundle"} if target in ("crontab", "systemd") else {}
    again = f"aios promote claims.ipynb --target {target}"
    return Plan(spec, "5" * 64, dt.date(2026, 1, 31), **{**given, "again": again, **options})


def plans(target: str) -> dict[str, Plan]:
    """The jobs whose files are kept as golden files."""
    plain = JobSpec(
        name="plain",
        notebook="plain.ipynb",
        schedule="0 6 * * *",
        timezone="UTC" if target in UTC_ONLY else "Europe/Berlin",
    )
    found = {"plain": plan_of(target, plain), "nightly": plan_of(target, nightly(target))}
    hostile = nightly(
        target, name=HOSTILE, parameters={"note": HOSTILE + "\n\u2028\x00", HOSTILE: {"a": {"b": None}}}
    )
    found["hostile"] = plan_of(target, hostile)
    bounded = nightly(
        target, overlap="queue", concurrency=3, memory="2GiB", starting="2026-03-01T06:00", late_after="2h",
        approvals=1, on_event=[{"event": "claims.ready"}], after=[{"job": "extract"}], absent_after="2d",
        retention_for="90d", slo={"failures": 0.1}, missed="latest",
    )  # fmt: skip
    found["bounded"] = plan_of(target, bounded)
    if target in INTERVALS:
        paced = nightly(target, schedule=None, every="45m", starting="2026-03-01T06:10", timezone="UTC")
        found["paced"] = plan_of(target, paced)
    if "steps" in get(target).grains:
        found["steps"] = plan_of(target, nightly(target), steps=STEPS)
    return found


def write_notebook(path: Path) -> Path:
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_code_cell(c) for c in ("limit: int = 1\nnote = ''\nrows: list = []\nout = 'x'", CELLS)
    ]
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)
    return path


def parameters_in(target: str, files: Files) -> Any:
    """Return the parameters a target's files hold, read as the target would."""
    [text] = [
        t for name, t in files.items() if name.endswith((".py", ".yaml", ".yml", ".service", "crontab"))
    ]
    if target in ("airflow", "prefect", "dagster", "kfp", "temporal"):
        for node in ast.walk(ast.parse(text)):
            name = getattr(getattr(node, "target", None) or getattr(node, "targets", [None])[0], "id", "")
            if name == "PARAMETERS":
                found = ast.literal_eval(node.value)  # type: ignore[attr-defined]
                return json.loads(found) if isinstance(found, str) else found
    if target == "systemd":
        return _after(_words(text))
    if target == "crontab":
        line = text.splitlines()[-1]
        return _after(shlex.split(line.split(" ", 5)[5].replace("\\%", "%")))
    data = yaml.safe_load(text)
    if target == "kubernetes":
        return _after(data["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"])
    if target == "argo":
        return json.loads(data["spec"]["workflowSpec"]["arguments"]["parameters"][0]["value"])
    if target == "step-functions":
        return json.loads(
            json.loads(data["Resources"]["Schedule"]["Properties"]["Target"]["Input"])["parameters"]
        )
    return json.loads(data["jobs"]["notebook"]["env"]["DEFAULTS"])


def _after(words: list[str]) -> Any:
    return json.loads(words[words.index("--params") + 1])
