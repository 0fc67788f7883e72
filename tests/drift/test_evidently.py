from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aios_workbench import drift
from aios_workbench.drift import evidently_engine
from aios_workbench.drift.columns import column
from aios_workbench.drift.evidently_rules import evidently_test
from aios_workbench.drift.judge import drifted, judge
from aios_workbench.drift.kinds import ColumnRole
from aios_workbench.drift.models import Rules
from aios_workbench.drift.statistics.numbers import evidently_bins
from aios_workbench.drift.statistics.shares import jensenshannon, psi
from aios_workbench.drift.tables import CountTable, NumberTable
from aios_workbench.errors import DriftInputError

KINDS = {
    "normal": ColumnRole("numeric"), "skewed": ColumnRole("numeric"), "nulls": ColumnRole("numeric"),
    "zeros": ColumnRole("numeric"), "two": ColumnRole("numeric"), "five": ColumnRole("numeric"),
    "constant": ColumnRole("numeric"), "tiny": ColumnRole("numeric"), "flag": ColumnRole("categorical"),
    '"><img src=x onerror=alert(1)>': ColumnRole("categorical"), "many": ColumnRole("categorical"),
}  # fmt: skip


def frame(rows: int, shift: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, rows)
    return pd.DataFrame(
        {
            "normal": x,
            "skewed": rng.lognormal(shift, 0.7, rows),
            "nulls": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(shift, 1, rows)),
            "zeros": np.where(rng.random(rows) < 0.6, 0.0, rng.normal(shift, 1, rows)),
            "two": (rng.random(rows) < 0.3 + shift / 4).astype(float),
            "five": rng.integers(0, 5 if shift else 4, rows).astype(float),
            "constant": np.full(rows, 7.0),
            "tiny": rng.normal(shift / 2000, 1e-4, rows),
            "flag": rng.choice(["yes", "no"], rows, p=[0.5 + shift / 4, 0.5 - shift / 4]),
            '"><img src=x onerror=alert(1)>': rng.choice(list("abcd"), rows),
            "many": rng.choice([f"v{i}" for i in range(60)], rows),
        }
    )


def table(values: pd.Series, kind: str) -> NumberTable | CountTable:
    if kind == "numeric":
        return NumberTable.of(values.to_numpy(float))
    counted = values.value_counts()
    return CountTable(tuple(counted.index), counted.to_numpy(), distinct=len(counted))


@pytest.mark.parametrize(
    ("n", "m", "shift"), [(800, 900, 0.0), (800, 300, 0.4), (3000, 1500, 0.0), (3000, 1000, 0.6)]
)
def test_our_rules_of_theirs_say_what_evidently_says(n, m, shift):
    a, b = frame(n, 0.0, 1), frame(m, shift, 2)
    theirs = evidently_engine.verdicts(snapshot := evidently_engine.run(a, b, KINDS))
    ours = judge(
        [column(c, "feature", r.kind, table(a[c], r.kind), table(b[c], r.kind)) for c, r in KINDS.items()],
        Rules(kind="evidently"),
    )
    assert theirs.keys() == KINDS.keys()
    for found in ours:
        method, value, threshold, drift = theirs[found.name]
        name, figure, limit = evidently_test(found.statistics, found.reference)
        assert (name, limit) == (evidently_engine._METHODS[method][0], threshold), found.name
        assert figure == pytest.approx(value, abs=0.03 if name == "ks" else 1e-6), found.name
        if name == "ks" and 0.03 < value < 0.08:  # where it matters it is counted out
            assert figure == pytest.approx(value, abs=1e-6)
        assert found.verdict == ("drifted" if drift else "stable"), found.name
    count = snapshot.dict()["metrics"][0]["value"]["count"]
    assert count == sum(v[3] for v in theirs.values())
    assert drifted(ours, rules=Rules(kind="evidently"))[0] == evidently_engine.drifted(snapshot)[0]


@pytest.mark.parametrize("kind", ["normal", "skewed", "zeros", "five"])
def test_in_evidentlys_own_bins_we_agree_to_the_sixth_place(kind):
    a, b = frame(2000, 0.0, 1)[kind], frame(1500, 0.3, 2)[kind]
    counted = evidently_bins(NumberTable.of(a), NumberTable.of(b))
    p, q = counted[0] / counted[0].sum(), counted[1] / counted[1].sum()
    snapshot = evidently_engine.run(
        a.to_frame(), b.to_frame(), {kind: KINDS[kind]}, presets=(),
        metrics=[("ValueDrift", {"column": kind, "method": m}) for m in ("psi", "jensenshannon")],
    )  # fmt: skip
    values = [m["value"] for m in snapshot.dict()["metrics"]]
    assert [psi(p, q), jensenshannon(p, q)] == pytest.approx(values, abs=1e-6)


def test_presets_and_tests_by_name():
    a, b = frame(400, 0.0, 1)[["normal", "nulls"]], frame(300, 0.5, 2)[["normal", "nulls"]]
    found = drift.evidently.report(
        a, b, presets=["DataSummaryPreset"], metrics=[
            ("ValueDrift", {"column": "normal", "method": "psi"}, {"lt": 0.05}),
            ("MissingValueCount", {"column": "nulls"}, {"share_lte": 0.5, "lte": {"relative": 9.0}}),
        ],
    )  # fmt: skip
    assert [t["status"].value for t in found.dict()["tests"]] == ["FAIL", "SUCCESS", "SUCCESS"]
    assert len(found.dict()["metrics"]) > 10
    assert drift.evidently.report(a, b, tests=True).dict()["tests"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"presets": ["DataDriftPrest"]}, "did you mean 'DataDriftPreset'"),
        ({"metrics": [("MissingValueCount", {"colum": "x"})]}, "does not take"),
        ({"metrics": [("MissingValueCount", {"column": "x"}, {"lse": 1})]}, "there are eq"),
        ({"kinds": {"x": "id"}}, "no column in common"),
    ],
)
def test_what_evidently_has_not_is_said(asked, said):
    data = pd.DataFrame({"x": [1.0, 2.0] * 40})
    with pytest.raises(DriftInputError, match=said):
        drift.evidently.report(data, data, **asked)


def test_the_engine_gives_evidentlys_verdicts_and_its_page(tmp_path):
    a, b = frame(600, 0.0, 1), frame(500, 0.5, 2)
    a["id"], b["id"] = range(600), range(500)
    report = drift.compare(a, b, engine="evidently")
    theirs = evidently_engine.verdicts(report.evidently)
    assert report.data.engine == "evidently"
    for name, found in report.columns.items():
        if name in theirs:
            assert found.verdict == ("drifted" if theirs[name][3] else "stable")
    assert report.columns["normal"].reasons[0].startswith("evidently: K-S p_value")
    assert report.columns["normal"].histogram is not None
    assert report.drifted == evidently_engine.drifted(report.evidently)[0]
    page = evidently_engine.html(report.evidently)
    assert "<script" in page
    # the two engines agree, and judging anew by the same rules changes nothing
    other = drift.compare(a, b, rules="evidently")
    assert {c: f.verdict for c, f in other.columns.items() if c in theirs} == {
        c: f.verdict for c, f in report.columns.items() if c in theirs
    }
    assert report.judge().drifted == report.drifted


def test_the_engine_wants_all_rows_and_its_own_thresholds():
    data = pd.DataFrame({"x": [1.0, 2.5] * 40})
    with pytest.raises(DriftInputError, match="stored profile"):
        drift.compare(drift.profile(data), data, engine="evidently")
    with pytest.raises(DriftInputError, match="evidently's own thresholds"):
        drift.compare(data, data, engine="evidently", rules={"columns": {"x": {"psi": 0.1}}})
    with pytest.raises(DriftInputError, match="did you mean 'evidently'"):
        drift.compare(data, data, engine="evidentl")
