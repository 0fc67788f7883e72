"""Secrets: where they are looked for, and that nothing keeps one."""

from __future__ import annotations

import base64
import json
import sys
import types
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import SecretExposed, SecretMissing
from aios_workbench.govern import secrets

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("AIOS_SECRETS", str(folder))
    for name in ("AIOS_SECRET_CRM_TOKEN", "CRM_TOKEN", "crm.token"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)
    return folder


def test_the_chain(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SecretMissing) as e:
        secrets.resolve("CRM_TOKEN")
    for place in (
        "variable AIOS_SECRET_CRM_TOKEN",
        "variable CRM_TOKEN",
        f"file {nowhere}/CRM_TOKEN",
        "keyring",
    ):
        assert place in str(e.value)
    assert secrets.find("CRM_TOKEN") is None
    keyring = types.ModuleType("keyring")
    fail = types.ModuleType("keyring.backends.fail")
    fail.Keyring = type("Keyring", (), {})  # type: ignore[attr-defined]
    keyring.get_keyring = object  # type: ignore[attr-defined]
    keyring.get_password = lambda service, name: f"ring {service} {name}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.backends.fail", fail)
    assert secrets.resolve("CRM_TOKEN") == "ring aios CRM_TOKEN"
    keyring.get_keyring = fail.Keyring  # type: ignore[attr-defined]
    assert secrets.find("CRM_TOKEN") is None
    (nowhere / "CRM_TOKEN").write_text("from the file\n")
    assert secrets.resolve("CRM_TOKEN") == "from the file"
    monkeypatch.setenv("CRM_TOKEN", "plain")
    assert secrets.resolve("CRM_TOKEN") == "plain"
    monkeypatch.setenv("AIOS_SECRET_CRM_TOKEN", "ours")
    assert secrets.resolve("CRM_TOKEN") == "ours"
    assert secrets.resolve("crm.token") == "ours"
    assert secrets.find("crm.token") == "environment variable AIOS_SECRET_CRM_TOKEN"


def test_an_empty_value_is_none(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "")
    (nowhere / "CRM_TOKEN").mkdir()
    with pytest.raises(SecretMissing):
        secrets.resolve("CRM_TOKEN")


@given(st.text(min_size=8, max_size=40), st.binary(max_size=7), st.binary(max_size=7))
def test_no_form_of_a_secret_gets_through(value: str, before: bytes, after: bytes) -> None:
    mask = secrets.Mask({"T": value})
    raw = value.encode("utf-8", "surrogatepass")
    inner = base64.b64encode(raw).decode().rstrip("=")[2:-2]
    for text in (
        value, repr(value), json.dumps({"k": value}), json.dumps([value], ensure_ascii=False),
        quote(value, errors="replace"),
        quote(value, safe="", errors="replace"), quote_plus(value, errors="replace"), raw.hex(),
        base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(),
    ):  # fmt: skip
        shown = mask.text(f"a{text}b")
        assert "[secret T]" in shown
        assert len(shown) <= len("a'' [\"k\": {}]b") + 2 * len("[secret T]") + 4
    within = base64.b64encode(before + raw + after).decode()
    assert "[secret T]" in mask.text(within)
    if not before:
        assert inner not in mask.text(within)
    with pytest.raises(SecretExposed, match="the secret 'T'"):
        mask.refuse(before + raw + after)


def test_masking_of_data_and_of_many_lines() -> None:
    key = "-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----\n"
    mask = secrets.Mask({"KEY": key, "PIN": "1234", "LONG": "1234567890"})
    assert mask.data({"a": [key, ("mnopqrstuvwx", 1)], "1234": None}) == {
        "a": ["[secret KEY]", ["[secret KEY]", 1]], "[secret PIN]": None,
    }  # fmt: skip
    assert mask.text("1234567890 1234") == "[secret LONG] [secret PIN]"
    mask.refuse(b"1234 is too short to look for in a table of numbers")
    assert secrets.Mask({}).text("all stays") == "all stays"
