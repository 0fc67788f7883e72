"""The contract: written from a report, read with the line of every mistake, held against the next batch."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE, made, number, words

from aios_workbench.drift import Rules, gate
from aios_workbench.drift.contract import Contract, Expected, broken, of_report, parse, read, text, write
from aios_workbench.drift.models import SchemaChange, Side
from aios_workbench.errors import DriftError, DriftInputError, NotFoundError

WHOLE = """
version: 1
name: claims
rules: {kind: honest, alpha: 0.01, max_share: 0.3}
new_columns: forbid
columns:
  income: {kind: numeric, psi: 0.6, nulls: 0.005, range: [0, 90]}
  city:
    kind: categorical
    values: [Ghent, no, 1]
  person: {kind: id, optional: true}
"""


def test_a_whole_contract_is_read() -> None:
    found = parse(WHOLE)
    assert found.columns["income"] == Expected("numeric", nulls=0.005, range=(0, 90))
    assert found.columns["city"].values == ("Ghent", "no", "1")  # as written, not as YAML takes them
    assert found.columns["person"].optional
    assert (found.rules.alpha, found.rules.max_share, found.rules.columns) == (
        0.01,
        0.3,
        {"income": {"psi": 0.6}},
    )
    assert not found.new_columns


def test_a_report_s_contract_reads_back_and_names_no_value(tmp_path: Path) -> None:
    report = made(
        number("income"), words("city", {"Ghent": (500, 400)}), rules=Rules(columns={"income": {"psi": 0.3}}),
        schema_changes=[SchemaChange(column="gone", change="missing", grave=True, words="gone is missing"),
                        SchemaChange(column="fresh", change="new", grave=False, words="fresh is new")],
    )  # fmt: skip
    said = report.contract()
    assert "Ghent" not in said
    found = parse(said)
    assert list(found.columns) == ["income", "city", "gone"]
    assert found.rules == report.rules
    path = write(found, tmp_path / "drift.yaml")
    assert read(path).columns == found.columns
    assert path.read_text() == said


NAMES = st.one_of(
    st.sampled_from(
        [
            *HOSTILE,
            "~",
            "null",
            "true",
            "0x1",
            "- a",
            "a: b",
            "#",
            "&a",
            "*a",
            "{}",
            "%",
            "? x",
            "\x85",
            "\ufeff",
            "\x00",
            "<<",
            "=",
        ]
    ),
    st.text(max_size=30),
)


@given(st.dictionaries(NAMES, st.sampled_from(["numeric", "id", "text"]), max_size=6))
def test_every_name_survives_and_stands_on_one_line(names: dict[str, str]) -> None:
    contract = Contract("c", {n: Expected(k) for n, k in names.items()}, Rules())  # type: ignore[arg-type]
    said = text(contract)
    assert parse(said).columns == contract.columns
    assert len(said.split("\n")) == 7 + len(names)


@pytest.mark.parametrize(("source", "message"), [
    ("", "is empty; report.contract"),
    ("columns: [", "line 1: this is no YAML"),
    ("a\n: - b: {", "no YAML"),
    ("- a", "line 1: the whole must be a mapping"),
    ("columns: 3", r"line 1: columns must be a mapping"),
    ("name: x", "there are no columns"),
    ("columns: {}\ncolumn: {}", r"line 2: there is no 'column'; did you mean 'columns'"),
    ("version: 2\ncolumns: {}", "line 1: version is 2, this aios-workbench reads 1; upgrade"),
    ("columns:\n  a: {kind: numerik}", "line 2: columns.a.kind is 'numerik'; did you mean 'numeric'"),
    ("columns:\n  a:\n    kind: numeric\n    psy: 0.2", "line 4: there is no columns.a.psy; did you mean 'psi'"),
    ("columns:\n  a: {psi: high}", "line 2: columns.a.psi is 'high'; give a number"),
    ("columns:\n  a: {psi: .nan}", "line 2: columns.a.psi is nan"),
    ("columns:\n  a: {psi: -1}", "line 2: columns.a.psi is -1"),
    ("columns:\n  a: {nulls: 1.5}", "line 2: columns.a.nulls is 1.5; give a number from 0 to 1"),
    ("columns:\n  a: {range: [1]}", r"line 2: columns.a.range must be two numbers"),
    ("columns:\n  a: {range: [2, 1]}", "line 2: columns.a.range goes from 2 to 1"),
    ("columns:\n  a: {values: x}", "line 2: columns.a.values must be a list"),
    ("columns:\n  a: {optional: 1}", "line 2: columns.a.optional is 1; use true or false"),
    ("columns:\n  a: {}\n  a: {}", "line 3: columns.a is there twice"),
    ("columns:\n  a: &x {kind: text}\n  b: *x", "line 3: columns.b refers to another place"),
    ("columns: {}\nrules: {alfa: 1}", "line 2: there is no rule 'alfa'; did you mean 'alpha'"),
    ("columns: {}\nrules: {alpha: 7}", "line 2: rules.alpha is 7"),
    ("columns: {}\nrules: {kind: honst}", "line 2: rules.kind is 'honst'"),
    ("columns: {}\nnew_columns: maybe", "line 2: new_columns is 'maybe'; use allow or forbid"),
    ("columns: {? [a] : {}}", "a key of columns must be a name"),
    ("!!python/object:os.system {}", "there are no columns"),
    ("columns: {a: {kind: !!python/name:os.system ''}}", "columns.a.kind cannot be read"),
])  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_key(source: str, message: str) -> None:
    with pytest.raises(DriftInputError, match=message):
        parse(source, "drift.yaml")


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DriftInputError, match="is no text"):
        read(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_text("a: &a [1]\nb: [*a, *a]\n" + "# " + "x" * 2_000_000)
    with pytest.raises(DriftInputError, match="more than any contract"):
        read(tmp_path / "x.yaml")


def test_what_a_batch_does_not_keep_is_told_by_column() -> None:
    city = words("city", {"Ghent": (500, 400), "<b>": (0, 20), "no": (5, 5)})
    report = made(number("income", 0.0), city, number("extra", 0.0), number("person", kind="text"))
    found = broken(parse(WHOLE), report.data)
    assert [(c, said) for c, said in found] == [
        ("income", "income has 0.01 nulls, 0.005 are allowed"),
        ("income", "income goes from 3.21987 to 98.7654, 0 to 90 is allowed"),
        ("city", "city has 1 values the contract does not have ('<b>'), in 20 rows"),
        ("person", "person is text, the contract says id"),
        ("extra", "extra is no column of the contract, which forbids new ones"),
    ]  # fmt: skip


def test_a_missing_column_breaks_it_unless_it_is_optional() -> None:
    found = broken(parse(WHOLE), made(number("income", 0.0, current=Side(rows=10))).data)
    assert found == [("city", "city is missing, the contract has it")]


def test_a_gate_holds_a_report_to_its_contract(tmp_path: Path) -> None:
    path = tmp_path / "drift.yaml"
    path.write_text("columns:\n  income: {kind: numeric, psi: 0.6}\n  age: {kind: numeric}\n")
    with pytest.raises(DriftError, match="age is missing, the contract has it"):
        gate(made(number("income", 0.0)), contract=path)
    both = made(number("income", 0.0), number("age", 0.0))
    assert gate(both, contract=path).passed
    path.write_text("rules: {max_share: 1}\ncolumns:\n  income: {psi: 0.1}\n")
    assert gate(both, contract=path, fail=False).columns == ("income",)


def test_a_contract_made_of_a_report_holds_for_it(tmp_path: Path) -> None:
    report = made(number("income", 0.0), words("city", {"Ghent": (500, 400)}))
    path = write(of_report(report.data), tmp_path / "drift.yaml")
    assert gate(report, contract=path).passed


def test_one_column_changed_is_one_line_changed(tmp_path: Path) -> None:
    """What it is for: a diff that a person reads."""
    contract = of_report(made(number("income"), number("age")).data)
    one, two = write(contract, tmp_path / "a"), tmp_path / "b"
    write(Contract(contract.name, {**contract.columns, "age": Expected("categorical")}, contract.rules), two)
    said = subprocess.run(["diff", str(one), str(two)], capture_output=True, text=True, check=False).stdout
    assert said.splitlines() == ["8c8", "<   age: {kind: numeric}", "---", ">   age: {kind: categorical}"]
