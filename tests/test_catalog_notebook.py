"""The catalogue notebook, as a customer meets it: headless, on hostile products, with particulars nobody can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from notebook_kit import CATALOG, ROOT, execute

from aios_workbench import govern
from aios_workbench.demo.source import notebook_workflow
from aios_workbench.promote import NotebookParameters, check
from aios_workbench.samples import products

Step = Callable[[str], Callable[..., Any]]
REAL = ROOT.parent / "shared" / "data" / "products.csv"
SMALL = {"sample_rows": 1200, "budget_seconds": 2.0, "dimensions": 48}


@pytest.fixture(scope="module")
def step() -> Step:
    workflow = notebook_workflow(CATALOG)
    return lambda name: workflow.definition(name).fn


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return products.generate(600, seed=5).astype("str")


@pytest.fixture(scope="module")
def tidy(step: Step, raw: pd.DataFrame) -> pd.DataFrame:
    made: pd.DataFrame = step("tidy")(step("check")(raw))
    return made


def read_all(step: Step, tidy: pd.DataFrame) -> list[Any]:
    told: list[Any] = []
    for row in tidy.to_dict("records"):
        try:
            told.append(step("particulars")(row))
        except (ValueError, TypeError):
            told.append(None)
    return told


@pytest.fixture(scope="module")
def attributes(step: Step, tidy: pd.DataFrame) -> pd.DataFrame:
    made: pd.DataFrame = step("attributes")(tidy, read_all(step, tidy))
    return made


@pytest.mark.slow
def test_headless_on_made_up_products(tmp_path: Path) -> None:
    executed = execute(tmp_path, {**SMALL, "out": "enriched.csv", "accept_at": 0.97}, notebook=CATALOG)
    run = executed.run
    assert run.status == "succeeded"
    kpis = run.metrics
    assert kpis["products"] + kpis["products_set_aside"] == 1200
    assert kpis["accuracy"] > 0.9
    assert kpis["brands_right"] > 0.95
    assert kpis["duplicates_precision"] > 0.8
    assert kpis["recall"] >= 0.9
    gate = executed.ws.catalog.one("select * from gates")
    assert gate is not None
    assert (gate["step"], gate["decided_by"]) == ("review", "policy")
    assert govern.verify(executed.ws) is None
    made = run["enriched"].output
    assert not made["category_from"].str.startswith("review").any(), "the policy's answer is the safe one"
    said = run["tidy"].output
    for field in ("category", "brand"):
        given = said[field].ne("")
        assert made.loc[given, field].tolist() == said.loc[given, field].tolist(), (
            "nothing said is overwritten"
        )
        assert made.loc[given, f"{field}_from"].eq("seller").all()
    letters = run["particulars"].dead_letters
    assert len(letters) == kpis["particulars_unread"] > 0
    assert {letter["status"] for letter in letters} == {"open"}
    written = pd.read_csv(tmp_path / "enriched.csv", dtype="str", keep_default_na=False)
    assert len(written) == len(made)
    assert not written.map(lambda text: text[:1] in {"=", "+", "@"}).any(axis=None), "no cell is a formula"
    assert "key figure" in executed.text("results")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".aios", "enriched.csv"], "it writes nowhere else"


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="needs shared data: products.csv")
def test_headless_on_a_real_shop(tmp_path: Path) -> None:
    run = execute(tmp_path, {"path": str(REAL), "levels": 1, "budget_seconds": 2.0}, notebook=CATALOG).run
    assert run.status == "succeeded"
    assert run.metrics["products"] == 999
    assert run.metrics["unread"] == 0
    assert run.metrics["categories_filled_in"] > 10
    assert "accuracy" not in run.metrics, "nobody knows"


def test_it_can_be_promoted_with_typed_parameters() -> None:
    found = {p.name: p.type for p in NotebookParameters.of(CATALOG)}
    assert found["path"] == found["out"] == "str"
    assert found["levels"] == found["sample_rows"] == "int"
    assert found["accept_at"] == found["same_at"] == "float"
    assert check(str(CATALOG)) == []


# ---------------------------------------------------------------- the steps, called as plain functions


def test_files_of_another_shop_and_empty_lines(step: Step, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text(
        "uniq_id,product_name,product_category_tree,brand,retail_price,description,product_specifications\n"
        'a,Blue Mug,"[""Kitchen >> Mugs >> Blue Mug""]",,99,For tea,\n,,,,,,\n'
    )
    frame = step("load")(path=str(file))
    assert frame["product_id"].tolist() == ["a"]
    assert step("tidy")(step("check")(frame))["category"].tolist() == ["Kitchen > Mugs"]
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"lacks the columns brand, category.*it has a, b"):
        step("load")(path=str(file))
    with pytest.raises(FileNotFoundError, match="check the parameter path"):
        step("load")(path=str(tmp_path / "none.csv"))


def test_bad_products_are_set_aside_with_a_reason(step: Step, raw: pd.DataFrame) -> None:
    frame = raw[:40].copy()
    frame.loc[0, "product_id"] = ""
    frame.loc[2, "product_id"] = frame.loc[1, "product_id"]
    frame.loc[3, ["name", "description"]] = ["\u200b", " \u0000 "]
    frame.loc[4, "price"] = "a lot"
    frame.loc[5, "price"] = "-3"
    frame.loc[6, "price"] = ""
    problems = step("check")(frame)["problems"]
    assert problems[problems.ne("")].to_dict() == {
        0: "has no product_id", 2: "its product_id is in the file already", 3: "says nothing",
        4: "its price is no amount", 5: "its price is no amount",
    }  # fmt: skip
    with pytest.raises(ValueError, match="the right file"):
        step("check")(frame.assign(price="?"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", {}),
        ('{"Color": "red", "Fabric": "wool", "Weight": "2 kg"}', {"colour": "red", "material": "wool"}),
        ("Colour: red\n\nPack of: 3\n", {"colour": "red", "pack": "3"}),
        ('{"product_specification"=>[{"key"=>"Size", "value"=>"M"}, {"value"=>"x"}]}', {"size": "M"}),
        ('{"product_specification"=>{"key"=>"Size", "value"=>nil}}', {}),
        ('{"Colour": 7}', {"colour": "7"}),
    ],
)
def test_particulars_are_read_however_they_are_written(step: Step, text: str, told: dict[str, str]) -> None:
    assert step("particulars")({"specifications": text}) == told


@pytest.mark.parametrize("text", ['{"Colour":', "[1]", "no colon", '{"Colour": {"a": 1}}'])
def test_particulars_that_cannot_be_read_are_refused(step: Step, text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        step("particulars")({"specifications": text})


def test_a_seller_who_changed_the_format_stops_the_run(step: Step, tidy: pd.DataFrame) -> None:
    told = [None if n % 5 == 0 else {} for n in range(len(tidy))]
    with pytest.raises(ValueError, match=r"20% of the products cannot be read.*dead letters"):
        step("attributes")(tidy, told)


def test_a_rule_for_brands_that_is_often_wrong_fills_in_nothing(step: Step, tidy: pd.DataFrame) -> None:
    good = step("brands")(tidy)
    assert good["brand_from"].eq("name").sum() > 50
    wrong = tidy.assign(brand=tidy["brand"].sample(frac=1, random_state=3).to_numpy())
    assert not step("brands")(wrong)["brand_from"].eq("name").any()


def test_twins_contradict_each_other_in_nothing(
    step: Step, tidy: pd.DataFrame, attributes: pd.DataFrame
) -> None:
    brands = step("brands")(tidy)
    near = pd.DataFrame({"row": [1, 2, 3], "other": [0, 1, 0], "likeness": [0.99, 0.99, 0.5]})
    same = attributes.copy()
    same.iloc[:4] = same.iloc[0].to_numpy()
    alike = brands.copy()
    alike.iloc[:4] = ["Kestrel", "seller"]
    priced = tidy.assign(price=100.0)
    first = step("twins")(priced, same, alike, near)
    assert first[:4].tolist() == [0, 0, 0, 3], "twins of twins have one first; too little alike is none"
    dearer = priced.copy()
    dearer.loc[1, "price"] = 150.0
    assert step("twins")(dearer, same, alike, near)[:3].tolist() == [0, 1, 2]
    other = same.copy()
    other.loc[2, "colour"] = "octarine"
    assert step("twins")(priced, other, alike, near)[:3].tolist() == [0, 0, 2]


def test_nobody_votes_for_himself_or_his_twin(step: Step, tidy: pd.DataFrame) -> None:
    n = len(tidy)
    one = tidy.assign(category=[f"c{i}" for i in range(n)])
    near = pd.DataFrame({
        "row": np.repeat(np.arange(n), 2), "likeness": 0.9,
        "other": np.ravel(np.column_stack([(np.arange(n) + 1) % n, (np.arange(n) + 2) % n])),
    })  # fmt: skip
    out = step("rehearse")(one, near, pd.Series(np.arange(n)))
    assert not out["right"].any(), "every product has a category of its own"
    assert step("rehearse")(one, near, pd.Series(np.zeros(n, dtype=int))).empty, (
        "all are twins: nobody is asked"
    )
