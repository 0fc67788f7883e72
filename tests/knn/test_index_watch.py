"""Recall over time: measured on live queries, told when it falls, and brought back."""

from __future__ import annotations

import numpy as np
import pytest
from living import clustered, index_of, recall

from aios_workbench.errors import ParameterError
from aios_workbench.knn import upkeep
from aios_workbench.knn.models import Params
from aios_workbench.knn.watching import Alert

WEAK = Params(family="ivf", nlist=64, nprobe=1)


def test_recall_that_falls_is_told_and_brought_back() -> None:
    index = index_of(clustered(4000, 24, clusters=3), WEAK, recall=0.95)
    alerts: list[Alert] = []
    watch = index.watch(alerts.append, fraction=1.0, window=100)
    q = clustered(400, 24, seed=5, clusters=3)
    before = recall(index, q)
    for at in range(0, 200, 20):
        index.search(q[at : at + 20])
        watch.flush()
    assert before < 0.9
    assert len(alerts) >= 1
    first = alerts[0]
    assert first.high < first.target == 0.95
    assert first.low <= first.recall <= first.high
    assert "the effort is being turned up" in first.message
    assert index.effort > 1
    assert recall(index, q) >= 0.94
    later = len(alerts)
    for at in range(200, 400, 20):
        index.search(q[at : at + 20])
    watch.stop()
    assert len(alerts) == later
    history = watch.history
    assert len(history) == 400 + 400 * 2  # also those of `recall` above
    assert set(history["k"]) == {10}
    assert history["recall"].iloc[-100:].mean() >= 0.93
    assert watch.recall.recall == pytest.approx(history["recall"].iloc[-100:].mean())


def test_without_retuning_it_only_tells() -> None:
    index = index_of(clustered(3000, 24, clusters=3), WEAK)
    watch = index.watch(None, fraction=0.5, target=0.9, retune=False, seed=3)
    index.search(clustered(200, 24, seed=5, clusters=3))
    watch.stop()
    assert [a.target for a in watch.alerts] == [0.9]
    assert "recalibrate()" in watch.alerts[0].message
    assert index.effort == 1
    assert 60 < len(watch.history) < 140
    index.search(clustered(200, 24, seed=5, clusters=3))
    assert len(watch.history) < 140  # it has ended


def test_good_recall_and_few_checks_are_no_alert() -> None:
    index = index_of(clustered(1000), Params(family="flat"))
    watch = index.watch(fraction=1.0)
    index.search(clustered(100, seed=2))
    index.search(clustered(100, seed=2), filter=None, k=3)
    watch.flush()
    assert watch.recall.recall == 1.0
    assert not watch.alerts
    weak = index_of(clustered(3000, 24, clusters=3), WEAK)
    few = weak.watch(fraction=1.0)
    weak.search(clustered(20, 24, seed=5, clusters=3))
    few.stop()
    assert few.recall.recall < 0.95
    assert not few.alerts
    watch.stop()


def test_answers_are_checked_on_the_state_that_gave_them() -> None:
    x = clustered(500)
    index = index_of(x, Params(family="flat"), metadata={"n": range(500)})
    watch = index.watch(fraction=1.0)
    for at in range(0, 400, 50):
        index.search(x[at : at + 50], filter="n < 450")
        index.remove(range(at, at + 50))
    watch.stop()
    assert (watch.history["recall"] == 1.0).all()
    assert sorted(set(watch.history["vectors"])) == list(range(150, 501, 50))


def test_a_callback_that_fails_does_not_end_it() -> None:
    index = index_of(clustered(3000, 24, clusters=3), WEAK)

    def broken(alert: Alert) -> None:
        raise RuntimeError("no mail today")

    watch = index.watch(broken, fraction=1.0)
    index.search(clustered(100, 24, seed=5, clusters=3))
    watch.flush()
    assert any("no mail today" in n for n in index.notes)
    assert index.effort > 1
    index.search(clustered(10, 24, seed=5, clusters=3))
    watch.stop()
    assert len(watch.history) == 110


def test_recall_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of(clustered(2000, 24, clusters=3), Params(family="flat", codec="sq8"), recall=1.0)
    watch = index.watch(fraction=0.01)
    monkeypatch.setattr(upkeep, "recalls", lambda found, truth: np.full(len(found), 0.5))
    index.recalibrate()
    watch.stop()
    assert [a.recall for a in watch.alerts] == [0.5]
    assert "tune again" in watch.alerts[0].message


@pytest.mark.parametrize("wrong", [{"fraction": 0}, {"fraction": 2}, {"target": 2.0}, {"window": 3}])
def test_wrong_settings_of_a_watch(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        index_of(clustered(50), Params(family="flat")).watch(**wrong)  # type: ignore[arg-type]


def test_bounds_hold_the_truth() -> None:
    r = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        true = r.uniform(0.8, 1.0)
        found = upkeep.Recall.of(r.binomial(10, true, 100) / 10)
        inside += found.low <= true <= found.high
    assert inside >= 270
