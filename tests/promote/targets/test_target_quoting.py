"""Whatever a job is called and given: the files parse, and hold exactly that."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_kit import nightly, parameters_in, plan_of

from aios_workbench.promote.targets import NAMES, Plan, Step, get
from aios_workbench.promote.targets.code import literal, text
from aios_workbench.promote.targets.pysteps import step_names
from aios_workbench.promote.targets.quoting import (
    comment,
    identifier,
    read_word,
    safe_json,
    shell,
    slug,
    to_yaml,
    word,
)

PIECES = ("$(id)", "`id`", "${{ secrets.X }}", "{{ x }}", "{% x %}", "%h", "%", "$$", "$HOME", "'", '"', "\\", "\n",
          "\r", "\u2028", "\x00", "\x1b[2J", "\t", "#", "-->", "]]>", "é", "😀", "---", "- ", ": ", "!!python/x", "&a",
          "*a", "@", "<<title>>", "<<header>>", '"""', "'''", "\\u0022", "yes", "0x1", "1e3", "null", " ")  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)
names = (
    hostile.map(lambda t: "".join(c for c in t if c.isprintable()).strip()[:100])
    .filter(bool)
    .filter(lambda t: t.encode("utf-8", "ignore").decode() == t)
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=6,
)
parameters = st.dictionaries(hostile, values, max_size=3)


@given(values)
def test_safe_json_is_json_that_nothing_expands(value: Any) -> None:
    found = safe_json(value)
    assert json.loads(found) == value
    assert found.isascii()
    assert found.isprintable()
    assert not re.search(r"[$%`'<>&#!@]|\{\{|\}\}", found)


@given(st.lists(hostile.filter(lambda t: "\x00" not in t), min_size=1, max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_shell_sees_the_words(words: list[str]) -> None:
    words = [w.encode("utf-8", "ignore").decode() for w in words]
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {shell(words)}"], capture_output=True, check=True
    )
    assert done.stdout.decode().split("\0")[:-1] == words


@given(values)
def test_literals_are_the_value(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value
    assert ast.literal_eval(literal(value, 4, 30)) == value


@given(hostile)
def test_text_is_ascii_on_one_line(value: str) -> None:
    written = text(value)
    assert ast.literal_eval(written) == value
    assert written.isascii()
    assert written.isprintable()


@given(hostile)
def test_words_and_comments(value: str) -> None:
    assert read_word(word(value)) == value or value.startswith('"')
    told = comment(value)
    assert told.isprintable() or told == ""
    assert len(told.splitlines()) <= 1


@given(names)
def test_slugs_are_identifiers_everywhere(name: str) -> None:
    found = slug(name)
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,50}[a-z0-9])?", found)
    assert "--" not in found
    assert identifier(name).isidentifier()


@given(st.lists(hostile.filter(bool), min_size=2, max_size=6, unique=True))
def test_steps_keep_apart(names: list[str]) -> None:
    found = step_names([Step(name) for name in names])
    assert set(found) == set(names)
    assert len(set(found.values())) == len(names)


@given(st.dictionaries(hostile, values, max_size=3))
def test_yaml_reads_back(data: dict[str, Any]) -> None:
    if all(_writable(part) for part in [*data, *map(str, data.values())]):
        assert yaml.safe_load(to_yaml(data)) == data


def _writable(part: str) -> bool:
    return not any(0xD800 <= ord(c) < 0xE000 for c in part)


@pytest.mark.parametrize("target", NAMES)
@given(name=names, given_parameters=parameters)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_target_holds_what_it_was_given(
    target: str, name: str, given_parameters: dict[str, Any]
) -> None:
    spec = nightly(target, name=name, parameters=given_parameters)
    plan: Plan = plan_of(target, spec, again=f"aios promote {name} --target {target}")
    files = get(target).render(plan)
    assert dict(files) == dict(get(target).render(plan)), "not the same twice"
    for path, content in files.items():
        if path.endswith(".py"):
            ast.parse(content)
        if path.endswith((".yaml", ".yml")):
            assert content == content.replace("\r", "")
    if target != "crontab" or len(plan.parameters_json) <= 500:
        assert parameters_in(target, files) == spec.parameters


@pytest.mark.parametrize("target", [name for name in NAMES if "steps" in get(name).grains])
@given(names=st.lists(names, min_size=2, max_size=4, unique=True))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_steps_of_any_name(target: str, names: list[str]) -> None:
    first, *rest = names
    steps = (Step(first, gate=True), *(Step(name, (first,), retries=1) for name in rest))
    files = get(target).render(plan_of(target, nightly(target), steps=steps))
    for path, content in files.items():
        if path.endswith(".py"):
            known = {
                n.value
                for n in ast.walk(ast.parse(content))
                if isinstance(n, ast.Constant) and isinstance(n.value, str)
            }
            assert {name if target != "kfp" else word(name) for name in names} <= known
        if path.endswith(".yaml"):
            workflow = yaml.safe_load(content)["spec"]["workflowSpec"]
            words = {a for t in workflow["templates"] if "container" in t for a in t["container"]["args"]}
            assert {word(name) for name in names} <= words
            assert not any(re.search(r"\{\{(?!workflow\.|inputs\.)", w) for w in words)
