"""Explanations as files: what comes back, what never leaves, what is refused."""

from __future__ import annotations

import copy
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from fake_explain import EVIL, explanation

import aios_workbench as aios
from aios_workbench import explain
from aios_workbench.errors import CorruptExplanationError, ExplainError, NotFoundError
from aios_workbench.explain import files, summary
from aios_workbench.explain.explanation import Arrays, Explanation
from aios_workbench.explain.names import one_line


def same(a: Arrays, b: Arrays) -> None:
    for name, x in vars(a).items():
        y = getattr(b, name)
        assert (x is None) == (y is None), name
        if x is not None:
            np.testing.assert_array_equal(x, y, err_msg=name)


@pytest.mark.parametrize("name", ["e.json", "e.zip", "without ending"])
@pytest.mark.parametrize("state", fake_explain.STATES)
def test_a_file_gives_the_numbers_back(tmp_path: Path, name: str, state: str) -> None:
    ex = fake_explain.STATES[state]()
    again = explain.load(ex.save(tmp_path / name))
    same(ex.arrays, again.arrays)
    assert again.frame is None
    assert again.live is None
    assert again.data.importance == ex.data.importance
    assert again.data.checks == ex.data.checks
    assert again.columns == ex.columns
    assert repr(again) == repr(ex)
    if ex.data.rows:
        assert [c.shap for c in again.row(0).contributions] == [c.shap for c in ex.row(0).contributions]
        assert {c.value for c in again.row(0).contributions} == {""}
    assert again.to_dict() == ex.to_dict()


@pytest.mark.parametrize("name", ["e.json", "e.zip"])
@pytest.mark.parametrize("evil", [False, True])
def test_raw_rows_come_back_when_they_were_asked_for(tmp_path: Path, name: str, evil: bool) -> None:
    ex = explanation(rows=30, evil=evil)
    again = explain.load(ex.save(tmp_path / name, raw=True))
    assert again.frame is not None
    assert ex.frame is not None
    assert list(again.frame.columns) == list(ex.frame.columns)
    assert [r.model_dump() for r in map(again.row, range(30))] == [
        r.model_dump() for r in map(ex.row, range(30))
    ]
    assert again.data == ex.data


def content(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as file:
        return b"".join(file.read(n) for n in file.namelist())


@pytest.mark.parametrize("name", ["e.json", "e.zip"])
def test_no_value_of_a_row_is_stored_unless_asked(tmp_path: Path, name: str) -> None:
    ex = explanation()
    assert ex.frame is not None
    ex.extra["something"] = "claim-3"
    stored = content(ex.save(tmp_path / name)) + ex.to_json().encode() + pickle.dumps(ex)
    told = [*(str(v) for v in ex.frame["city"].unique() if v.strip()), "claim-3", "2000000.0", "2e+06"]
    told += [repr(float(v)) for v in ex.frame["income"][:20]]
    escaped = [json.dumps(t, ensure_ascii=False)[1:-1] for t in told]
    assert [t for t in [*told, *escaped] if t.encode() in stored] == []
    raw = content(ex.save(tmp_path / f"raw-{name}", raw=True))
    assert b"Ghent" in raw


def test_a_pickle_leaves_model_and_rows_behind() -> None:
    ex = explanation()
    again = pickle.loads(pickle.dumps(ex))
    same(ex.arrays, again.arrays)
    assert (again.frame, again.live) == (None, None)
    same(copy.deepcopy(ex).arrays, ex.arrays)


def test_redaction_reaches_every_text_and_cell() -> None:
    ex = explanation(evil=True)

    def clean(x: Any) -> Any:
        return (
            x.replace("onerror", "[gone]")
            if isinstance(x, str)
            else x.replace("onerror", "[gone]", regex=True)
        )

    assert "onerror" in files.dumps(ex, raw=True)
    for raw in (False, True):
        assert "onerror" not in files.dumps(ex, raw=raw, redact=clean)
        text = zip_text(files.packed(ex, raw=raw, redact=clean))
        assert "onerror" not in text
    data, _, _ = files.loads(files.dumps(ex, redact=clean).encode(), "here")
    assert data.columns[0].name == "<img src=x [gone]=alert(1)>"
    assert data.method == ex.data.method
    assert data.importance[0].column in [c.name for c in data.columns]


def zip_text(held: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(held)) as file:
        return "".join(file.read(n).decode("latin-1") for n in file.namelist())


def test_the_same_explanation_is_the_same_file() -> None:
    a, b = explanation(), explanation()
    assert files.packed(a) == files.packed(b)
    assert files.dumps(a, raw=True) == files.dumps(b, raw=True)


def test_json_is_strict_even_with_numbers_json_does_not_know(tmp_path: Path) -> None:
    ex = explanation(rows=5)
    assert ex.arrays.errors is not None
    ex.arrays.errors[0, 0, 0] = np.nan
    ex.data.importance[0].error = float("inf")
    json.loads(ex.to_json(), parse_constant=pytest.fail)
    again = explain.load(ex.save(tmp_path / "e.json"))
    same(ex.arrays, again.arrays)
    assert again.data.importance[0].error == float("inf")


def damaged(ex: Explanation) -> dict[str, bytes]:
    whole, text = files.packed(ex), files.dumps(ex)
    newer = text.replace('"version": 1', '"version": 2')
    swapped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(swapped, "w") as new:
        for n in old.namelist():
            new.writestr(n, old.read("base.npy" if n == "values.npy" else n))
    return {
        "empty": b"", "cut": whole[: len(whole) // 2], "cut json": text[: len(text) // 2].encode(), "list": b"[]",
        "other": b'{"format": "aios-drift-report", "version": 1}', "newer": newer.encode(),
        "changed": text.replace("0.5", "0.6", 1).encode(), "bytes": bytes(range(256)), "pk": b"PK" + bytes(100),
        "swapped": swapped.getvalue(), "deep": b"[" * 100_000,
    }  # fmt: skip


@pytest.mark.parametrize("how", list(damaged(explanation(rows=3))))
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, how: str) -> None:
    path = tmp_path / "e.zip"
    path.write_bytes(damaged(explanation(rows=3))[how])
    with pytest.raises(CorruptExplanationError) as e:
        explain.load(path)
    assert len(str(e.value)) < 500
    assert str(path) in str(e.value) or "values.npy" in str(e.value)


def test_a_missing_file_and_a_full_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="check the path"):
        explain.load(tmp_path / "nothing.zip")
    ex, path = explanation(rows=2), tmp_path / "e.zip"
    path.write_bytes(b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ExplainError, match="no space left; what was there before is as it was"):
        ex.save(path)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["e.zip"]


def test_a_red_check_is_seen_in_every_text() -> None:
    ex = explanation()
    assert "FAILED: LIME's plane explains" in repr(ex)
    assert summary.line(ex.data).startswith("FAILED: LIME's local fit; ")
    assert '"level": "fail"' in ex.to_json()


def test_code_runs_and_hostile_names_stay_on_a_line() -> None:
    ex = explanation(evil=True, outputs=4, output=2)
    compile(ex.code(), "code", "exec")
    assert repr(EVIL) in ex.code()
    assert len(repr(ex).splitlines()) < 30
    assert max(map(len, repr(ex).splitlines())) < 400
    assert one_line("a\nb\x1b[31m") == "a b [31m"


def people() -> Any:
    frame = pd.DataFrame({
        "mail": [f"person{i}@example.com" for i in range(40)], "card": [4111111111111111] * 40, "age": range(40),
    })  # fmt: skip
    model = lambda d: d["age"] + d["mail"].str.len()  # noqa: E731 - of the user's
    return aios.explain(model, frame.head(6), background=frame, lime=False, cache=False, budget=20)


def test_personal_data_of_single_rows_is_replaced_in_all_that_leaves(tmp_path: Path) -> None:
    ex = people()
    for page in (
        ex.to_html(raw=True),
        ex.to_json(raw=True),
        ex.save(tmp_path / "a.json", raw=True).read_text(),
    ):
        assert "@example.com" not in page
        assert "4111111111111111" not in page
    back = explain.load(ex.save(tmp_path / "a.zip", raw=True))
    assert back.frame is not None
    assert back.frame["mail"].str.startswith("email_").all()
    assert back.frame["card"].isna().all()  # a column of numbers stays one
    assert back.frame["age"].tolist() == ex.frame["age"].tolist()
    assert ex.frame["mail"].iloc[0] == "person0@example.com"


def test_personal_data_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    ex = people()
    back = explain.load(ex.save(tmp_path / "a.zip", raw=True, redact=False))
    assert back.frame is not None
    assert back.frame["mail"].tolist() == ex.frame["mail"].tolist()
    assert "person0@example.com" in ex.save(tmp_path / "a.json", raw=True, redact=False).read_text()
