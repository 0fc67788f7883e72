"""The products generator: same seed, same bytes; a shop's gaps, duplicates, odd formats and hostile text included."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import string
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.samples import _products_words as words
from aios_workbench.samples import products

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return products.generate(4_000, seed=1)


def test_same_seed_same_bytes_on_every_machine() -> None:
    digest = hashlib.sha256(products.to_csv(200, seed=7)).hexdigest()
    # Changes only with the generator itself; then say so in the changelog.
    assert digest == "7bcd68919b23dcc2126ad1eeb0dd9a5c03bf5b5bdfb1bf050e9acd18255baff9"
    assert products.to_csv(200, seed=8) != products.to_csv(200, seed=7)


def test_more_rows_only_add_rows() -> None:
    assert products.to_csv(300).startswith(products.to_csv(100))


def test_frame_file_and_command_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aios_workbench.samples.products", "--rows", "50", "--seed", "3"]
    by_command = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    by_file = products.write(tmp_path / "deep" / "products.csv", 50, seed=3).read_bytes()
    assert by_command == by_file == products.to_csv(50, seed=3)


def test_every_text_survives_the_file(many: pd.DataFrame) -> None:
    read = list(csv.DictReader(io.StringIO(products.to_csv(4_000, seed=1).decode(), newline="")))
    for column in ("name", "description", "specifications"):
        assert [row[column] for row in read] == many[column].tolist()


def test_fields_are_missing_as_often_as_said(many: pd.DataFrame) -> None:
    assert list(many.columns) == list(products.COLUMNS)
    assert many["product_id"].is_unique
    assert 0.1 < many["category"].eq("").mean() < 0.15
    assert 0.25 < many["brand"].eq("").mean() < 0.38
    assert set(many["true_category"]) == set(products.CATEGORIES)
    given = many[many["category"].ne("")]
    assert 0.02 < given["category"].ne(given["true_category"]).mean() < 0.04
    named = many["brand"].ne("")
    assert many.loc[named, "brand"].eq(many.loc[named, "true_brand"]).all()


def test_some_are_there_twice_under_another_number(many: pd.DataFrame) -> None:
    again = many[many["same_as"].ne("")]
    assert 0.03 < len(again) / len(many) < 0.05
    first = many.set_index("product_id").loc[again["same_as"]].reset_index()
    assert first["same_as"].eq("").all(), "named is always the first of them"
    for column in ("true_category", "true_brand"):
        assert again[column].tolist() == first[column].tolist()
    assert (again["price"].astype(float).to_numpy() <= first["price"].astype(float).to_numpy()).all()


def test_particulars_come_in_three_forms_and_some_in_none(many: pd.DataFrame) -> None:
    kinds = many["specifications"].map(
        lambda t: "hash" if t.startswith('{"product_spec') else "json" if t.startswith("{") else "lines"
    )
    assert kinds.value_counts(normalize=True).min() > 0.15

    def readable(text: str) -> bool:
        try:
            json.loads(text.replace("=>", ":"))
        except ValueError:
            return False
        return True

    broken = ~many.loc[kinds.ne("lines"), "specifications"].map(readable)
    assert 0 < broken.mean() < 0.02


def test_hostile_text_is_in_it(many: pd.DataFrame) -> None:
    everything = "".join(many["name"] + many["description"]).casefold()
    for text in (
        "<img src=x onerror=",
        "drop table",
        "=hyperlink(",
        "ignore what was said",
        "\u202e",
        "\u200b",
    ):
        assert text in everything


def test_no_slot_is_left_open() -> None:
    known = {"brand", "look", "colour", "material", "size", "thing", "who", "says", "more", "category"}
    texts = [
        *words.NAMES,
        *words.DESCRIPTIONS,
        *words.VAGUE_NAMES,
        *words.VAGUE,
        *words.HOSTILE,
        *words.BROKEN,
    ]
    assert {slot for t in texts for _, slot, _, _ in string.Formatter().parse(t) if slot is not None} <= known


@pytest.mark.parametrize(("rows", "seed"), [(-1, 7), (1.5, 7), (True, 7), (10, -1), (10, "7")])
def test_refused(rows: object, seed: object) -> None:
    with pytest.raises(ParameterError, match=r"samples\.products: (rows|seed) is"):
        products.generate(rows, seed)  # type: ignore[arg-type]
