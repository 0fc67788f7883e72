"""A job whose notebook asks for a model card is not promoted while a required section is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fake_explain
import pytest

import aios_workbench as aios
from aios_workbench.errors import JobError
from aios_workbench.promote.checks import Finding, check, require
from aios_workbench.promote.spec import JobSpec

Write = Callable[..., Path]
WHOLE: dict[str, Any] = {
    "name": "claims", "purpose": "Sorts claims.", "data": "claims of 2026", "metrics": {"auc": (0.9, 0.8, 0.95)},
    "slices": "none is worse", "drift": "not drifted in May", "limits": "not for life insurance", "pictures": (),
}  # fmt: skip
ASKS = 'card = aios.model_card(model, purpose="x")\ncard.save("out/card.md")'


def found(path: Path, **options: Any) -> list[Finding]:
    findings = check(path, JobSpec(name="n", notebook=str(path), **options))
    return [f for f in findings if f.code.startswith("card")]


def fine() -> Any:
    ex = fake_explain.explanation(rows=20)
    ex.data.checks = [c for c in ex.data.checks if c.level != "fail"]
    return ex


@pytest.mark.parametrize("option", [False, True])
def test_a_missing_card_and_a_missing_section_stop_the_promotion(write: Write, option: bool) -> None:
    path = write("n.ipynb", "x = 1" if option else ASKS)
    more = {"card": "out/card.md"} if option else {}
    (gone,) = found(path, **more)
    assert (gone.severity, gone.code) == ("error", "card")
    assert "run the notebook" in gone.fix
    assert (gone.cell is None) == option
    to = path.parent / "out" / "card.md"
    for lost in ("purpose", "data", "metrics", "slices", "drift", "limits", "explanation"):
        parts = {**WHOLE, "explanation": fine()}
        parts.pop(lost)
        aios.model_card(**parts).save(to)
        (finding,) = [f for f in found(path, **more) if f.severity == "error"]
        assert f"says nothing of {lost}" in finding.message
        with pytest.raises(JobError, match=f"cannot be promoted.*\n.*nothing of {lost}"):
            require(found(path, **more))
    aios.model_card(**WHOLE, explanation=fine()).save(to)
    assert found(path, **more) == []


def test_a_card_changed_by_hand_is_no_card(write: Write) -> None:
    path = write("n.ipynb", ASKS)
    to = aios.model_card(**{**WHOLE, "limits": ""}, explanation=fine()).save(path.parent / "out" / "card.md")
    twin = to.with_suffix(".json")
    twin.write_text(twin.read_text().replace('"limits": []', '"limits": ["none"]'))
    (finding,) = found(path)
    assert (finding.severity, "changed after it was written" in finding.message) == ("error", True)


def test_red_checks_and_drift_are_told(write: Write) -> None:
    path = write("n.ipynb", ASKS)
    card = aios.model_card(**WHOLE, explanation=fake_explain.explanation(rows=20))
    assert card.data.drift is not None
    card.data.drift.drifted = True
    card.save(path.parent / "out" / "card.md")
    assert [(f.severity, f.code) for f in found(path)] == [("warning", "card-red"), ("warning", "card-drift")]
    assert "LIME's local fit" in found(path)[0].message


@pytest.mark.parametrize(("source", "codes"), [
    ("aios.model_card(m).save('card.md')", ["error"]),
    ("from aios_workbench import model_card\nc = model_card(m)", ["warning"]),
    ("c = aios.model_card(m)\nc.save(where)", ["warning"]), ("df.save('card.md')", []), ("x = 'model_card'", []),
])  # fmt: skip
def test_which_notebooks_ask_for_a_card(write: Write, source: str, codes: list[str]) -> None:
    assert [f.severity for f in found(write("n.ipynb", source)) if f.code == "card"] == codes
