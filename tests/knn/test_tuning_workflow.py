"""Tunings and indexes in workflows: progress, cancelling, values handed on, recall as a gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_kit import HERE, PATIENCE, until

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.workspace import Workspace, workspace


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine") / ".aios"


@pytest.fixture
def ws(home: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("AIOS_HOME", str(home))
    for name in ("AIOS_JOB_RUN", "AIOS_GATES"):
        monkeypatch.delenv(name, raising=False)
    space = workspace()
    runtime.start(space)
    return space


@pytest.fixture(scope="module", autouse=True)
def _engine_ends() -> Iterator[None]:
    yield
    if (engine := runtime.running()) is not None:
        engine.stop()


def test_a_step_that_tunes_shows_how_far_it_is_and_logs_what_it_finds(ws: Workspace) -> None:
    wf = aios.Workflow("progress")

    @wf.step
    def tuned(kit: str) -> str:
        import sys

        sys.path.insert(0, kit)
        import tuning_kit

        from aios_workbench.workspace import workspace

        done = tuning_kit.start(workspace(), of=tuning_kit.problem(seed=21), seconds=0.3).wait(
            tuning_kit.PATIENCE
        )
        return done.state.status

    run = wf.run(kit=HERE)
    assert run.result(timeout=PATIENCE) == "finished"
    assert "nprobe 4: recall 0.910" in run["tuned"].logs
    ws.catalog.flush()
    told = ws.catalog.query("select data from events where run_id = :r and kind = 'progress'", r=run.id)
    assert any("recall 0.9" in t["data"] for t in told)


def test_a_cancelled_run_stops_its_tuning(ws: Workspace) -> None:
    wf = aios.Workflow("cancelled")

    @wf.step
    def tuned(kit: str) -> str:
        import sys

        sys.path.insert(0, kit)
        import tuning_kit

        from aios_workbench.workspace import workspace

        of = tuning_kit.problem(seed=22)
        return tuning_kit.start(workspace(), of=of, then="until_stopped").wait().state.status

    def rows() -> list[str]:
        ws.catalog.flush()
        found = ws.catalog.query("select status from tunings where json_extract(problem, '$.seed') = 22")
        return [r["status"] for r in found]

    run = wf.run(kit=HERE)
    until(lambda: rows() == ["running"], "the tuning")
    run.cancel()
    until(lambda: rows() == ["stopped"], "the tuning's end")
