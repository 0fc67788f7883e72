"""Tunings and indexes in workflows: progress, cancelling, values handed on, recall as a gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tuning_kit import HERE, PATIENCE, until

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.errors import StepFailed
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


def test_a_step_tunes_and_hands_its_index_on(ws: Workspace) -> None:
    wf = aios.Workflow("retrieval")

    @wf.step
    def vectors(n: int) -> Any:
        import numpy as np

        r = np.random.default_rng(0)
        return (r.standard_normal((20, 16))[r.integers(0, 20, n)] + r.standard_normal((n, 16))).astype("f4")

    @wf.step
    def tuned(vectors: Any) -> Any:
        from aios_workbench import knn

        return knn.tune(vectors, k=5, recall=0.9, budget="3s", wait=True)

    @wf.step
    def index(tuned: Any) -> Any:
        tuned.check(0.8)
        return tuned.best

    @wf.step
    def found(index: Any, vectors: Any) -> Any:
        return index.search(vectors[:3], k=1).ids.tolist()

    run = wf.run(n=1500)
    assert run.result(timeout=PATIENCE) == [[0], [1], [2]]
    tuning, made = run["tuned"].output, run["index"].output
    assert tuning.state.status == "finished"
    assert tuning.state.chosen in tuning.points["id"].tolist()
    assert tuning.best.params == made.params
    assert len(made) == 1500
    assert "recall" in run["tuned"].logs
    assert run["index"].preview()["type"] == "aios_workbench.knn.index.Index"


def test_recall_below_target_fails_the_step_and_the_run(ws: Workspace) -> None:
    wf = aios.Workflow("gated")

    @wf.step
    def index(nprobe: int) -> Any:
        import numpy as np

        from aios_workbench.knn import Index, Params, open_vectors

        x = np.random.default_rng(0).standard_normal((3000, 16))
        given = open_vectors(x[100:], folder=aios.context().ws.root / "knn" / "vectors")
        return Index.build(given, Params(family="ivf", nlist=64, nprobe=nprobe))

    @wf.step
    def good_enough(index: Any) -> dict[str, Any]:
        import numpy as np

        queries = np.random.default_rng(0).standard_normal((3000, 16))[:100]
        return index.check(recall=0.95, queries=queries).to_dict()

    @wf.step
    def answered(index: Any, good_enough: dict[str, Any]) -> str:
        return "answered"

    fine = wf.run(nprobe=64)
    assert fine.result(timeout=PATIENCE) == "answered"
    assert fine["good_enough"].output["recall"] == 1.0
    bad = wf.run(nprobe=1)
    with pytest.raises(StepFailed, match=r"recall@10 is 0\.\d+ .* on 100 queries; 0\.95 was demanded"):
        bad.result(timeout=PATIENCE)
    assert bad.status == "failed"
    assert bad["good_enough"].error.type == "RecallBelowTarget"
    assert bad["answered"].status != "succeeded"
