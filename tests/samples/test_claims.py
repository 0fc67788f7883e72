"""The claims generator: same seed, same bytes; the real file's schema and shape; learnable labels."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.samples import claims

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "insurance_claims.csv"
real = pytest.mark.skipif(not REAL.exists(), reason="needs shared data: insurance_claims.csv")


def test_same_seed_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256(claims.to_csv(200, seed=7)).hexdigest()
    # Changes only with the generator itself; then say so in the changelog.
    assert digest == "2ffdc521f4e1d5c6aa3ade373f86246f5c7d51d2233b628fe69ca27b652efd73"
    assert claims.to_csv(200, seed=8) != claims.to_csv(200, seed=7)


def test_more_rows_only_add_rows() -> None:
    assert claims.to_csv(300).startswith(claims.to_csv(100))


def test_frame_file_and_command_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aios_workbench.samples.claims", "--rows", "50", "--seed", "3"]
    by_command = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    by_file = claims.write(tmp_path / "deep" / "claims.csv", 50, seed=3).read_bytes()
    assert by_command == by_file == claims.to_csv(50, seed=3)
    read = pd.read_csv(tmp_path / "deep" / "claims.csv", keep_default_na=False, na_values={"_c39": [""]})
    pd.testing.assert_frame_equal(read, claims.generate(50, seed=3), check_dtype=False)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["claims.csv"]


def test_numbers_are_unique_parts_add_up_and_policies_are_plausible() -> None:
    frame = claims.generate(5_000, seed=1)
    assert frame["policy_number"].is_unique
    parts = frame[["injury_claim", "property_claim", "vehicle_claim"]].sum(axis=1)
    assert (parts == frame["total_claim_amount"]).all()
    assert frame["total_claim_amount"].gt(0).all()
    assert (frame["collision_type"].eq("?") == ~frame["incident_type"].str.endswith("Collision")).all()
    assert frame["number_of_vehicles_involved"].between(1, 4).all()
    assert frame["incident_hour_of_the_day"].between(0, 23).all()


def test_contacts_are_an_option_and_invented() -> None:
    plain, more = claims.generate(30), claims.generate(30, contacts=True)
    pd.testing.assert_frame_equal(more[list(claims.COLUMNS)], plain)
    assert list(more.columns[-3:]) == list(claims.CONTACT_COLUMNS)
    assert more["insured_email"].str.endswith("@example.com").all()
    assert more["insured_phone"].str.match(r"\(\d{3}\) 555-01\d\d$").all()


@pytest.mark.parametrize(("rows", "seed"), [(-1, 7), (1.5, 7), (True, 7), (10, -1), (10, "7")])
def test_wrong_arguments_are_refused(rows: int, seed: int) -> None:
    with pytest.raises(ParameterError, match="whole number"):
        claims.generate(rows, seed)


def test_no_rows_is_a_header() -> None:
    assert claims.generate(0).shape == (0, 40)
    assert claims.to_csv(0).count(b"\n") == 1


@real
def test_schema_is_the_real_files() -> None:
    theirs = pd.read_csv(REAL)
    ours = pd.read_csv(io.BytesIO(claims.to_csv(1000)))
    assert list(ours.columns) == list(theirs.columns)
    assert ours.dtypes.to_dict() == theirs.dtypes.to_dict()
    for column in theirs.columns:
        if theirs[column].nunique() <= 50 and theirs[column].dtype.kind not in "if":
            assert set(ours[column].dropna()) <= set(theirs[column].dropna()), column


@real
def test_marginals_are_close_to_the_real_files() -> None:
    theirs, ours = pd.read_csv(REAL), claims.generate(20_000, seed=5)
    for column in theirs.select_dtypes("number").columns.drop(["policy_number", "_c39"]):
        spread = theirs[column].std()
        assert abs(ours[column].mean() - theirs[column].mean()) < 0.12 * spread, column
        assert 0.85 < ours[column].std() / spread < 1.15, column
    ours["f"], theirs["f"] = ours["fraud_reported"].eq("Y"), theirs["fraud_reported"].eq("Y")
    assert abs(ours["f"].mean() - theirs["f"].mean()) < 0.02
    for severity, rate in theirs.groupby("incident_severity")["f"].mean().items():
        assert abs(ours.loc[ours["incident_severity"].eq(severity), "f"].mean() - rate) < 0.05, severity
    assert abs(np.corrcoef(ours["age"], ours["months_as_customer"])[0, 1] - 0.92) < 0.03


def test_a_model_learns_more_than_chance() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    frame = claims.generate(1500, seed=2)
    x = pd.get_dummies(frame[["incident_severity", "insured_hobbies", "witnesses"]])
    y = frame["fraud_reported"].eq("Y")
    model = LogisticRegression(max_iter=1000).fit(x[:1000], y[:1000])
    assert roc_auc_score(y[1000:], model.predict_proba(x[1000:])[:, 1]) > 0.75
