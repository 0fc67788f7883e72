"""What a person has looked at is left out, where the reason stands beside it, and only there."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from check_kit import book_of, findings

from aios_workbench.promote.checks import inspect

PATH = "print('/home/ada/claims.csv')"


def ids(folder: Path, *sources: str) -> list[tuple[str, int | None]]:
    return [(f.rule, f.cell) for f in findings(folder, *sources)]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([PATH + "  # aios: ignore AIOS203 the share is mounted", PATH], [("AIOS203", 2)]),
        (["# aios: ignore AIOS203 the share is mounted\n" + PATH, PATH], [("AIOS203", 2)]),
        (["# aios: ignore-notebook AIOS203 the share is mounted", PATH, PATH], []),
        ([PATH + "  # aios: ignore absolute-path the share is mounted"], []),
        ([PATH + "  # aios: ignore AIOS203: the share is mounted"], []),
        ([PATH + "  # AIOS: Ignore aios203, AIOS208 the share is mounted"], [("AIOS007", 1)]),
        ([PATH + "  # aios: ignore AIOS203"], [("AIOS005", 1), ("AIOS203", 1)]),
        ([PATH + "  # aios: ignore AIOS204 the share is mounted"], [("AIOS203", 1), ("AIOS007", 1)]),
        ([PATH + "  # aios: ignore AIOS230 the share is mounted"], [("AIOS006", 1), ("AIOS203", 1)]),
        ([PATH + "  # aios: ignore the share is mounted"], [("AIOS006", 1), ("AIOS203", 1)]),
        ([PATH + "  # aios: ignore"], [("AIOS006", 1), ("AIOS203", 1)]),
        (
            ["x = 1  # aios: ignore AIOS203 another line\n" + PATH + "\nprint(x)"],
            [("AIOS203", 1), ("AIOS007", 1)],
        ),
        (["def f(:  # aios: ignore AIOS003 it will be fine"], [("AIOS003", 1), ("AIOS007", 1)]),
        (["# aios: ignore AIOS143 it is a random sample, meant to be"], []),
    ],
)
def test_ignoring(tmp_path: Path, sources: list[str], expected: list[tuple[str, int]]) -> None:
    assert sorted(ids(tmp_path, *sources)) == sorted(expected)


def test_the_nearest_rule_is_named(tmp_path: Path) -> None:
    (wrong,) = [f for f in findings(tmp_path, PATH + "  # aios: ignore AIOS2033 x") if f.rule == "AIOS006"]
    assert "did you mean 'AIOS203'" in wrong.message


def test_the_reason_is_reported(tmp_path: Path) -> None:
    book = book_of(PATH)
    book.metadata["aios"] = {"ignore": {"AIOS203": "the share is mounted on every worker"}}
    nbformat.write(book, tmp_path / "n.ipynb")
    seen = inspect(tmp_path / "n.ipynb")
    assert (seen.findings, seen.ok) == ([], True)
    assert [(f.rule, reason) for f, reason in seen.ignored] == [
        ("AIOS203", "the share is mounted on every worker")
    ]
    assert (
        json.loads(json.dumps(seen.to_dict()))["ignored"][0]["reason"]
        == "the share is mounted on every worker"
    )


@pytest.mark.parametrize(
    "metadata", [{"ignore": ["AIOS203"]}, {"ignore": {"AIOS203": ""}}, {"ignore": {"AIOS203": 3}}, "x", ["y"]]
)
def test_metadata_without_a_reason_ignores_nothing(tmp_path: Path, metadata: object) -> None:
    book = book_of(PATH)
    book.metadata["aios"] = metadata
    assert [f.rule for f in findings(tmp_path, book=book)] == ["AIOS203"]


def test_an_error_that_is_ignored_does_not_block(tmp_path: Path) -> None:
    nbformat.write(
        book_of("print(injected)  # aios: ignore AIOS101 set by the platform's startup file"),
        tmp_path / "n.ipynb",
    )
    assert inspect(tmp_path / "n.ipynb").ok
