"""A step's decorator is changed in its cell, and nothing else is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.errors import ConflictError, NotFoundError, ParameterError
from aios_workbench.widgets import edit
from aios_workbench.widgets.messages import StepPolicy

HEAD = 'LIMIT = "30s"\ndef small(): return 0\ndef rules(): return 0\nflow = wf\n'

# the decorator, what is asked, the decorator then
CASES = [
    ("@wf.step", {"retries": 2}, "@wf.step(retries=2)"),
    ("@wf.step()", {"retries": 2}, "@wf.step(retries=2)"),
    ("@wf.step( )", {"cache": True}, "@wf.step(cache=True )"),
    ("@wf.step(retries=2)", {"retries": None}, "@wf.step"),
    ("@wf.step(retries=2)", {"retries": 0}, "@wf.step"),
    ("@wf.step(retries=2, cache=True)", {"retries": None}, "@wf.step(cache=True)"),
    ("@wf.step(retries=2, cache=True)", {"cache": False}, "@wf.step(retries=2)"),
    (
        "@wf.step(retries=2,  # why\n    cache=True)",
        {"retries": 3},
        "@wf.step(retries=3,  # why\n    cache=True)",
    ),
    (
        "@wf.step(\n    retries=2,  # why\n    cache=True,\n)",
        {"tags": ["ü"]},
        '@wf.step(\n    retries=2,  # why\n    cache=True,\n    tags=["ü"],\n)',
    ),
    ("@wf.step(\n    retries=2,\n    cache=True,\n)", {"retries": None}, "@wf.step(\n    cache=True,\n)"),
    ("@wf.step(retries = (2))", {"retries": 4}, "@wf.step(retries = 4)"),
    ("@wf.step(timeout=LIMIT)", {"retries": 1}, "@wf.step(timeout=LIMIT, retries=1)"),
    ("@wf.step(timeout=LIMIT)", {"timeout": "45s"}, '@wf.step(timeout="45s")'),
    ("@wf.step(timeout=LIMIT)", {"timeout": "0.5 min"}, "@wf.step(timeout=LIMIT)"),  # the same length of time
    ("@wf.step(timeout=30)", {"timeout": "31"}, "@wf.step(timeout=31)"),
    ("@wf.step(fallback=[small, rules])", {"fallback": ["rules"]}, "@wf.step(fallback=rules)"),
    ("@wf.step(fallback=small)", {"fallback": ["small", "rules"]}, "@wf.step(fallback=[small, rules])"),
    (
        "@wf.step(fallback=[lambda: 1, rules])",
        {"fallback": ["rules", "lambda: 1"]},
        "@wf.step(fallback=[rules, lambda: 1])",
    ),
    ("@wf.step(when=lambda: 2 > 1)", {"cache": True}, "@wf.step(when=lambda: 2 > 1, cache=True)"),
    ("@wf.step(when=lambda: 2 > 1)", {"when": "small"}, "@wf.step(when=small)"),
    ("@wf.step(after=('first',))", {"after": ["first", "second"]}, '@wf.step(after=["first", "second"])'),
    ("@wf.step(after=[first])", {"retries": 1}, "@wf.step(after=[first], retries=1)"),
    ("@wf.step(tags=['a)b', \"# no\"])", {"retries": 1}, "@wf.step(tags=['a)b', \"# no\"], retries=1)"),
    ("@flow.step(retries=1)", {"retries": 2}, "@flow.step(retries=2)"),
    ("@(wf.step)(retries=1)", {"retries": 2}, "@(wf.step)(retries=2)"),
    (
        "@wf.step(retries=1)",
        {"retry_on": ["ConnectionError", "requests.exceptions.Timeout"]},
        '@wf.step(retries=1, retry_on=(ConnectionError, "requests.exceptions.Timeout"))',
    ),
    (
        "@wf.step(retry_on=OSError)",
        {"retry_on": ["OSError", "KeyError"]},
        "@wf.step(retry_on=(OSError, KeyError))",
    ),
    ("@wf.step(retry_on='a.B')", {"retry_on": ["'a.B'"]}, "@wf.step(retry_on='a.B')"),
    ("@wf.step(give_up_on=[OSError])", {"give_up_on": []}, "@wf.step"),
    ("@wf.step(on_error='skip')", {"on_error": "dead_letter"}, '@wf.step(on_error="dead_letter")'),
    ("@wf.step(on_error='skip')", {"on_error": "fail"}, "@wf.step"),
    ("@wf.step", {"hedge": "2s"}, '@wf.step(hedge="2s")'),
    ("@wf.gate(timeout='2d')", {"on_reject": "continue"}, "@wf.gate(timeout='2d', on_reject=\"continue\")"),
    ("@wf.gate", {"timeout": "2d"}, '@wf.gate(timeout="2d")'),
]


@pytest.mark.parametrize(("decorator", "asked", "then"), CASES)
@pytest.mark.parametrize("around", ["{}", "# é\nx = 'ü'; y = 2\n{}", "%%time\n{}", "  \n!true\n{}\nprint?"])
def test_only_the_decorator_changes(
    book: Any, decorator: str, asked: dict[str, Any], then: str, around: str
) -> None:
    book.run(HEAD + "@wf.step\ndef first(): return 1\n@wf.step\ndef second(): return 2")
    rest = (
        "\n{}\ndef it(first):\n    '''@wf.step(retries=9)'''\n    return first  # @wf.step\n\n"
        "@wf.step(retries=5)\ndef other(): return 1"
    )
    source = book.run(around.replace("{}", rest.replace("{}", decorator)))
    change = book.ask("it", **asked)
    assert change.before == source
    assert change.after == around.replace("{}", rest.replace("{}", then))
    same = book.ask("it")
    assert same.before == same.after == source
    assert same.diff == ""


def test_the_changed_cell_gives_the_settings(book: Any) -> None:
    book.run(HEAD + "@wf.step\ndef first(): return 1\n@wf.step\ndef it(): return 1")
    change = book.ask(
        "it", retries=3, timeout="1h 30m", cache=True, after=["first"], fallback=["small"], tags=["a b"]
    )
    book.run(change.after)
    spec = book["wf"].spec().step("it")
    assert (spec.retries, spec.timeout, spec.cache) == (3, 5400.0, True)
    assert (spec.after, spec.fallback_names, spec.tags) == (["first"], ["small"], ["a b"])
    assert "+@wf.step(retries=3" in change.diff
    assert book.ask("it").before == change.after


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("wf.step(name='it')(lambda: 1)", "made by a call"),
        ("def f(): return 1\nwf.step(f, name='it')", "made by a call"),
        ("for i in ['it', 'that']:\n    @wf.step(name=i)\n    def it(): return 1", "expression"),
    ],
)
def test_what_cannot_be_changed_says_why(book: Any, source: str, reason: str) -> None:
    book.run(source)
    with pytest.raises(ConflictError, match=reason):
        edit.edit_step(book["wf"], "it", StepPolicy(retries=1))
    form = edit.settings(book["wf"], "it")
    assert reason in form.problem
    assert not form.writable


def test_several_workflows_and_steps_of_one_name(book: Any) -> None:
    book.run("other = aios.Workflow('other')")
    source = book.run(
        "@other.step(retries=1)\ndef it(): return 1\n\n@wf.step(retries=2)\ndef it(): return 2\n\n"
        "def build(wf):\n    @wf.step(retries=7)\n    def it(): return 3"
    )
    assert book.ask("it", retries=3).after == source.replace("retries=2", "retries=3")
    change = edit.edit_step(book["other"], "it", StepPolicy(retries=4))
    assert change.after == source.replace("retries=1", "retries=4")


def test_nested_async_stacked_and_indented(book: Any) -> None:
    source = book.run(
        "    import functools\n"
        "    def loud(fn):\n"
        "        @functools.wraps(fn)\n"
        "        def inner(*a, **k): return fn(*a, **k)\n"
        "        return inner\n"
        "    def build():\n"
        "        @wf.step(cache=True)\n"
        "        async def deep(): return 1\n"
        "    build()\n"
        "    @wf.step(\n"
        "        retries=1\n"
        "    )\n"
        "    @loud\n"
        "    def it(deep): return 1"
    )
    assert book.ask("it", retries=2).after == source.replace("retries=1", "retries=2")
    assert book.ask("deep", cache=None, timeout="3s").after == source.replace("cache=True", 'timeout="3s"')


def test_line_ends_and_tabs_stay(book: Any) -> None:
    source = book.run("x = '''a\tb'''\r\n@wf.step(\r\n\tretries=1,\r\n)\r\ndef it():\r\n\treturn 'ü'\r\n")
    change = book.ask("it", cache=True)
    assert change.before == source.rstrip("\n")
    assert change.after == change.before.replace("retries=1,\r\n", "retries=1,\r\n\tcache=True,\r\n")


def test_a_cell_is_named_by_its_number_and_line(book: Any) -> None:
    book.run("\n\n@wf.step\ndef it(): return 1")
    ref = edit.settings(book["wf"], "it").cell
    assert ref is not None
    assert ref.label.startswith("In[")
    assert ref.line == 3
    assert ref.source == "\n\n@wf.step\ndef it(): return 1"


def test_the_front_end_tells_which_cell_it_is(book: Any) -> None:
    from aios_workbench.widgets import cells

    cells.remember(book.shell)
    book.shell.run_cell("@wf.step\ndef it(): return 1", store_history=True, cell_id="abc-1")
    ref = edit.settings(book["wf"], "it").cell
    assert ref is not None
    assert ref.cell_id == "abc-1"


WRONG = [
    ({"retries": -1}, "retries", "0 to 1000"),
    ({"timeout": "soon"}, "timeout", "not a duration"),
    ({"backoff": "-1"}, "backoff", "not a duration"),
    ({"after": ["it"]}, "after", "itself"),
    ({"after": ["nobody"]}, "after", "no step"),
    ({"after": ["behind"]}, "after", "it -> behind -> it is a circle"),
    ({"fallback": ["nothing_here"]}, "fallback", "the kernel knows no"),
    ({"fallback": ["LIMIT"]}, "fallback", "not a function"),
    ({"retry_on": ["small"]}, "retry_on", "takes exception classes"),
    ({"retry_on": ["NoSuchError"]}, "retry_on", "the kernel knows no"),
    ({"on_error": "dead_letter", "hedge": "soon"}, "hedge", "not a duration"),
    ({"fallback": ["small(); import os"]}, "fallback", "not a name"),
    ({"when": "__import__('os').system('x')"}, "when", "not a name"),
    ({"on_reject": "continue"}, "on_reject", "has no"),
]


@pytest.mark.parametrize(("asked", "field", "message"), WRONG)
def test_a_wrong_value_is_told_with_its_field(
    book: Any, asked: dict[str, Any], field: str, message: str
) -> None:
    book.run(HEAD + "@wf.step\ndef it(): return 1\n@wf.step\ndef behind(it): return 1")
    with pytest.raises(ParameterError) as e:
        book.ask("it", **asked)
    assert list(e.value.fields) == [field]
    assert message in e.value.fields[field]


def test_options_from_elsewhere_are_left_there(book: Any) -> None:
    source = book.run("options = {'retries': 3}\n@wf.step(**options, cache=True)\ndef it(): return 1")
    assert edit.settings(book["wf"], "it").settings.retries == 3
    with pytest.raises(ParameterError, match="change it there"):
        book.ask("it", retries=1)
    assert book.ask("it", cache=False).after == source.replace(", cache=True", "")


def test_a_circle_can_be_taken_apart(book: Any) -> None:
    source = book.run("@wf.step(after=['two'])\ndef one(): return 1\n@wf.step\ndef two(one): return 1")
    assert book.ask("one", after=[]).after == source.replace("(after=['two'])", "")


def test_a_file_is_shown_and_not_written(book: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "import aios_workbench as aios\nwf = aios.Workflow('filed')\n\n\n@wf.step\ndef it():\n    return 1\n"
    )
    (tmp_path / "my_steps_file.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    book.run("from my_steps_file import wf")
    change = book.ask("it", retries=2)
    assert not change.writable
    assert change.after == text.replace("@wf.step", "@wf.step(retries=2)")
    assert "my_steps_file.py" in change.note
    del sys.modules["my_steps_file"]


def test_a_missing_step_and_a_foreign_workflow(book: Any) -> None:
    from aios_workbench.widgets import protocol

    with pytest.raises(NotFoundError, match="no step"):
        edit.edit_step(book["wf"], "gone", StepPolicy())
    with pytest.raises(ConflictError, match="not in this kernel"):
        edit.answer(None, protocol.EditStep(id=1, step="x", settings=StepPolicy()))


def test_a_workflow_made_again_is_gone_on_with(book: Any) -> None:
    old = book["wf"]
    book.run("wf = aios.Workflow('made by hand')\n@wf.step\ndef it(): return 1")
    assert edit.successor(old) is book["wf"]
    book.run("twin = aios.Workflow('made by hand')")
    assert edit.successor(old) is old  # which of the two is not clear
    assert edit.named("made by hand") is None
    book.run("del twin")
    assert edit.named("made by hand") is book["wf"]
