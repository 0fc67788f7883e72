"""What counts as the same output, and what does not."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from aios_workbench.promote.checks.compare import differences, sanitised


def out(text: str, name: str = "stdout") -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)


def value(**data: Any) -> Any:
    return nbformat.v4.new_output("execute_result", data={k.replace("_", "/", 1): v for k, v in data.items()})


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("<object at 0x7f1234567890>", "<object at 0x55aa00ff11cc>"),
        ("done 2026-01-31 06:00:00", "done 2025-12-01 23:59:59.123"),
        ("at 2026-01-31T06:00:00Z", "at 2026-02-01T06:00:01.5+01:00"),
        ("Sun Nov 22 15:11:23 UTC 2026", "Mon Nov 23 01:02:03 CET 2026"),
        ("took 1.23 s", "took 970 ms"),
        ("CPU times: user 3 µs, sys: 1 ms, total: 4 s", "CPU times: user 9 ms, sys: 10 µs, total: 1.1 s"),
        ("Wall time: 1min 3s", "Wall time: 2min 13s"),
        ("1.5 ms ± 3.2 µs per loop", "1.9 ms ± 80 ns per loop"),
        ("saved /tmp/abc123/x.csv", "saved /tmp/zzz/x.csv"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174999"),
        ("commit 3f786850e387550fdab8", "commit 0a1b2c3d4e5f60718293"),
        ("0.1234567890123", "0.1234567890199"),
        (
            "50%|#####     | 5/10 [00:01<00:01]\r100%|##########| 10/10 [00:02<00:00]",
            "100%|##########| 10/10 [00:09<00:00]",
        ),
        ("a  b \n", "a b"),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_the_same(a: str, b: str) -> None:
    assert differences([out(a)], [out(b)]) is None


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("12 rows", "13 rows"),
        ("loss 0.25", "loss 0.26"),
        ("0.123456", "0.123457"),
        ("2026-01-31", "2026-02-01"),
        ("took 1.2 s, 5 rows", "took 9.9 s, 6 rows"),
        ("['a', 'b']", "['b', 'a']"),
        ("12 apples", "12 pears"),
        ("a", ""),
    ],
)
def test_not_the_same(a: str, b: str) -> None:
    assert differences([out(a)], [out(b)]) is not None


def test_kinds() -> None:
    picture, other = (
        value(image_png="aaa", text_plain="<Figure>"),
        value(image_png="bbb", text_plain="<Figure 2>"),
    )
    assert differences([picture], [other]) is None
    assert differences([picture], [value(text_plain="3")]) == "a picture became a value '3'"
    assert differences([value(text_plain="3")], [value(text_plain="4")]) == "'3' became '4'"
    assert differences([value(text_plain="3")], []) == "a value '3' is gone"
    assert differences([], [value(text_plain="3")]) == "a value '3' is new"
    assert differences([value(text_html="<b>3</b>")], [value(text_html="<i>3</i>")]) is None
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="'a'", traceback=[])
    assert differences([out("x")], [out("x"), error]) == "the error KeyError \"'a'\" is new"


def test_streams_are_joined_and_stderr_is_left_out() -> None:
    assert differences([out("a\n"), out("b")], [out("a\nb")]) is None
    assert differences([out("warning 1", "stderr")], []) is None


def test_what_is_taken_out_is_named() -> None:
    assert sanitised("<M at 0x7f8a3c2b1d90> at 2026-01-02 03:04:05") == "<M at ADDRESS> at TIMESTAMP"
    assert sanitised("no 123456 and 10:30") == "no 123456 and 10:30"
