"""A report in hand, and on disk: what it says, what leaves it before it is stored, what is refused."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE, made, number, words

from aios_workbench import drift
from aios_workbench._util import sealed
from aios_workbench.drift import report_files
from aios_workbench.drift.models import Histogram, SchemaChange, Side, Statistic
from aios_workbench.drift.report import DriftReport, load_report
from aios_workbench.drift.summary import shown, summarise
from aios_workbench.errors import CorruptProfileError, DriftError, DriftInputError, NotFoundError


def test_a_report_made_by_hand_says_all_it_holds() -> None:
    report = made(number("income"), number("age", 0.0), words("state", {"NY": (500, 400), "CA": (500, 400)}))
    assert report.drifted is True
    assert report.columns["income"].psi == pytest.approx(0.41)
    assert report.columns["age"].hellinger is None
    assert list(report.columns) == ["income", "age", "state"]
    assert "nothing" not in report.columns
    assert report.columns.get("nothing") is None
    assert report.share == pytest.approx(1 / 3)
    assert report.live is None
    text = repr(report)
    assert "'claims': drifted" in text
    assert text.index("income") < text.index("age")
    frame = report.to_frame()
    assert frame.set_index("column").loc["income", "psi"] == pytest.approx(0.41)
    assert report.to_frame(windows=True)["window"].tolist() == ["2026-01", "2026-01"]


def test_a_wrong_column_is_told_with_the_nearest() -> None:
    report = made(number("income"))
    with pytest.raises(DriftInputError, match="no column 'incom'; did you mean 'income'"):
        report.columns["incom"]
    with pytest.raises(DriftInputError, match="did you mean 'income'"):
        report.slice("incom", 1)


def test_what_needs_rows_says_that_they_are_gone() -> None:
    report = made(number("income"))
    with pytest.raises(DriftInputError, match=r"a slice needs the rows .* compare again"):
        report.slice("income", (0, 1))
    with pytest.raises(DriftInputError, match="rows that moved needs the rows"):
        report.moved("income")


@pytest.mark.parametrize(("said", "parts"), [
    (summarise([number(n, 0.4) for n in "abcde"], drifted=True), ["5 of 5 columns drifted: a +0.51 PSI", "2 more"]),
    (summarise([number("a", 0.0)], drifted=False), ["none of 1 column drifted"]),
    (summarise([], drifted=None), ["no column could be compared"]),
    (summarise([number("a", verdict="few")], drifted=None), ["not enough data"]),
    (summarise([number("a"), number("b", verdict="small")], drifted=False), ["1 changed a little", "within what"]),
    (summarise([number("a", 0.0)], [SchemaChange(column="b", change="missing", grave=True, words="b is missing")],
               drifted=True), ["schema: b is missing"]),
])  # fmt: skip
def test_the_summary_is_one_line_in_words(said: str, parts: list[str]) -> None:
    assert [p for p in parts if p not in said] == []
    assert "\n" not in said


@given(st.text(max_size=300))
def test_any_name_is_shown_on_one_short_line(name: str) -> None:
    text = shown(name)
    assert 0 < len(text) <= 42
    assert text.isprintable()
    assert text.strip()


def test_hostile_names_survive_files_text_and_code(tmp_path: Path) -> None:
    report = made(*(number(n) for n in HOSTILE))
    again = load_report(report.save(tmp_path / "r.json", raw=True))
    assert list(again.columns) == HOSTILE
    assert again.data == report.data
    assert len(repr(report).splitlines()) < 30
    assert "\n" not in summarise(report.data.columns, drifted=True)
    compile(report.gate_code(), "gate", "exec")
    compile(report.code(), "code", "exec")


def test_lone_surrogates_in_a_name_can_be_stored(tmp_path: Path) -> None:
    report = made(number("bad\ud800name"))
    assert list(load_report(report.save(tmp_path / "r.json")).columns) == ["bad\ud800name"]


def test_code_names_what_can_be_opened_and_the_rules_that_differ() -> None:
    report = made(number("income", role="target"), by="month")
    assert report.code() == (
        "report = aios.drift.compare(reference, 'batch.parquet', target='income', by='month')"
    )
    judged = made(rules=drift.Rules(effect=0.2, columns={"a'b": {"psi": 0.2}}, max_share=0.3))
    assert "columns={\"a'b\": {'psi': 0.2}}" in judged.gate_code()
    assert "max_share=0.3, " in judged.gate_code()
    assert "rules=aios.drift.Rules(effect=0.2)" in judged.gate_code()
    assert "rules='evidently'" in made(rules=drift.Rules(kind="evidently")).code()


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("raw", [True, False])
def test_a_file_gives_the_report_back(tmp_path: Path, raw: bool) -> None:
    report = made(
        number(
            "income",
            statistics={"kl_div": Statistic(value=float("inf")), "psi": Statistic(value=float("nan"))},
        )
    )
    again = load_report(report.save(tmp_path / "deep" / "r.json", raw=raw))
    assert again.data.raw is raw
    assert again.columns["income"].kl_div == float("inf")
    assert again.columns["income"].psi != again.columns["income"].psi
    assert again.to_json(raw=raw) == report.to_json(raw=raw)
    # strict JSON: what no browser reads is not in it
    json.loads(report.to_json(), parse_constant=pytest.fail)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["r.json"]


def test_a_pickle_drops_the_rows_and_the_raw_values() -> None:
    report = made(words("city", {"Ghent": (500, 400), "Only Me": (1, 0)}))
    report.live = lambda: None  # type: ignore[assignment]  # cannot be pickled
    again = pickle.loads(pickle.dumps(report))
    assert again.live is None
    assert b"Only Me" not in pickle.dumps(report)
    assert again.data == report.stored()
    assert copy.deepcopy(report).data == report.stored()


BREAKS = {
    "empty": b"",
    "not json": b"\x89PNG",
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "foreign": b'{"format": "evidently", "version": 1}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_foreign_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "r.json").write_bytes(BREAKS[name])
    with pytest.raises(CorruptProfileError, match=r"r\.json"):
        load_report(tmp_path / "r.json")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        load_report(tmp_path / "none.json")


def test_a_newer_version_is_told_as_such(tmp_path: Path) -> None:
    text = made(number("a")).to_json().replace('"version": 1', '"version": 2')
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(CorruptProfileError, match=r"has version 2 .* reads 1; upgrade"):
        load_report(tmp_path / "r.json")


def test_content_of_a_right_checksum_but_no_report_is_refused(tmp_path: Path) -> None:
    content = {"id": 1}
    head = {"format": report_files.FORMAT, "version": 1, "sha256": sealed(content)}
    (tmp_path / "r.json").write_text(json.dumps({**head, "report": content}))
    with pytest.raises(CorruptProfileError, match="holds no drift report"):
        load_report(tmp_path / "r.json")


TEXT = made(number("income"), words("state", {"NY": (500, 400), "CA": (20, 30)})).to_json()


@given(st.integers(0, len(TEXT) - 2), st.sampled_from(["cut", "digit", "letter"]))
def test_every_cut_and_every_changed_character_is_found(at: int, how: str) -> None:
    changed = TEXT[:at]
    if how != "cut":
        new = "7" if how == "digit" else "q"
        if TEXT[at] == new or TEXT[at].isspace():
            return
        changed = TEXT[:at] + new + TEXT[at + 1 :]
    try:
        found = report_files.loads(changed, "it")
    except CorruptProfileError:
        return
    # a character that means nothing, such as the digits 1.0 and 1.00 share
    assert found == report_files.loads(TEXT, "it")


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(number("a")).save(tmp_path / "r.json")
    before = path.read_bytes()

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DriftError, match=r"no space left; what was there before is as it was"):
        made(number("b")).save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- privacy


def stored(*columns: Any, **changes: Any) -> tuple[str, DriftReport]:
    report = made(*columns, **changes)
    return report.to_json(), report


def test_rare_labels_go_into_the_rest_with_their_counts() -> None:
    text, report = stored(words("city", {"Ghent": (500, 3), "Rare": (9, 9), "Me": (1, 0), "Ten": (0, 10)}))
    assert "Rare" not in text
    assert '"Me"' not in text
    kept = report_files.loads(text, "it").columns[0].categories
    assert kept is not None
    assert [(v.label, v.reference, v.current, v.rest) for v in kept.values] == [
        ("Ghent", 500, 3, False), ("Ten", 0, 10, False), ("", 10, 9, True),
    ]  # fmt: skip
    assert "Rare" in report.to_json(raw=True)
    assert report.data.columns[0].categories != kept


def test_an_extreme_value_is_in_no_stored_report() -> None:
    text, report = stored(number("income"))
    for extreme in ("3.21987", "98.76543"):
        assert extreme not in text
        assert extreme in report.to_json(raw=True)
    kept = report_files.loads(text, "it").columns[0]
    assert kept.reference is not None
    assert (kept.reference.minimum, kept.reference.maximum) == (None, None)
    assert kept.reference.quantiles is not None
    assert (kept.reference.quantiles[0], kept.reference.quantiles[-1]) == (20.0, 80.0)
    assert kept.windows[0].median is None


@pytest.mark.parametrize(("rows", "quantiles"), [
    (1000, [1, 2, 3, 4, 5, 6, 7]), (999, [2, 2, 3, 4, 5, 6, 6]), (200, [2, 2, 3, 4, 5, 6, 6]),
    (60, [3, 3, 3, 4, 5, 5, 5]), (20, [4, 4, 4, 4, 4, 4, 4]), (19, None), (3, None),
])  # fmt: skip
def test_a_quantile_with_few_rows_beyond_it_is_an_extreme(rows: int, quantiles: list[float] | None) -> None:
    side = Side(rows=rows, mean=4.0, std=1.0, quantiles=[1, 2, 3, 4, 5, 6, 7])
    _, report = stored(number("a", reference=side, current=side))
    kept = report.stored().columns[0].reference
    assert kept is not None
    assert kept.quantiles == quantiles
    assert (kept.mean is None) == (rows < 10)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
)
def test_a_histogram_keeps_its_mass_and_shows_no_bin_of_few_at_its_ends(a: list[int], b: list[int]) -> None:
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    rows = (max(sum(a), 1), max(sum(b), 1))
    before = Histogram(
        edges=[float(i) + 0.123 for i in range(n + 1)], reference=[v / rows[0] for v in a],
        current=[v / rows[1] for v in b],
    )  # fmt: skip
    after = report_files._histogram(before, rows)
    if not after.reference:
        assert max(sum(a), sum(b)) < 10
        return
    assert sum(after.reference) == pytest.approx(sum(before.reference))
    assert sum(after.current) == pytest.approx(sum(before.current))
    assert len(after.edges) == len(after.reference) + 1
    assert after.edges == sorted(after.edges)
    assert len(set(after.edges)) == len(after.edges)
    for end in (0, -1):
        assert max(after.reference[end] * rows[0], after.current[end] * rows[1]) >= 9
        assert after.edges[end] != before.edges[end]


def test_texts_and_ids_have_no_label_at_all() -> None:
    secret = {"my password is hunter2": (900, 800)}
    part = words("words", secret)
    text, report = stored(
        words("notes", secret, kind="text", parts=[part]),
        words("person", secret, kind="id", verdict="skipped"),
    )
    assert "hunter2" not in text
    assert "hunter2" in report.to_json(raw=True)


def test_changes_of_the_schema_name_no_value_and_moments_only_the_day() -> None:
    text, report = stored(
        number("age"), summary="schema: age has 1 value ('XX-17')", reasons=["age has 1 value ('XX-17')"],
        schema_changes=[
            SchemaChange(column="age", change="new_categories", grave=False, words="age has 1 value ('XX-17')",
                         current="XX-17"),
            SchemaChange(column="age", change="range", grave=False, words="age goes to 123.4", current="1 to 123.4"),
            SchemaChange(column="b", change="type", grave=True, words="b is VARCHAR, was INT", reference="INT"),
        ],
    )  # fmt: skip
    assert "XX-17" not in text
    assert "123.4" not in text
    assert "08:13:07" not in text
    assert "2025-01-01" in text
    assert "b is VARCHAR, was INT" in text
    assert "XX-17" in report.to_json(raw=True)


def test_a_stored_report_is_not_stripped_twice(tmp_path: Path) -> None:
    report = made(number("income"), words("city", {"Ghent": (500, 3), "Rare": (9, 9)}))
    once = load_report(report.save(tmp_path / "r.json"))
    assert once.to_json() == report.to_json()
    assert once.to_json(raw=True) == report.to_json()


@pytest.mark.parametrize(("changes", "message"), [
    ({"efect": 0.2}, "no rule 'efect'; did you mean 'effect'"), ({"alpha": 2}, "alpha is 2; it lies between 0 and 1"),
    ({"effect": "a lot"}, "effect"), ({"max_share": -0.1}, "max_share is -0.1"), ({"in_a_row": 0}, "at least 1"),
    ({"columns": {"income": {"psy": 1}}}, "psy"), ({"columns": {"incom": {"psi": 1}}}, "did you mean 'income'"),
])  # fmt: skip
def test_a_wrong_rule_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DriftInputError, match=message):
        made(number("income")).judge(**changes)
