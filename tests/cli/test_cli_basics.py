"""Help, exit codes, hostile text, values from text, targets: what needs no run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.cli import exits, output, values
from aios_workbench.cli.app import app
from aios_workbench.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Project

COMMANDS = [
    "lab",
    "run",
    "runs",
    "show",
    "logs",
    "diff",
    "history",
    "resume",
    "cancel",
    "rerun",
    "approve",
    "reject",
    "settle",
    "worker",
    "jobs",
    "promote",
    "events",
    "targets",
    "run-job",
    "run-step",
    "secrets",
    "policy",
    "breakers",
    "limits",
    "budgets",
    "sql",
    "doctor",
    "gc",
]
#: Prints JSON and nothing else, asked or not: other programs call it.
ALWAYS_JSON = ("run-step",)
JOBS = [
    "list",
    "show",
    "history",
    "preview",
    "pause",
    "resume",
    "run",
    "cancel",
    "remove",
    "logs",
    "backfill",
    "backfills",
    "cells",
    "versions",
    "diff",
    "rollback",
    "provenance",
    "export",
    "retry",
    "approve",
    "reject",
    "approvals",
    "rollout",
    "image",
    "try",
]


def leaves(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, (*path, name))
    else:
        yield path, command


def test_commands() -> None:
    assert list(app.commands) == COMMANDS
    jobs = app.commands["jobs"]
    assert isinstance(jobs, click.Group)
    assert list(jobs.commands) == JOBS


@pytest.mark.parametrize("path", [p for p, _ in leaves(app) if p != ALWAYS_JSON], ids=" ".join)
def test_every_command_has_json_and_help(project: Project, path: tuple[str, ...]) -> None:
    assert "--json" in project(*path, "--help").stdout


def test_help_names_every_exit_code(project: Project) -> None:
    shown = project("--help").stdout
    for code in exits.MEANING:
        assert re.search(rf"^  {code} ", shown, re.MULTILINE), code
    assert not project.root.exists()  # looking leaves nothing behind


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from aios_workbench.cli.app import app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"dbos", "sqlalchemy", "pandas", "pydantic", "rich", "jupyter_client", "duckdb"} & set(loaded)


@pytest.mark.parametrize(
    "args",
    [["nonsense"], ["run"], ["show"], ["rerun", "x"], ["runs", "--limit", "0"], ["runs", "--status", "odd"],
     ["worker", "--slots", "none"], ["jobs", "nonsense"], ["gc", "--keep-days", "-1"], ["promote"],
     ["lab", "/no/such/folder"]],
    ids=" ".join,
)  # fmt: skip
def test_usage(project: Project, args: list[str]) -> None:
    assert (
        "Usage: aios" in project(*args, code=exits.USAGE).stderr
        or "no folder" in project(*args, code=2).stderr
    )


@pytest.mark.parametrize(
    "args", [["runs"], ["show", "x"], ["logs", "x"], ["cancel", "x"], ["jobs", "list"], ["sql", "select 1"], ["gc"]],
    ids=" ".join,
)  # fmt: skip
def test_without_a_workspace(project: Project, args: list[str]) -> None:
    assert "no workspace" in project.error(*args, code=exits.WORKSPACE)
    assert not project.root.exists()


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain", "plain"), ("[red]x[/red]", "[red]x[/red]"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("a\nb\tc", "a\\nb\\tc"),
     ("\x9b31m", "\\x9b31m"), ("a\u202eb", "a\\u202eb"), ("\ud800", "\\ud800"), ("grün ✓ 数", "grün ✓ 数")],
)  # fmt: skip
def test_clean(text: str, expected: str) -> None:
    assert output.clean(text) == expected


def test_clean_lines_drops_colours_and_keeps_lines() -> None:
    assert (
        output.clean("\x1b[1;31mred\x1b[0m\r\n\tnext\x1b]0;title\x07\x08", lines=True) == "red\n\tnext\\x08"
    )


@given(st.text(st.characters(codec=None)), st.booleans())
def test_nothing_printed_acts_on_a_terminal(text: str, lines: bool) -> None:
    shown = output.clean(text, lines=lines)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert lines or "\n" not in shown
    shown.encode()


def test_markup_in_a_table_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.show(output.table(("[bold]head",), [("[red]x[/red] :smile:",), ("\x1b[31m",)], title="[i]t"))
    shown = capsys.readouterr().out
    assert "[red]x[/red] :smile:" in shown
    assert "[bold]head" in shown
    assert "\x1b" not in shown


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"a": float("nan"), "b": [float("inf")], 1: "\x1b\u202e"})
    assert (
        capsys.readouterr().out == '{\n  "a": null,\n  "b": [\n    null\n  ],\n  "1": "\\u001b\\u202e"\n}\n'
    )


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [("5", {}, 5), ("5", {"type": "string"}, "5"), ("5", {"type": "integer"}, 5), ("x", {"type": "integer"}, "x"),
     ("true", {"type": "string"}, "true"), ("true", {"type": "boolean"}, True), ("[1]", {"type": "array"}, [1]),
     ("null", {"anyOf": [{"type": "string"}, {"type": "null"}]}, None), ("", {"type": "string"}, ""),
     ('"5"', {"type": "string"}, "5"), ("1e3", {"type": "number"}, 1000.0), ("007", {}, "007")],
)  # fmt: skip
def test_fit(text: str, schema: dict[str, Any], expected: object) -> None:
    assert values.fit(text, schema) == expected


@pytest.mark.parametrize("texts", [["novalue"], ["=5"], ["a=1", "a=2"]])
def test_bad_assignments(texts: list[str]) -> None:
    with pytest.raises(ParameterError, match="-p"):
        values.assignments(texts, "-p", "limit=5")


@pytest.mark.parametrize("text", ["review=perhaps", "review={}", 'review={"decision": "maybe"}', "review=1"])
def test_bad_gate_policies(text: str) -> None:
    with pytest.raises(ParameterError, match="approve, reject, wait"):
        values.gate_policies([text])


# ---------------------------------------------------------------- targets


@pytest.mark.parametrize(
    ("name", "source", "code", "told"),
    [
        ("none.py", "x = 1", 2, "defines no workflow"),
        (
            "two.py",
            "import aios_workbench as a\nx, y = a.Workflow('one'), a.Workflow('two')",
            2,
            "two.py:x (one)",
        ),
        ("wrong.py", "def f(:", 2, "SyntaxError"),
        ("raises.py", "raise ValueError('at line 1')", 2, "ValueError: at line 1"),
        ("leaves.py", "import sys\nsys.exit(3)", 2, "exit 3"),
        (
            "two.py:z",
            "import aios_workbench as a\nx, y = a.Workflow('one'), a.Workflow('two')",
            3,
            "no workflow 'z'",
        ),
        ("absent.py", None, 3, "no file absent.py"),
        ("absent.ipynb", None, 3, "no notebook"),
    ],
)
def test_bad_targets(project: Project, name: str, source: str | None, code: int, told: str) -> None:
    if source is not None:
        Path(name.partition(":")[0]).write_text(source)
    assert told in project.error("run", name, code=code)


def test_exit_codes_of_states() -> None:
    assert [exits.of_status(s) for s in ("succeeded", "failed", "cancelled", "timeout", "waiting")] == [
        0,
        1,
        1,
        1,
        6,
    ]


def test_debug_shows_the_traceback(project: Project) -> None:
    from aios_workbench.errors import WorkspaceError

    with pytest.raises(WorkspaceError):
        project("--debug", "runs", code=None)


def test_workspace_option(project: Project, tmp_path: Path) -> None:
    project("run", "flows.py:hello")
    elsewhere = tmp_path / "elsewhere"
    assert "no workspace" in project.error("--workspace", elsewhere, "runs", code=5)
    for named in (project.folder, project.root):
        assert len(project.json("--workspace", named, "runs")["runs"]) == 1
