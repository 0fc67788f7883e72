"""What starts a job, on the command line: options, job.yaml, events, previews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from aios_workbench.cli.promote_options import _NAMES, spec_of
from aios_workbench.promote import JobSpec
from aios_workbench.promote.triggers import fire

if TYPE_CHECKING:
    from cli.conftest import Project

NOTHING = {
    **dict.fromkeys(_NAMES),
    **dict.fromkeys(("on_event", "after", "params", "gates", "alerts", "packages"), ()),
}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.engine import control

    monkeypatch.setattr(control, "ensure_worker", lambda _: None)


def notebook(path: str, source: str = "print(day)", parameters: str = "day: str = '-'") -> Path:
    tagged = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[tagged, nbformat.v4.new_code_cell(source)])
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return Path(path)


def test_every_option_of_a_job_can_be_given(project: Project) -> None:
    """What a job.yaml can say, the command line can: no option of JobSpec is forgotten."""
    parts = {"slo": {"slo_failures", "slo_within"}, "parameters": {"params"}, "notebook": {"spec_file"}}
    for field in JobSpec.model_fields:
        assert parts.get(field, {field}) <= set(_NAMES), field
    notebook("nb.ipynb")
    Path("card.md").write_text("-")
    given = {
        "--name": "daily", "--every": "15m", "--starting": "2026-01-31", "--timezone": "Europe/Berlin",
        "--on-event": "orders.*", "--after": "extract=failed", "--after-mode": "any", "-p": "day=x",
        "--missed": "all", "--catch-up": "3", "--overlap": "queue", "--concurrency": "2", "--retries": "1",
        "--retry-delay": "5s", "--timeout": "5m", "--memory": "2GB", "--late-after": "1h", "--absent-after": "2d",
        "--slo-failures": "0.1", "--slo-within": "4m", "--approvals": "0", "--gate": "review=approve",
        "--alert": "json://localhost", "--retention": "7", "--retention-for": "90d", "--retention-bytes": "5GB",
        "--environment": "worker", "--package": "nbformat", "--data": "warn", "--data-limit": "1MB",
    }  # fmt: skip
    job = project.json("promote", "nb.ipynb", *(word for pair in given.items() for word in pair))
    spec = {k: v for k, v in job["spec"].items() if k != "notebook"}
    assert spec == {
        "name": "daily", "schedule": None, "every": "15m", "starting": "2026-01-31", "timezone": "Europe/Berlin",
        "on_event": [{"event": "orders.*", "where": {}, "parameters": {}}],
        "after": [{"job": "extract", "on": "failed"}], "after_mode": "any", "parameters": {"day": "x"},
        "missed": "all", "catch_up": 3, "overlap": "queue", "concurrency": 2, "retries": 1, "retry_delay": "5s",
        "timeout": "5m", "memory": "2GB", "late_after": "1h", "absent_after": "2d",
        "slo": {"failures": 0.1, "within": "4m"}, "approvals": 0, "gates": {"review": "approve"},
        "alerts": ["json://localhost"], "retention": 7, "retention_for": "90d", "retention_bytes": "5GB", "card": None,
        "environment": "worker", "packages": ["nbformat"], "data": "warn", "data_limit": "1MB",
        "drift": [], "tests": [],
    }  # fmt: skip
    assert job["schedule"] == (
        "Every 15 minutes from 2026-01-31 00:00 +01:00 (Europe/Berlin); when orders.* is told; after extract failed"
    )
    assert job["problems"] == [
        "there is no job 'extract' to start after; promote one of that name, or take it out of `after`"
    ]
    shown = project("promote", "nb.ipynb", "--every", "1h", "--after", "extract")
    assert "Every hour; after extract succeeded" in shown.stdout
    assert shown.stdout.count(":00 +00:00") == 5
    assert "no job 'extract'" in shown.stderr
    assert "no job 'extract'" in project("jobs", "show", "nb").stderr
    event = project("promote", "nb.ipynb", "--name", "byevent", "--on-event", "orders.ready").stdout
    assert "When orders.ready is told" in event
    assert "it waits for that" in event


def test_options_win_over_the_file(project: Project) -> None:
    notebook("deep/nb.ipynb", parameters="day: str = '-'\nn: int = 1")
    file = Path("deep/job.yaml")
    file.write_text(
        "name: daily\nnotebook: nb.ipynb\nschedule: 0 6 * * *\nparameters: {day: a, n: 2}\nslo: {failures: 0.5}\n"
        "gates: {one: approve, two: wait}\nretries: 3\n"
    )

    def spec(**options: object) -> JobSpec:
        return spec_of(None, {**NOTHING, "spec_file": file, **options})[1]

    as_it_is = spec()
    assert (as_it_is.name, as_it_is.schedule, as_it_is.parameters) == (
        "daily",
        "0 6 * * *",
        {"day": "a", "n": 2},
    )
    assert spec_of(None, {**NOTHING, "spec_file": file})[0] == Path("deep/nb.ipynb")
    mixed = spec(name="other", every="1h", params=("n=5",), slo_within="5m", gates=("two=reject",), retries=0)
    assert (mixed.name, mixed.schedule, mixed.every, mixed.retries) == ("other", None, 3600.0, 0)
    assert mixed.parameters == {"day": "a", "n": "5"}  # text is read by its type later
    assert mixed.slo is not None
    assert (mixed.slo.failures, mixed.slo.within) == (0.5, 300.0)
    assert mixed.gates == {"one": "approve", "two": "reject"}
    assert project.json("promote", "--spec", "deep/job.yaml")["spec"]["schedule"] == "0 6 * * *"
    file.write_text("shedule: 0 6 * * *")
    assert "did you mean 'schedule'" in project.error(
        "promote", "deep/nb.ipynb", "--spec", "deep/job.yaml", code=2
    )
    file.write_text("- a\n")
    assert "must be a list of options" in project.error(
        "promote", "deep/nb.ipynb", "--spec", "deep/job.yaml", code=2
    )
    file.write_text("{")
    assert "YAML" in project.error("promote", "deep/nb.ipynb", "--spec", "deep/job.yaml", code=2)
    assert "no file" in project.error("promote", "deep/nb.ipynb", "--spec", "none.yaml", code=3)
    assert "which notebook" in project("promote", "--every", "1h", code=2).stderr
    both = project.error("promote", "deep/nb.ipynb", "--every", "1h", "--schedule", "0 6 * * *", code=2)
    assert "not both" in both


def test_events(project: Project) -> None:
    notebook("nb.ipynb")
    event = '{"event": "orders.ready", "where": {"region": "eu"}, "parameters": {"day": "file.day"}}'
    project("promote", "nb.ipynb", "--on-event", event)
    fire(project.ws, 0.0)
    data = '{"region": "eu", "file": {"day": "<b>2026</b>"}}'
    first = project.json("events", "emit", "orders.ready", "--data", data, "--key", "a", "-p", "n=5")
    again = project.json("events", "emit", "orders.ready", "--key", "a")
    assert again["seq"] == first["seq"]
    assert "is told" in project("events", "emit", "orders.late", "-p", "region=eu").stdout
    (run,) = fire(project.ws, 0.0)
    late, ready = project.json("events", "list")["events"]
    assert (late["name"], late["data"], late["started"]) == ("orders.late", {"region": "eu"}, [])
    assert (ready["data"]["n"], ready["started"]) == (5, [run])
    (row,) = project.json("jobs", "history", "nb")["job_runs"]
    assert (row["params"], row["trigger"]) == ({"day": "<b>2026</b>"}, "event")
    assert run in project("events", "list", "orders.r*").stdout
    assert "orders.late" not in project("events", "list", "orders.r*").stdout
    assert "no events yet" in project("events", "list", "none").stdout
    assert "no JSON" in project("events", "emit", "a", "--data", "{", code=2).stderr
    assert "named values" in project("events", "emit", "a", "--data", "[1]", code=2).stderr
    assert "only the workbench" in project.error("events", "emit", "run.failed", code=2)
    assert "is no event" in project("promote", "nb.ipynb", "--on-event", '{"name": 1}', code=2).stderr


def test_parameters_of_events_are_checked(project: Project) -> None:
    notebook("nb.ipynb", parameters="day: str\nn: int = 1", source="print(day, n)")
    takes = '{"event": "a", "parameters": {"dya": "day"}}'
    found = project.json("promote", "nb.ipynb", "--on-event", takes, code=1)["findings"]
    said = [f["message"] for f in found if f["severity"] == "error"]
    assert any(
        "event a sets 'dya', and the notebook has no such parameter; did you mean 'day'" in s for s in said
    )
    assert any("'day' (str) has no value and no default" in s for s in said)
    takes = '{"event": "a", "parameters": {"day": "day"}}'
    assert project.json("promote", "nb.ipynb", "--check", "--on-event", takes)["ok"]
    # the clock gives it none
    assert not project.json("promote", "nb.ipynb", "--check", "--on-event", takes, "--every", "1h", code=1)[
        "ok"
    ]


def test_preview_of_intervals(project: Project) -> None:
    lines = project.json(
        "jobs", "preview", "90m", "--from", "2026-03-29T00:00", "--timezone", "Europe/Berlin", "-n", "3"
    )
    assert (lines["words"], lines["every"], lines["schedule"]) == ("Every 90 minutes", 5400.0, None)
    assert [u["local"] for u in lines["upcoming"]] == [
        "Sun 2026-03-29 01:00 +01:00", "Sun 2026-03-29 03:30 +02:00", "Sun 2026-03-29 05:00 +02:00",
    ]  # fmt: skip
    assert "gone forward by 1 h" in lines["upcoming"][1]["note"]
    later = project.json("jobs", "preview", "1h 30m", "--starting", "2030-01-01T00:10", "-n", "2")
    assert [u["utc"] for u in later["upcoming"]] == ["2030-01-01 00:10", "2030-01-01 01:40"]
    notebook("nb.ipynb")
    project("promote", "nb.ipynb", "--every", "1d", "--starting", "2030-01-01T06:00")
    assert project.json("jobs", "preview", "nb", "-n", "1")["upcoming"][0]["utc"] == "2030-01-01 06:00"
    assert (
        project.json("jobs", "list")["jobs"][0]["schedule"] == "Every day from 2030-01-01 06:00 +00:00 (UTC)"
    )
    project("promote", "nb.ipynb", "--name", "next", "--after", "nb")
    assert "it runs After nb succeeded" in project.error("jobs", "preview", "next", code=2)
    gone = project("jobs", "remove", "nb", "--yes")
    assert "nothing starts any more: next" in gone.stderr
