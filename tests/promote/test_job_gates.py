"""Gates of a promotion: tests that must pass, drift monitors that must be quiet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aios_workbench import promote
from aios_workbench.errors import JobError
from aios_workbench.promote import JobSpec
from aios_workbench.workspace import Workspace

T0 = 1_800_000_000.0


@pytest.fixture
def book(write: Callable[..., Path]) -> Path:
    path = write("nb/claims.ipynb", "print(n)", parameters="n: int = 1")
    (path.parent / "rules.py").write_text("LIMIT = 5\n")
    (path.parent / "test_rules.py").write_text(
        "import rules\n\ndef test_limit():\n    assert rules.LIMIT == 5, 'the limit was agreed'\n"
    )
    return path


def spec(**options: object) -> JobSpec:
    return JobSpec(name="claims", notebook="-", **options)


def monitor(ws: Workspace, name: str, state: str) -> None:
    ws.catalog.write(
        "insert into drift_monitors (monitor, spec, rules, reference, state, created_at, updated_at) "
        "values (:m, '{}', '{}', '-', :s, 0, 0)",
        m=name, s=state,
    )  # fmt: skip


def test_tests_are_run_and_their_passing_is_recorded(ws: Workspace, book: Path) -> None:
    job = promote.promote(ws, book, spec(tests=["test_rules.py"]), "ada", now=T0)
    row = ws.catalog.one("select provenance from job_versions where job_id = :j", j=job.job_id)
    assert row is not None
    internal = json.loads(row["provenance"])["predicate"]["buildDefinition"]["internalParameters"]
    assert internal["gates"] == {"tests": {"paths": ["test_rules.py"], "passed": True}}
    (book.parent / "rules.py").write_text("LIMIT = 6\n")
    changed = book.read_text().replace("print(n)", "print(n + 1)")
    book.write_text(changed)
    with pytest.raises(JobError, match=r"(?s)test_rules\.py do not pass.*exit code 1.*the limit was agreed"):
        promote.promote(ws, book, spec(tests=["test_rules.py"]), "ada", now=T0)
    assert promote.get(ws, "claims").version == 1, "nothing was made of it"


@pytest.mark.parametrize(
    ("tests", "says"), [(["test_none.py"], "no tests test_none.py"), (["rules.py"], "exit code 5")]
)
def test_tests_that_are_none(ws: Workspace, book: Path, tests: list[str], says: str) -> None:
    with pytest.raises(JobError, match=says):
        promote.promote(ws, book, spec(tests=tests), "ada", now=T0)
    assert promote.list_jobs(ws) == []


def test_nothing_is_promoted_while_a_monitor_alerts(ws: Workspace, book: Path) -> None:
    monitor(ws, "inputs", "quiet")
    monitor(ws, "scores", "alert")
    ws.catalog.write(
        "insert into drift_alerts (monitor, window_id, kind, at, message) "
        "values ('scores', 'w', 'alert', 0, '3 of 9 columns')"
    )
    with pytest.raises(JobError, match=r"'scores' alerts: 3 of 9 columns"):
        promote.promote(ws, book, spec(drift=["inputs", "scores"]), "ada", now=T0)
    with pytest.raises(
        JobError, match=r"no drift monitor 'input'; did you mean 'inputs'\? \(there is: inputs, scores\)"
    ):
        promote.promote(ws, book, spec(drift=["input"]), "ada", now=T0)
    assert promote.promote(ws, book, spec(drift=["inputs"]), "ada", now=T0).version == 1
