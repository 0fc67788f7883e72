"""Redaction: what has a form is found, what only looks like it is not, and joins survive."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench import govern
from aios_workbench.errors import ParameterError, WorkspaceError
from aios_workbench.govern.pseudonyms import KEY_FILE
from aios_workbench.workspace.home import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"k" * 32


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path / ".aios")
    yield space
    space.close()


def kinds(text: str) -> list[str]:
    return [f.kind for f in govern.redact(text, key=KEY).report]


@pytest.mark.parametrize(
    ("kind", "text", "secret"),
    [
        ("email", "mail ada.lovelace+x@mail.example.co.uk.", "ada"),
        ("email", "<b>bob@example.com</b>", "bob"),
        ("email", "jürgen@müller.de", "müller"),
        ("email", "b\u200bob@exam\u200bple.com", "ob"),
        ("email", "a" * 200 + "@example.com", "example"),
        ("email", "x@y@bob-example.com", "bob"),
        ("phone", "call +49 171 1234567 now", "1234567"),
        ("phone", "call 0049 171 1234567", "1234567"),
        ("phone", "call (212) 555-0100", "0100"),
        ("phone", "call 212-555-0100 or", "0100"),
        ("phone", "Tel. 030/1234567", "1234567"),
        ("phone", "ring 020 7946 0958", "0958"),
        ("phone", "+٤٩ ١٧١ ١٢٣٤٥٦٧", "٤٥٦٧"),  # noqa: RUF001 - the digits of another script
        ("iban", "to DE89 3704 0044 0532 0130 00 AND MORE", "3704"),
        ("iban", "gb82west12345698765432", "west"),
        ("iban", "NL91ABNA0417164300,", "ABNA"),
        ("card", "4111 1111 1111 1111", "1111"),
        ("card", "card 5500-0000-0000-0004!", "0004"),
        ("card", "amex 378282246310005", "8282"),
        ("ssn", "ssn 123-45-6789", "6789"),
        ("ip", "from 192.168.1.10.", "192"),
        ("ip", "from 2001:db8::8a2e:370:7334 on", "2001"),
    ],
)
def test_personal_data_is_found(kind: str, text: str, secret: str) -> None:
    clean, report = govern.redact(text, key=KEY)
    assert [f.kind for f in report] == [kind]
    assert secret not in clean
    assert f"{kind}_" in clean


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # fails its check digit
        "1234567890123452",  # passes it, but no issuer starts with 1
        "41111111111111111",  # Visa has no 17 digits
        "0000 0000 0000 0000",
        "1763640000000",  # a time in milliseconds
        "DE89370400440532013001",  # wrong check digits
        "US64SVBKUS6S3300958879",  # no such country in the registry
        "000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000",
        "2015-01-25", "01-01-2015 12:30", "12:30:45", "2015-01-25T10:11:12.123456",
        "999.1.1.1", "1.2.3", "250/500", "100/300", "71610", "1,234,567.89", "-1000000", "1406.91",
        "9935 4th Drive", "std::vector", "@home", "a@b", "me at example dot com", "3.14159265358979", "",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479", "d41d8cd98f00b204e9800998ecf8427e",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert govern.redact(text, key=KEY).data == text


def test_few_random_numbers_pass_for_cards() -> None:
    rng = np.random.default_rng(1)
    numbers = ["".join(map(str, row)) for row in rng.integers(0, 10, (20_000, 16))]
    assert 0.08 < np.mean([govern.luhn(n) for n in numbers]) < 0.12  # the check digit alone
    assert np.mean([govern.is_card(n) for n in numbers]) < 0.04  # with issuer and length


def test_spellings_of_one_value_get_one_pseudonym() -> None:
    for spellings in (
        ["ADA@example.com", "ada@EXAMPLE.com"],
        ["+1 (212) 555-0100", "212-555-0100", "001 212 555 0100"],
        ["DE89370400440532013000", "de89 3704 0044 0532 0130 00"],
        ["4111-1111-1111-1111", "4111111111111111"],
        ["2001:db8:0:0::1", "2001:DB8::1"],
    ):
        assert len({govern.redact(s, key=KEY).data for s in spellings}) == 1, spellings
    assert govern.redact("a@b.com", key=KEY).data != govern.redact("a@b.com", key=b"j" * 32).data


def test_a_frame_keeps_its_joins_and_its_other_columns() -> None:
    left = pd.DataFrame(
        {
            "customer_email": ["a@x.com", "b@x.com", None, "a@x.com"],
            "Full Name": ["Ada L", "Bob", "Cy", "Ada  l"],
            "phone": [2125550100, 2125550101, 2125550102, 2125550103],
            "amount": [1.0, 2.0, 3.0, 4.0],
            "note": ["ring 212-555-0100", "from 10.0.0.1", "nothing", None],
            "policy_number": [1, 2, 3, 1],
        }
    )
    before = left.copy(deep=True)
    clean, report = govern.redact(left, key=KEY, columns={"policy_number": "policy"})
    pd.testing.assert_frame_equal(left, before)
    right = govern.redact(pd.DataFrame({"email": ["b@x.com"], "city": ["Rome"]}), key=KEY).data
    joined = clean.merge(right, left_on="customer_email", right_on="email", how="left")
    assert joined["city"].tolist()[1] == "Rome"
    assert clean["Full Name"][0] == clean["Full Name"][3]
    assert clean["phone"][0] in clean["note"][0], "a number and its text spelling agree"
    assert clean["policy_number"].tolist()[0].startswith("policy_")
    assert clean["policy_number"][0] == clean["policy_number"][3]
    assert clean["customer_email"].isna().tolist() == [False, False, True, False]
    assert clean["amount"].tolist() == [1, 2, 3, 4]
    assert {(f.column, f.kind, f.how, f.cells) for f in report} == {
        ("customer_email", "email", "name", 3), ("Full Name", "name", "name", 4),
        ("phone", "phone", "name", 4), ("note", "phone", "pattern", 1), ("note", "ip", "pattern", 1),
        ("policy_number", "policy", "name", 4),
    }  # fmt: skip
    assert pd.DataFrame(report).shape == (6, 5)


def test_index_labels_categories_numbers_and_nested_values_are_cleaned() -> None:
    frame = pd.DataFrame(
        {
            "bob@example.com": [1, 2],
            "card": [4111111111111111, 1234567890123456],
            "who": pd.Categorical(["ann@example.com", "x"]),
            "deep": [{"to": ["cy@example.com"]}, None],
        },
        index=pd.Index(["dee@example.com", "y"], name="key"),
    )
    clean, report = govern.redact(frame, key=KEY)
    everything = clean.to_csv() + repr(clean["deep"].tolist())
    assert "@" not in everything
    assert "4111111111111111" not in everything
    assert "1234567890123456" in everything
    assert {f.column for f in report} == {"(column labels)", "card", "who", "deep", "key"}
    multi = frame.set_index("who", append=True)
    assert "@" not in govern.redact(multi, key=KEY).data.to_csv()


def test_a_frame_without_personal_data_is_the_same_frame() -> None:
    frame = pd.DataFrame(
        {"a": [1, 2], "b": ["x", None], "t": pd.to_datetime(["2015-01-01", None]), "file_name": ["p", "q"]}
    )
    clean, report = govern.redact(frame, key=KEY)
    pd.testing.assert_frame_equal(clean, frame)
    assert report == []
    empty = pd.DataFrame({"email": []})
    pd.testing.assert_frame_equal(govern.redact(empty, key=KEY).data, empty)


def test_duplicate_and_hostile_column_labels() -> None:
    frame = pd.DataFrame([["a@x.com", "Ann", 1, "<script>"]], columns=["c", "c", "<img onerror=x>", "na\0me"])
    clean, report = govern.redact(frame, key=KEY)
    assert clean.iloc[0, 0].startswith("email_")
    assert clean.iloc[0, 1:].tolist() == ["Ann", 1, "<script>"]
    assert len(report) == 1


def test_options() -> None:
    frame = pd.DataFrame({"name": ["Ann"], "note": ["a@x.com 10.0.0.1"]})
    assert govern.redact(frame, key=KEY, skip=["name"]).data["name"][0] == "Ann"
    assert "10.0.0.1" in govern.redact(frame, key=KEY, kinds=["email"]).data["note"][0]
    assert govern.redact(frame, key=KEY, kinds=["email"]).data["name"][0] == "Ann"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: govern.redact("x", key=KEY, kinds=["emial"]), "did you mean 'email'"),
        (lambda: govern.redact("x", key=b"short"), "at least 16"),
        (lambda: govern.redact(7, key=KEY), "not int"),
        (lambda: govern.redact(pd.DataFrame({"name": []}), key=KEY, skip=["nmae"]), "did you mean 'name'"),
        (lambda: govern.redact(pd.DataFrame({"a": []}), key=KEY, columns={"a": "No Good"}), "lower-case"),
        (lambda: govern.redact("x", key=KEY, skip=["a"]), "data frames"),
    ],
)
def test_wrong_calls_say_what_to_do(call: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        call()


@given(st.text() | st.from_regex(r"[\d @.+a-f:/()-]{0,60}"))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = govern.redact(text, key=KEY).data
    assert govern.redact(once, key=KEY).data == once


@pytest.mark.parametrize(
    "piece", ["a", "1", "a@", "b.", "1.", "1:", "a::", "+1", "DE", "1 ", "0-", "@.", "(", "::"]
)
def test_no_text_takes_long(piece: str) -> None:
    start = time.perf_counter()
    govern.redact(piece * (200_000 // len(piece)), key=KEY)
    govern.redact("a@" + piece * (200_000 // len(piece)), key=KEY)
    assert time.perf_counter() - start < 5, "quadratic time would take minutes"


def test_the_key_is_private_stable_and_refused_when_open(ws: Workspace) -> None:
    key = govern.pseudonym_key(ws)
    path = ws.root / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert govern.pseudonym_key(ws) == key
    first = govern.redact("a@x.com", ws=ws).data
    assert govern.redact("a@x.com", ws=ws).data == first
    if os.name == "posix":
        path.chmod(0o644)
        with pytest.raises(WorkspaceError, match="chmod 600"):
            govern.pseudonym_key(ws)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="damaged"):
        govern.pseudonym_key(ws)


def _key(root: str, out: Any) -> None:
    space = Workspace(Path(root))
    out.put(govern.pseudonym_key(space))
    space.close()


def test_processes_that_start_together_agree_on_the_key(ws: Workspace) -> None:
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    processes = [context.Process(target=_key, args=(str(ws.root), out)) for _ in range(4)]
    for p in processes:
        p.start()
    keys = {out.get(timeout=60) for _ in processes}
    for p in processes:
        p.join(30)
    assert keys == {govern.pseudonym_key(ws)}


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("E-Mail", "email"), ("customerEmail", "email"), ("contact_phone", "phone"), ("Mobile No", "phone"),
        ("first name", "name"), ("insured_name", "name"), ("policyholder", "name"), ("SSN", "ssn"),
        ("ip_address", "ip"), ("IBAN", "iban"), ("card_number", "card"), ("file_name", None),
        ("product_name", None), ("column_name", None), ("policy_number", None), ("insured_hobbies", None),
        ("age", None), (7, None), ("name" * 50, None), ("", None),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names(label: object, kind: str | None) -> None:
    assert govern.kind_of_column(label) == kind
