"""Profiles add up exactly, survive a file, and tell nobody's own value unless asked."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.drift.columntables import TimeTable, all_of
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.counttable import CountTable
from aios_workbench.drift.profiles import Profile, load_profile, profile
from aios_workbench.drift.tables import Grid, NumberTable
from aios_workbench.errors import CorruptProfileError, DriftError, DriftInputError, NotFoundError
from tests.drift.conftest import HOSTILE, mixed


def same(a: Profile, b: Profile) -> None:
    assert (a.rows, a.windows, list(a.columns)) == (b.rows, b.windows, list(b.columns))
    for name, one in a.columns.items():
        two = b.columns[name]
        assert (one.total, one.nulls) == (two.total, two.nulls)
        if isinstance(one, NumberTable):
            assert isinstance(two, NumberTable)
            np.testing.assert_array_equal(one.keys, two.keys)
            np.testing.assert_array_equal(one.counts, two.counts)
            np.testing.assert_allclose(one.sums, two.sums, rtol=1e-9, atol=1e-9)
            assert (one.mean, one.std) == (pytest.approx(two.mean), pytest.approx(two.std))
        elif isinstance(one, CountTable) and one.exact:
            assert isinstance(two, CountTable)
            assert (one.values, one.counts.tolist()) == (two.values, two.counts.tolist())
        elif isinstance(one, TimeTable):
            assert isinstance(two, TimeTable)
            assert (one.cells.tolist(), one.minimum, one.maximum) == (
                two.cells.tolist(),
                two.minimum,
                two.maximum,
            )


def test_files_windows_and_the_whole_add_up() -> None:
    frame = mixed(3_000)
    whole = profile(frame)
    parts = [profile(frame.iloc[i::3], like=whole) for i in range(3)]
    same(parts[0].merged(parts[1]).merged(parts[2]), whole)
    months = profile(frame, by="month", like=whole)
    same(months.window("2026-01").merged(months.window("2026-02")).merged(months.window("2026-03")), whole)
    split = [profile(frame.iloc[i::2], by="month", like=whole) for i in range(2)]
    same(split[0].merged(split[1]), months)


NUMBERS = st.lists(st.one_of(st.floats(), st.integers(-3, 3).map(float)), max_size=30)


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.booleans())
def test_numbers_add_up(parts: list[list[float]], by_value: bool) -> None:
    grid = Grid(0.0, 1.0, (0.0,))
    tables = [NumberTable.of(p, grid, by_value=by_value) for p in parts]
    found, wanted = all_of(tables), NumberTable.of(list(itertools.chain(*parts)), grid, by_value=by_value)
    assert isinstance(found, NumberTable)
    assert found.keys.tolist() == wanted.keys.tolist()
    assert found.counts.tolist() == wanted.counts.tolist()
    assert (found.nulls, found.infinite) == (wanted.nulls, wanted.infinite)
    np.testing.assert_array_equal([found.minimum, found.maximum], [wanted.minimum, wanted.maximum])


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=20), min_size=2, max_size=4), st.integers(1, 9)
)
def test_texts_add_up_also_where_some_share_buckets(parts: list[list[str]], most: int) -> None:
    found = CountTable.of(parts[0], most=most)
    for part in parts[1:]:
        found = found.merged(CountTable.of(part, most=most))
    every = list(itertools.chain(*parts))
    assert found.rows == len(every)
    for value, n in zip(found.values, found.counts.tolist(), strict=True):
        assert n == every.count(value)  # never less than there are: what may be elsewhere is in a bucket


def test_a_file_holds_it_all(tmp_path: Path) -> None:
    frame = mixed(2_000).assign(note="one two three", v=[[1.0, 2.0]] * 2_000)
    made = profile(frame, by="city", kinds={"note": "text"}, target="member", name="claims")
    path = made.save(tmp_path / "deep" / "er.profile", raw=True)
    read = load_profile(path)
    same(read, made)
    assert (read.plan, read.types, read.by, read.name) == (made.plan, made.types, "city", "claims")
    assert (read.stored, read.raw, made.stored) == (True, True, False)
    assert b"pickle" not in path.read_bytes()
    assert path.stat().st_size < 100_000
    assert [f.name for f in path.parent.iterdir()] == ["er.profile"]
    same(pickle.loads(pickle.dumps(made)), made)


def every(read: Profile) -> str:
    """All that the file says, as text."""
    content = [read.plan.model_dump_json()]
    for part in read.tables.values():
        for table in part.values():
            content.append(repr(table))
            if isinstance(table, NumberTable):
                content += [repr(v) for v in [*table.keys.tolist(), *(table.sums / table.counts).tolist()]]
                content += [
                    repr(v)
                    for v in (table.grid.centre + table.grid.scale * table.sums / table.counts).tolist()
                ]
    return " ".join(content)


def test_what_few_have_is_not_in_a_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({
        "salary": [*np.linspace(1000, 2000, 500), 987_654.321], "city": ["Bonn"] * 500 + ["Kleinkleckersdorf"],
        "age": [40.5, 50.5] * 250 + [117.25],
    })  # fmt: skip
    made = profile(frame)
    saved = load_profile(made.save(tmp_path / "private"))
    told = every(saved)
    assert not saved.raw
    for secret in ("Kleinkleckersdorf", "987654", "117.25"):
        assert secret not in told
    assert "Bonn" in told
    assert "Kleinkleckersdorf" in every(made)
    # they still compare: nothing is new, nothing is gone
    report = compare(saved, frame)
    city = report.columns["city"]
    assert city.categories is not None
    assert (city.categories.new, city.categories.gone) == (0, 0)
    assert not report.drifted
    assert [c for c in report.schema_changes if c.column == "city"] == []
    again = saved.merged(load_profile(profile(frame, like=made).save(tmp_path / "second")))
    assert sorted(again.columns["city"].counts.tolist()) == [2, 1000]  # type: ignore[union-attr]


@pytest.mark.parametrize("at", [0, 5, 20, 60, 90, 100, 500, -1])
@pytest.mark.parametrize("how", ["flip", "cut", "grow"])
def test_a_damaged_file_is_refused(at: int, how: str, tmp_path: Path) -> None:
    path = profile(mixed(200)).save(tmp_path / "p")
    data = bytearray(path.read_bytes())
    if how == "flip":
        data[at] ^= 1
    elif how == "cut":
        del data[at:]
    else:
        data[at:at] = b"x"
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptProfileError, match=r"make the profile again|save one with"):
        load_profile(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1 something else", pickle.dumps({"a": 1}), b"aios-drift-profile 1\n", b"\x00" * 4096],
)
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(CorruptProfileError):
        load_profile(tmp_path / "p")
    with pytest.raises(NotFoundError, match="there is no profile"):
        load_profile(tmp_path / "q")


def test_a_newer_version_is_told(tmp_path: Path) -> None:
    path = profile(mixed(100)).save(tmp_path / "p")
    path.write_bytes(path.read_bytes().replace(b"profile 1\n", b"profile 2\n", 1))
    with pytest.raises(CorruptProfileError, match="newer version"):
        load_profile(path)


@pytest.mark.parametrize("field", ["tables", "plan", "sizes", "types"])
def test_a_sealed_file_that_makes_no_sense_is_refused(field: str, tmp_path: Path) -> None:
    import hashlib
    import json
    import struct
    import zlib

    path = profile(mixed(100)).save(tmp_path / "p")
    head, seal, body = path.read_bytes().split(b"\n", 2)
    plain = zlib.decompress(body)
    (length,) = struct.unpack_from("<Q", plain)
    content = json.loads(plain[8 : 8 + length])
    content[field] = {"": {"x": {"sort": "numbers"}}}
    text = json.dumps(content).encode()
    body = zlib.compress(struct.pack("<Q", len(text)) + text + plain[8 + length :])
    path.write_bytes(head + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    assert len(seal) == 64
    if field == "types":  # any names and types are as good as others
        assert load_profile(path).rows == 100
        return
    with pytest.raises(CorruptProfileError, match="is no whole drift profile"):
        load_profile(path)


def test_saving_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = profile(mixed(100)).save(tmp_path / "p")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DriftError, match="no space left; what was there before is as it was"):
        profile(mixed(300)).save(path)
    assert path.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["p"]


def test_what_does_not_add_up_is_told() -> None:
    one = profile(mixed(300))
    with pytest.raises(DriftInputError, match="like=first"):
        one.merged(profile(mixed(300, seed=3).assign(income=1e6)))
    with pytest.raises(DriftInputError, match="same by="):
        one.merged(profile(mixed(300), by="city", like=one))
    with pytest.raises(DriftInputError, match="hidden in different ways"):
        one.without_raw().merged(profile(mixed(300)).without_raw())
    with pytest.raises(DriftInputError, match="it is not split"):
        one.window("2026-01")
    with pytest.raises(DriftInputError, match="did you mean 'Bonn'"):
        profile(mixed(300), by="city").window("Bon")


@pytest.mark.parametrize("by", [None, "day", "case"])
def test_hostile_names_and_values_survive(
    by: str | None, tmp_path: Path, hostile: Callable[..., pd.DataFrame]
) -> None:
    made = profile(hostile(), by=by)
    read = load_profile(made.save(tmp_path / "p", raw=True))
    same(read, made)
    assert set(HOSTILE) <= set(read.columns)
