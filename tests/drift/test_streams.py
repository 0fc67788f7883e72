"""Detectors on streams: quiet where nothing changes, quick where something does, and resumed as they were saved."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from aios_workbench.drift.streams import _PLACES, Stream, find
from aios_workbench.errors import AiosError, CorruptProfileError, DriftInputError


def errors(seed: int) -> np.ndarray:
    g = np.random.default_rng(seed)
    return np.r_[g.random(10_000) < 0.1, g.random(5_000) < 0.2].astype(float)


def test_adwin_raises_no_alarm_on_stationary_errors_and_finds_the_change() -> None:
    delays = []
    for seed in range(20):
        alarms = Stream("adwin").update(errors(seed))
        assert [a for a in alarms if a <= 10_000] == []
        delays.append(alarms[0] - 10_000)
    assert 100 < np.median(delays) < 500


@pytest.mark.parametrize("detector", list(_PLACES))
def test_a_stream_goes_on_where_it_was_saved(detector: str) -> None:
    values = errors(1)
    whole = Stream(detector)  # type: ignore[arg-type]
    wanted = whole.update(values)
    assert wanted or detector == "hddm_w"
    for cut in (0, 1, 33, 9_000, 10_700):
        first = Stream(detector)  # type: ignore[arg-type]
        found = first.update(values[:cut])
        second = Stream.load(first.save())
        assert second.rows == cut
        assert found + second.update(values[cut:]) == wanted


def test_options_are_river_s_and_are_saved() -> None:
    stream = Stream("adwin", delta=0.5)
    assert Stream.load(stream.save()).options == {"delta": 0.5}
    assert Stream("page_hinkley", threshold=5.0).update(errors(0)) != Stream("page_hinkley").update(errors(0))
    with pytest.raises(DriftInputError, match="does not take these options"):
        Stream("adwin", delto=1.0)
    with pytest.raises(DriftInputError, match="did you mean 'adwin'"):
        Stream("adwim")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "is nan"),
        ([0.0, np.inf], "value 1 of the stream is inf"),
        ("x", "takes numbers"),
        ([[1], [2, 3]], "numbers"),
    ],
)
def test_what_is_no_number_is_refused_whole(value: object, words: str) -> None:
    stream = Stream()
    with pytest.raises(DriftInputError, match=words):
        stream.update(value)  # type: ignore[arg-type]
    assert stream.rows == 0


def test_detectors_of_wrong_or_not_take_nothing_else() -> None:
    with pytest.raises(DriftInputError, match="takes 0 and 1"):
        Stream("ddm").update([0, 1, 0.5])


def test_a_damaged_or_foreign_state_is_refused() -> None:
    stream = Stream()
    stream.update(errors(0)[:100])
    text = stream.save()
    outer = json.loads(text)
    foreign = [
        "", "{}", "[]", "null", text[:-20], json.dumps(outer | {"aios_stream": 2}), json.dumps(outer | {"check": 1}),
        json.dumps(outer | {"body": outer["body"].replace('"rows": 100', '"rows": 200')}),
    ]  # fmt: skip
    for bad in foreign:
        with pytest.raises(CorruptProfileError):
            Stream.load(bad)


def test_without_river_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("river", "river.drift"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AiosError, match=r"aios-workbench\[analysis\]"):
        Stream()


def test_a_change_at_the_start_is_found_by_what_was_before() -> None:
    now = np.ones(300)
    assert find(now) == []
    found = find(now, ["a"] * 100 + ["b"] * 200, before=errors(0)[:5_000])
    assert found[0].window == "a"
    assert 0 < found[0].row < 100
