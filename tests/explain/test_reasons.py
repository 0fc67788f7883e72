"""Reason codes: the columns that count most in each row, in words, for files larger than one sitting."""

from __future__ import annotations

from pathlib import Path

import fake_explain
import numpy as np
import pandas as pd
import pytest
from fake_explain import EVIL, explanation

import aios_workbench as aios
from aios_workbench.errors import ExplainInputError, NotFoundError


def test_reasons_of_explained_rows_are_the_largest_contributions_in_order() -> None:
    ex = explanation(rows=60)
    found = ex.reason_codes(top=3, keep=["age"])
    assert ex.frame is not None
    assert found.index.equals(ex.frame.index)
    assert found["age"].tolist() == ex.frame["age"].tolist()
    for at in range(60):
        want = ex.row(at).contributions[:3]
        got = [found.iloc[at][f"reason_{k}_column"] for k in (1, 2, 3)]
        assert got == [c.column for c in want]
        assert found.iloc[at]["reason_1_contribution"] == pytest.approx(want[0].shap)
        verb = "raises" if want[0].shap > 0 else "lowers"
        assert f": {verb} claim by {abs(want[0].shap):.3g}" in found.iloc[at]["reason_1"]
        if want[0].value != "missing":
            assert want[0].value in found.iloc[at]["reason_1"]


def test_only_what_spoke_against_it() -> None:
    ex = explanation(rows=80)
    down = ex.reason_codes(towards="down", top=8)
    for at in range(80):
        told = {down.iloc[at][f"reason_{k}_column"] for k in range(1, 9)}
        want = {c.column for c in ex.row(at).contributions if c.shap < 0}
        assert {t for t in told if isinstance(t, str)} == want
    assert down["reason_8"].isna().all()
    assert not down["reason_1"].dropna().str.contains("raises").any()


def test_words_say_where_a_value_lies_and_without_values_tell_none() -> None:
    ex = explanation(rows=200)
    words = ex.reason_codes(top=8)
    text = " ".join(words["reason_1"])
    assert "income is very high (2000000): lowers claim by" in text
    hidden = ex.reason_codes(top=8, values=False)
    said = " ".join(str(v) for k in range(1, 9) for v in hidden[f"reason_{k}"])
    assert [c for c in ("Ghent", "2000000", EVIL) if c in said] == []
    assert "income is very high: lowers" in said


def test_a_file_of_scores_gets_its_reasons_beside_it(tmp_path: Path) -> None:
    ex = explanation()
    rows = fake_explain.table(1_050, seed=4)
    path = tmp_path / "scores.parquet"
    rows.reset_index(names="id").to_parquet(path)
    made = ex.reason_codes(path, keep=["id"], chunk=200)
    assert made.path == str(tmp_path / "scores.reasons.parquet")
    assert (made.rows, made.stopped, made.resumed) == (1_050, "done", 0)
    found = made.to_frame()
    assert found["row"].tolist() == list(range(1_050))
    assert found["id"].tolist() == rows.index.tolist()
    whole = ex.reason_codes(rows)
    pd.testing.assert_frame_equal(found.drop(columns="id"), whole)
    np.testing.assert_allclose(
        whole["prediction"], -0.4 + fake_explain.contributions(rows)[:, :, 0].sum(axis=1), atol=1e-12
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scores.parquet", "scores.reasons.parquet"]


def test_what_was_stopped_goes_on_where_it_ended(tmp_path: Path) -> None:
    ex = explanation()
    path = tmp_path / "scores.parquet"
    fake_explain.table(1_000, seed=4).to_parquet(path)
    asked = []

    def after_two() -> bool:
        asked.append(1)
        return len(asked) > 2

    made = ex.reason_codes(path, chunk=150, cancelled=after_two)
    assert (made.stopped, made.rows) == ("cancelled", 300)
    with pytest.raises(NotFoundError, match="call reason_codes again"):
        made.to_frame()
    assert "call again to go on" in repr(made)
    assert ex.live is not None
    ex.live.calls.clear()  # type: ignore[attr-defined]
    (tmp_path / ".scores.reasons.parquet.parts" / "000000000150.parquet").write_bytes(b"PAR1 torn")
    again = ex.reason_codes(path, chunk=150)
    assert (again.stopped, again.rows, again.resumed) == ("done", 1_000, 150)
    assert len(ex.live.calls) == 6  # type: ignore[attr-defined]
    assert again.to_frame()["row"].tolist() == list(range(1_000))
    # other options are another file of reasons: nothing is taken over
    ex.reason_codes(path, chunk=150, cancelled=lambda: len(asked) > 2)
    assert ex.reason_codes(path, chunk=150, top=2).resumed == 0


def test_an_interrupt_keeps_what_is_there(tmp_path: Path) -> None:
    ex = explanation()
    assert ex.live is not None
    path, again = tmp_path / "s.parquet", ex.live.again
    fake_explain.table(100).to_parquet(path)
    calls = []

    def interrupted(rows: pd.DataFrame, **options: bool) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return again(rows, **options)

    ex.live.again = interrupted  # type: ignore[method-assign, assignment]
    made = ex.reason_codes(path, chunk=40)
    assert (made.stopped, made.rows) == ("cancelled", 40)
    assert ex.reason_codes(path, chunk=40).rows == 100


def test_empty_hostile_and_wrong(tmp_path: Path) -> None:
    ex = explanation(evil=True)
    path = tmp_path / "none.parquet"
    assert ex.frame is not None
    ex.frame.head(0).to_parquet(path)
    assert len(ex.reason_codes(path).to_frame()) == 0
    assert ex.reason_codes(ex.frame.head(9), top=7).notna().any().all()
    with pytest.raises(ExplainInputError, match="did you mean 'down'"):
        ex.reason_codes(towards="donw")
    with pytest.raises(ExplainInputError, match="1 to 50"):
        ex.reason_codes(top=0)
    with pytest.raises(ExplainInputError, match="no column 'nam'"):
        ex.reason_codes(ex.frame, keep=["nam"])
    with pytest.raises(NotFoundError, match="check the path"):
        ex.reason_codes(tmp_path / "gone.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(ExplainInputError, match="no Parquet file"):
        ex.reason_codes(tmp_path / "text.parquet")
    stored = explanation(live=False, raw=False)
    with pytest.raises(ExplainInputError, match="without raw rows"):
        stored.reason_codes()
    with pytest.raises(ExplainInputError, match="needs the model"):
        stored.reason_codes(path)


def test_a_real_model_s_reasons_are_its_explanation_s(tmp_path: Path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    g = np.random.default_rng(0)
    x = pd.DataFrame(g.normal(size=(600, 4)), columns=list("abcd"))
    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(x, x["a"] - x["b"] > 0)
    ex = aios.explain(model, x.head(50), background=x, lime=False, cache=False, progress=False)
    path = tmp_path / "scores.parquet"
    x.to_parquet(path)
    found = ex.reason_codes(path, chunk=250, top=2).to_frame()
    first = ex.reason_codes(top=2)
    pd.testing.assert_frame_equal(found.head(50), first.reset_index(drop=True), rtol=1e-9)
    assert set(found["reason_1_column"]) <= {"a", "b"}
