"""The production notebooks, as a customer meets them: headless, with a person at the gate, on bad files.

`pytest notebooks tutorials` (nbval) runs them too; here is what they must have done.
"""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient.exceptions import CellExecutionError
from notebook_kit import CLAIMS, ROOT, SUPPORT, Executed, execute

from aios_workbench import govern
from aios_workbench.demo.source import notebook_workflow
from aios_workbench.explain import load_card
from aios_workbench.promote import NotebookParameters, check
from aios_workbench.samples import claims
from aios_workbench.workflow import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

LESSONS = sorted((ROOT / "tutorials").glob("*.ipynb"))
REAL = ROOT.parent / "shared" / "data" / "insurance_claims.csv"
KPIS = {
    "claims_decided_on", "claims_in_quarantine", "decided_automatically", "hours_saved", "false_positives",
    "false_negatives", "precision", "recall", "money_caught", "area_under_roc",
}  # fmt: skip


def figures(executed: Executed) -> dict[str, float]:
    """Check what must hold for any file and return the key figures."""
    run, ws = executed.run, executed.ws
    assert run.status == "succeeded"
    kpis: dict[str, float] = run.metrics
    assert kpis.keys() >= KPIS
    gate = ws.catalog.one("select * from gates")
    assert gate is not None
    assert (gate["step"], gate["status"], gate["decided_by"]) == ("review", "approved", "policy")
    audited = ws.catalog.query("select * from audit where subject = :s", s=f"{run.id}/review")
    assert [(a["actor"], a["action"]) for a in audited] == [("policy", "gate.approved")]
    assert govern.verify(ws) is None
    assert "key figure" in executed.text("results")
    routed = run["route"].output
    assert set(routed["route"]) <= {"pay", "siu", "hold"}
    assert routed["row"].is_unique
    assert len(routed) + len(run["quarantine"].output) == len(run["load"].output)
    assert routed["lane"].eq("review").mean() <= run.params["review_share"]
    assert set(routed.loc[routed["lane"].eq("review"), "decided_by"]) == {"policy"}
    redacted = run["redact"].output
    assert redacted["policy_number"].str.match(r"policy_[0-9a-f]{16}$").all()
    assert redacted["incident_location"].str.match(r"place_[0-9a-f]{16}$").all()
    card = load_card(ws.root / "cards" / "claims-triage.md")
    assert set(card.missing) <= {"approvals"}
    reasons = pd.read_parquet(ws.root / "cards" / "claims-triage.reasons.parquet")
    assert set(reasons["claim"]) <= set(routed["row"])
    assert reasons["reason_1"].str.len().min() > 5
    return kpis


def test_headless_on_made_up_claims(tmp_path: Path) -> None:
    kpis = figures(execute(tmp_path))
    assert kpis["decided_automatically"] == pytest.approx(0.85, abs=0.01)
    assert kpis["area_under_roc"] > 0.8
    assert 0.7 < kpis["recall"] <= 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [".aios"], "the notebook writes nowhere else"


@pytest.mark.skipif(not REAL.exists(), reason="needs shared data: insurance_claims.csv")
def test_headless_on_the_real_file(tmp_path: Path) -> None:
    executed = execute(tmp_path, {"path": str(REAL)})
    kpis = figures(executed)
    assert kpis["claims_decided_on"] == 998
    problems = " ".join(executed.run["quarantine"].output["problems"])
    assert "umbrella_limit is outside" in problems
    assert "the policy was bound after the incident" in problems
    assert kpis["area_under_roc"] > 0.8
    assert kpis["precision"] > 0.45, "a coin weighted with the share of fraud would have .25"
    assert kpis["recall"] > 0.7
    assert kpis["scored_by_rules"] == 0


def test_with_a_person_the_kernel_is_free_and_the_run_waits(tmp_path: Path) -> None:
    person = (
        "import time\n"
        "while run.status != 'waiting':\n"
        "    assert run.status in ('queued', 'running'), run.status\n"
        "    time.sleep(0.1)\n"
        "pile = aios.run(run.id)['triage'].output.query('lane == \"review\"')\n"
        "run.reject('review', reason='the assessor is ill')\n"
        "run.result()\n"
        "results(run)\n"
    )
    executed = execute(tmp_path, {"sample_rows": 250}, headless=False, more=person)
    assert "aios approve claims-triage-" in executed.text("wait")
    assert "run this cell again when it has succeeded" in executed.text("results")
    routed = executed.run["route"].output
    pile = routed[routed["lane"].eq("review")]
    assert len(pile) > 0
    assert set(pile["route"]) == {"hold"}, "nothing that was rejected is paid"
    assert not pile["decided_by"].eq("policy").any()
    gate = executed.ws.catalog.one("select * from gates")
    assert gate is not None
    assert gate["reason"] == "the assessor is ill"


def test_a_bad_file_with_contacts_few_labels_and_hostile_cells(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(claims.to_csv(90, seed=11, contacts=True).decode())))
    column = {name: i for i, name in enumerate(rows[0])}
    rows[5] = rows[5][:20]
    rows[6][column["age"]] = "=cmd|' /C calc'!A0"
    rows[7][column["incident_date"]] = "31/31/2015"
    rows[8][column["witnesses"]] = "-4"
    rows[9] = rows[10]
    rows[11][column["auto_make"]] = '<img src=x onerror="alert(1)">'
    for row in rows[20:]:
        row[column["fraud_reported"]] = ""  # open claims
    file = tmp_path / "mine.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as f:
        csv.writer(f).writerows(rows)
    executed = execute(tmp_path, {"path": "mine.csv"})  # as a person writes it: beside the notebook
    run = executed.run
    bad = run["quarantine"].output.set_index("row")["problems"]
    assert "too many or too few fields" in bad[6]
    assert "age is not a number (\"=cmd|' /C calc'!A0\")" in bad[7]
    assert "incident_date is not a month/day/year date" in bad[8]
    assert "witnesses is outside 0 to 50" in bad[9]
    assert "in the file already" in bad[11]
    assert 12 not in bad.index, "odd is not wrong"
    assert run["score"].answered_by == "by_rules"
    assert run.metrics["scored_by_rules"] == 1
    redacted = run["redact"].output
    everything = redacted.to_csv()
    assert "@example.com" not in everything
    assert "555-01" not in everything
    assert redacted["insured_name"].str.startswith("name_").all()
    html = next(c for c in executed.book.cells if c["id"] == "results").outputs
    assert not any("<img src=x" in o.get("data", {}).get("text/html", "") for o in html)


def test_the_wrong_file_stops_the_job_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,name\n1,chair\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="the file lacks the columns"):
        execute(tmp_path, {"path": "products.csv"})


def test_claims_that_drifted_too_far_stop_before_anybody_scores_them(tmp_path: Path) -> None:
    other = claims.generate(600, seed=21)
    for column in ("injury_claim", "property_claim", "vehicle_claim"):
        other[column] *= 2
    other["total_claim_amount"] = other[["injury_claim", "property_claim", "vehicle_claim"]].sum(axis=1)
    other = other.assign(incident_type="Hail", incident_severity="Total Loss", auto_make="Ford", witnesses=0)
    other.to_csv(tmp_path / "other.csv", index=False)
    first = execute(tmp_path, {"sample_rows": 600})
    said = first.ws.catalog.query("select text from logs where step = 'drift'")
    assert "the reference from now on" in " ".join(row["text"] for row in said)
    assert first.run["drift"].output.drifted is False
    with pytest.raises(CellExecutionError, match=r"the drift gate stays shut: .*30 % are allowed"):
        execute(tmp_path, {"path": "other.csv"})
    run = first.ws.catalog.one("select * from runs order by created_at desc limit 1")
    steps = first.ws.catalog.query("select step, status from steps where run_id = :r", r=run["run_id"])
    status = {row["step"]: row["status"] for row in steps}
    assert (status["drift"], status["redact"]) == ("failed", "succeeded")
    assert status["features"] == status["score"] == "skipped"


# ---------------------------------------------------------------- the steps, called as plain functions


@pytest.fixture(scope="module")
def step() -> Callable[[str], Callable[..., Any]]:
    workflow = notebook_workflow(CLAIMS)
    return lambda name: workflow.definition(name).fn


@pytest.fixture(scope="module")
def features(step: Callable[[str], Callable[..., Any]]) -> pd.DataFrame:
    frame = pd.read_csv(io.BytesIO(claims.to_csv(500, seed=3)), dtype="str", keep_default_na=False)
    frame.insert(0, "row", range(2, len(frame) + 2))
    frame["_fields"] = 0
    good = step("valid")(step("check")(frame))
    made: pd.DataFrame = step("features")(good)
    return made


def test_no_protected_attribute_reaches_the_model(features: pd.DataFrame) -> None:
    inputs = set(features.columns)
    assert not inputs & {"age", "fraud_reported", "incident_location", "insured_name"}
    assert {c for c in inputs if c.startswith("insured")} == {"insured_hobbies"}


def test_scores_do_not_leak_labels_and_are_calibrated(
    step: Callable[[str], Callable[..., Any]], features: pd.DataFrame
) -> None:
    from sklearn.metrics import roc_auc_score

    score = step("score")
    p = score(features)["p_fraud"]
    assert p.between(0, 1).all()
    assert abs(p.mean() - features["label"].mean()) < 0.04
    shuffled = features.assign(label=np.random.default_rng(0).permutation(features["label"]))
    noise = score(shuffled)["p_fraud"]
    assert 0.38 < roc_auc_score(shuffled["label"], noise) < 0.62, (
        "nothing to learn, so nothing must be learnt"
    )


def test_claims_without_an_outcome_are_scored_by_a_model_of_the_others(
    step: Callable[[str], Callable[..., Any]], features: pd.DataFrame
) -> None:
    open_claims = features.assign(label=features["label"].where(features.index >= 60))
    p = step("score")(open_claims)["p_fraud"]
    assert p.notna().all()
    major = features["incident_severity"].eq("Major Damage")
    assert p[:60][major[:60]].mean() > p[:60][~major[:60]].mean() + 0.2


def test_triage_caps_the_pile_and_prefers_the_doubtful(
    step: Callable[[str], Callable[..., Any]], features: pd.DataFrame
) -> None:
    n = len(features)
    score = pd.DataFrame({"row": features["row"], "p_fraud": np.linspace(0, 1, n), "scored_by": "model"})
    anomaly = pd.DataFrame({"row": features["row"], "unusual": np.linspace(1, 0, n)})
    out = step("triage")(features, score, anomaly, review_share=0.1, refer_at=0.6)
    pile = out[out["lane"].eq("review")]
    assert len(pile) == int(0.1 * n)
    usual = pile[~pile["unusual"].gt(0.99)]
    assert usual["p_fraud"].between(0.5, 0.7).all()
    assert len(pile) - len(usual) == (anomaly["unusual"] > 0.99).sum(), "the unusual ones go first"
    assert out.loc[out["lane"].eq("refer"), "p_fraud"].ge(0.6).all()
    assert not step("triage")(features, score, anomaly, review_share=0.0)["lane"].eq("review").any()
    with pytest.raises(ValueError, match="review_share"):
        step("triage")(features, score, anomaly, review_share=2.0)


@pytest.mark.parametrize(
    ("decision", "routes"),
    [
        (Decision(approved=True, by="ada", values={"decision": "investigate"}), {"siu"}),
        (Decision(approved=True, by="ada", values={"decision": "pay"}), {"pay"}),
        (Decision(approved=True, by="ada", values={"decision": "by score"}), {"siu", "pay"}),
        (Decision(approved=False, by="ada"), {"hold"}),
    ],
    ids=["investigate", "pay", "by score", "rejected"],
)
def test_the_reviewers_word_decides_the_pile_and_nothing_else(
    step: Callable[[str], Callable[..., Any]], decision: Decision, routes: set[str]
) -> None:
    lanes = pd.DataFrame(
        {
            "lane": ["approve", "refer", "review", "review"],
            "p_fraud": [0.1, 0.9, 0.4, 0.6],
            "why": "…",
            "total_claim_amount": 100,
        }
    )
    out = step("route")(lanes, decision)
    assert out["route"].tolist()[:2] == ["pay", "siu"]
    assert set(out["route"][2:]) == routes
    assert out["decided_by"].tolist() == ["workflow", "workflow", "ada", "ada"]


def test_figures_against_labels_are_what_one_counts_by_hand(
    step: Callable[[str], Callable[..., Any]],
) -> None:
    routed = pd.DataFrame(
        {
            "lane": ["approve", "approve", "refer", "refer", "review", "approve"],
            "route": ["pay", "pay", "siu", "siu", "siu", "pay"],
            "label": [0.0, 1.0, 1.0, 0.0, 1.0, None],
            "p_fraud": [0.1, 0.2, 0.9, 0.7, 0.5, 0.1],
            "total_claim_amount": [1, 10, 20, 5, 30, 7],
            "scored_by": "model",
        }
    )
    kpi = step("report")(routed, pd.DataFrame({"row": [1]}), minutes_per_claim=6.0).set_index("kpi")
    values = {name.split(" (")[0]: v for name, v in kpi["value"].items()}
    assert values["claims decided on"] == 6
    assert values["claims in quarantine"] == 1
    assert values["decided automatically"] == pytest.approx(5 / 6)
    assert values["hours saved"] == pytest.approx(0.5)
    assert (values["false positives"], values["false negatives"]) == (1, 1)
    assert values["precision"] == pytest.approx(1 / 2)
    assert values["recall"] == pytest.approx(2 / 3)
    assert values["money caught"] == pytest.approx(50 / 60)
    assert values["fraud money not paid"] == 50
    interval = kpi.loc["recall (fraud not paid)"]
    assert 0 <= interval["low"] <= interval["value"] <= interval["high"] <= 1


# ---------------------------------------------------------------- the files themselves


@pytest.mark.parametrize("path", [CLAIMS, SUPPORT, *LESSONS], ids=lambda p: p.stem)
def test_notebooks_are_kept_tidy(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert book.metadata.kernelspec.name == "python3"
    ids = [c["id"] for c in book.cells]
    assert len(set(ids)) == len(ids)
    code = [c for c in book.cells if c.cell_type == "code"]
    assert all(not c.outputs and c.execution_count is None for c in code)
    assert "widgets" not in book.metadata
    assert path.stat().st_size < 300_000


def test_pictures_of_lessons_are_those_of_the_docs() -> None:
    """They travel in the notebook, which people copy to where there is no docs/."""
    for path in LESSONS:
        for cell in nbformat.read(path, as_version=4).cells:
            for name, kept in cell.get("attachments", {}).items():
                assert base64.b64decode(kept["image/png"]) == (ROOT / "docs" / "images" / name).read_bytes()
                assert f"](attachment:{name})" in cell.source


def test_the_claims_notebook_can_be_promoted_with_typed_parameters() -> None:
    found = {p.name: p.type for p in NotebookParameters.of(CLAIMS)}
    assert found["path"] == "str"
    assert found["sample_rows"] == "int"
    assert found["review_share"] == "float"
    assert found["use_hobbies"] == "bool"
    assert [str(f) for f in check(CLAIMS) if f.severity == "error"] == []
