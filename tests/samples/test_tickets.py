"""The tickets generator: same seed, same bytes; a help desk's shape, duplicates and hostile text included."""

from __future__ import annotations

import csv
import hashlib
import io
import string
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.samples import _tickets_words as words
from aios_workbench.samples import tickets


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return tickets.generate(4_000, seed=1)


def test_same_seed_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256(tickets.to_csv(200, seed=7)).hexdigest()
    # Changes only with the generator itself; then say so in the changelog.
    assert digest == "14ad8aaf1cf603545d6b3b4d1198f6ba2abee026008394418df8527bc135bb23"
    assert tickets.to_csv(200, seed=8) != tickets.to_csv(200, seed=7)


def test_more_rows_only_add_rows() -> None:
    assert tickets.to_csv(300).startswith(tickets.to_csv(100))


def test_frame_file_and_command_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aios_workbench.samples.tickets", "--rows", "50", "--seed", "3"]
    by_command = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    by_file = tickets.write(tmp_path / "deep" / "tickets.csv", 50, seed=3).read_bytes()
    assert by_command == by_file == tickets.to_csv(50, seed=3)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["tickets.csv"]


def test_every_text_survives_the_file(many: pd.DataFrame) -> None:
    read = list(csv.DictReader(io.StringIO(tickets.to_csv(4_000, seed=1).decode(), newline="")))
    for column in ("subject", "body", "answer"):
        assert [row[column] for row in read] == many[column].tolist()


def test_tickets_come_in_order_with_numbers_of_their_own(many: pd.DataFrame) -> None:
    assert list(many.columns) == list(tickets.COLUMNS)
    assert many["ticket_id"].is_unique
    assert pd.to_datetime(many["created_at"]).is_monotonic_increasing
    assert many["minutes"].between(1, 60).all()
    assert many["answer"].str.len().gt(40).all()


def test_labels_are_known_and_mostly_follow_from_what_was_asked(many: pd.DataFrame) -> None:
    assert set(many["resolution"]) == set(tickets.RESOLUTIONS)
    assert set(many["intent"]) == set(words.KINDS)
    usual = many["intent"].map({name: kind.resolution for name, kind in words.KINDS.items()})
    assert 0.94 < usual.eq(many["resolution"]).mean() < 0.98


def test_some_are_sent_twice_with_the_same_words(many: pd.DataFrame) -> None:
    again = many.duplicated(["customer_email", "subject", "body"])
    assert 0.01 < again.mean() < 0.03


def test_hostile_text_is_in_it(many: pd.DataFrame) -> None:
    everything = "".join(many["body"])
    for text in (
        "<img src=x onerror=",
        "DROP TABLE",
        "=HYPERLINK(",
        "Ignore all previous",
        "{7*7}",
        "\u202e",
        "\0",
    ):
        assert text in everything
    assert many["body"].str.len().max() > 500


def test_people_put_their_addresses_into_the_text(many: pd.DataFrame) -> None:
    assert many["customer_email"].str.endswith("@example.com").all()
    assert 0.05 < many["body"].str.contains("@example.com").mean() < 0.3
    assert many["body"].str.contains(r"\(\d{3}\) 555-01\d\d").any()
    named = [name in answer for name, answer in zip(many["customer_name"], many["answer"], strict=True)]
    assert 0.4 < sum(named) / len(named) < 0.9


def test_what_needs_a_box_is_never_about_storage(many: pd.DataFrame) -> None:
    boxed = many["intent"].isin([name for name, kind in words.KINDS.items() if kind.boxed])
    assert "Nimbus storage" not in set(many.loc[boxed, "product"])
    assert "Nimbus storage" in set(many.loc[~boxed, "product"])


def test_no_slot_is_left_open() -> None:
    known = {
        "name",
        "first",
        "email",
        "phone",
        "thing",
        "order",
        "money",
        "days",
        "hours",
        "few",
        "percent",
        "code",
    }
    texts = [*words.OPENINGS, *words.AROUND, *words.CLOSINGS, *words.GREETINGS, *words.VAGUE, *words.HOSTILE]
    texts += [t for kind in words.KINDS.values() for t in (*kind.says, kind.answer)]
    assert {slot for t in texts for _, slot, _, _ in string.Formatter().parse(t) if slot is not None} <= known


@pytest.mark.parametrize(("rows", "seed"), [(-1, 7), (1.5, 7), (True, 7), (10, -1), (10, "7")])
def test_wrong_arguments_are_refused(rows: int, seed: int) -> None:
    with pytest.raises(ParameterError, match="whole number"):
        tickets.generate(rows, seed)


def test_no_rows_is_a_header() -> None:
    assert tickets.generate(0).shape == (0, len(tickets.COLUMNS))
    assert tickets.to_csv(0).count(b"\n") == 1
