"""`aios secrets`: what is needed, whether it is there, never a value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from conftest import Project

FLOW = """
import aios_workbench as aios
crm = aios.Workflow("crm")

@crm.step(secrets={"token": "CRM_TOKEN", "pin": "THE_PIN"})
def asks(token, pin):
    return len(token)
"""


def test_secrets(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_SECRETS", "/nowhere")
    monkeypatch.setenv("AIOS_SECRET_CRM_TOKEN", "hush-hush")
    monkeypatch.setenv("THE_PIN", "987654")
    project("run", "flows.py:hello")
    assert "no secrets needed" in project("secrets").stdout
    Path("crm.py").write_text(FLOW)
    project("run", "crm.py:crm")
    assert project.json("secrets", "crm") == project.json("secrets")
    monkeypatch.delenv("THE_PIN")
    shown = project("secrets", "crm", code=1).stdout
    assert "missing" in shown
    assert "AIOS_SECRET_CRM_TOKEN" in shown
    assert "hush-hush" not in shown
    assert project.json("secrets", code=1)["missing"] == ["THE_PIN"]
    assert "did you mean 'crm'" in project.error("secrets", "crmm", code=3)
