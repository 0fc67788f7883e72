"""`aios jobs versions`, `diff`, `rollback`, `provenance`, `export`: what was promoted, and going back to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option
from aios_workbench.errors import ParameterError

_SIGN = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


@click.command(short_help="List the versions of a job.")
@click.argument("job")
@json_option
@click.pass_obj
def versions(state: State, job: str, as_json: bool) -> None:
    """List the versions of JOB, newest first, with who promoted them, what they said, and how many runs each had."""
    from aios_workbench.promote.versions import versions as all_of

    found = all_of(state.workspace(), job)
    if as_json:
        output.emit({"versions": found})
        return
    output.show(output.table(
        ("version", "state", "", "promoted", "by", ">runs", "bundle", "note"),
        [(v["version"], output.state(v["status"]), "runs" if v["current"] else "", output.clock(v["created_at"]),
          v["created_by"] or "", v["runs"], v["bundle_hash"][:12], output.short(v["note"] or "", 80)) for v in found],
    ))  # fmt: skip


@click.command(short_help="Compare versions of a job, or one with its notebook.")
@click.argument("job")
@click.argument("old", type=click.IntRange(1), required=False)
@click.argument("new", type=click.IntRange(1), required=False)
@click.option("--notebook", type=click.Path(path_type=Path, dir_okay=False),
              help="Compare with this notebook as it is saved; without NEW that is the job's own.")  # fmt: skip
@json_option
@click.pass_obj
def diff(
    state: State, job: str, old: int | None, new: int | None, notebook: Path | None, as_json: bool
) -> None:
    """Compare version OLD of JOB (the one it runs, if not given) with version NEW.

    Without NEW: with the job's notebook as it is saved now, so with what promoting it would change.
    """
    from aios_workbench.promote.versions import diff as compare

    if new is not None and notebook is not None:
        raise ParameterError("compare with a version or with --notebook, not with both")
    found = compare(state.workspace(), job, old, new if new is not None else notebook)
    output.emit(found) if as_json else show_diff(found)


def show_diff(found: dict[str, Any]) -> None:
    """Print what differs: options, cells, files, packages, data."""
    for change in found["spec"]:
        output.say(f"~ {change['option']}: {_value(change['old'])} -> {_value(change['new'])}")
    for cell in found["cells"]:
        _show(cell["kind"], _cell(cell), cell["diff"])
    for file in found["files"]:
        _show(file["kind"], file["path"], file["diff"])
    for package in found["packages"]:
        output.say(f"~ {package['package']} {package['old'] or '(none)'} -> {package['new'] or '(none)'}")
    for file in found["data"]:
        _show(file["kind"], f"{file['path']}  {file['diff']}", "")
    if found["same"]:
        output.say("the same, to the byte")
    elif not any(found[part] for part in ("spec", "cells", "files", "packages", "data")):
        output.say(
            "the same cells, modules, packages and options; something in the notebook's metadata differs"
        )


def _cell(cell: dict[str, Any]) -> str:
    if cell["kind"] == "moved":
        return f"cell {cell['old']} is cell {cell['new']} now"
    number = cell["new"] or cell["old"]
    was = f" (was {cell['old']})" if cell["kind"] == "changed" and cell["old"] != cell["new"] else ""
    return f"cell {number}{was}"


def _show(kind: str, what: str, diff: str) -> None:
    output.say(f"{_SIGN[kind]} {what}  {kind}")
    if diff:
        output.say("\n".join(f"    {line}" for line in diff.split("\n")), lines=True)


def _value(value: Any) -> str:
    return "(none)" if value is None else json.dumps(value, ensure_ascii=False)


@click.command(short_help="Run an earlier version of a job again.")
@click.argument("job")
@click.argument("version", type=click.IntRange(1), required=False)
@click.option("--reason", help="Why; kept in the audit trail.")
@json_option
@click.pass_obj
def rollback(state: State, job: str, version: int | None, reason: str | None, as_json: bool) -> int:
    """Let JOB run VERSION again from its next run on; without VERSION the approved one before.

    That version exactly, with its own schedule. What is queued or running stays what it is, and nothing is deleted:
    a rollback to the newer version goes forward again.
    """
    from aios_workbench.govern import actor
    from aios_workbench.promote.versions import rollback as back

    done = back(state.workspace(), job, version, actor(), reason)
    if as_json:
        output.emit({**done.to_dict(), "changed": done.changed})
        return exits.OK
    what = f"  runs version {done.version}" + ("" if done.changed else " already; nothing was changed")
    due = f"   next {output.clock(done.next_tick_at)}" if done.next_tick_at else ""
    output.say(f"{done.name}  ", output.state(done.status), what, due)
    return exits.OK


@click.command(short_help="Say where a version of a job comes from.")
@click.argument("job")
@click.option("--version", type=click.IntRange(1), help="Which; the one it runs if not given.")
@json_option
@click.pass_obj
def provenance(state: State, job: str, version: int | None, as_json: bool) -> None:
    """Say where a version of JOB comes from: commit, code, data, environment, check, who promoted and who agreed.

    With --json an in-toto statement with SLSA provenance (slsa.dev/provenance/v1), for other tools.
    """
    from aios_workbench.promote.versions import statement

    found = statement(state.workspace(), job, version)
    if as_json:
        output.emit(found)
        return
    definition, details = found["predicate"]["buildDefinition"], found["predicate"]["runDetails"]
    about, git = definition["internalParameters"], definition["internalParameters"]["git"]
    (subject,) = found["subject"]
    check = about["check"]
    rows = [
        ("version", subject["name"]), ("bundle", subject["digest"]["sha256"]),
        ("promoted", f"{details['metadata']['startedOn']} by {about['promotedBy']} ({about['user']}@{about['host']})"),
        ("note", subject["annotations"]["note"]), ("notebook", definition["externalParameters"]["notebook"]),
        ("commit", _commit(git) if git else "not in a git repository"),
        ("check", f"{check['error']} errors, {check['warning']} warnings, {check['note']} notes"),
        ("code", about["codeHash"]), ("data", about["dataHash"]), ("environment", about["environmentHash"]),
        *(("approval", f"{a['decision']} by {a['actor']}, {a['at']}" + (f": {a['reason']}" if a["reason"] else ""))
          for a in (b["annotations"] for b in details["byproducts"] if b["name"] == "approval")),
    ]  # fmt: skip
    output.show(output.table(("", ""), [(k, output.short(v, 150)) for k, v in rows if v is not None]))
    inputs = [d for d in definition["resolvedDependencies"] if "name" in d]
    output.show(output.table(
        ("input", "kind", "SHA-256"), [(d["name"], d["annotations"]["kind"], d["digest"]["sha256"]) for d in inputs]
    ))  # fmt: skip


def _commit(git: dict[str, Any]) -> str:
    changed = " with changes that are not committed" if git["dirty"] else ""
    return f"{git['commit'][:12]} of {git['remote'] or 'a local repository'}, {git['path']}{changed}"


@click.command(short_help="Write a version of a job into a folder for git.")
@click.argument("job")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder.")
@click.option("--version", type=click.IntRange(1), help="Which; the one it runs if not given.")
@click.option("--bundle", "as_bundle", is_flag=True, help="As it is, for `aios run-job`.")
@json_option
@click.pass_obj
def export(state: State, job: str, out: Path, version: int | None, as_bundle: bool, as_json: bool) -> None:
    """Write a version of JOB into a folder: job.yaml, notebook, modules, small data, lock, provenance.

    To read, to compare, to keep in git, and to promote again with --spec job.yaml. Written again, only what differs
    changes; a file that no export has written is never overwritten.
    """
    from aios_workbench.promote.exporting import export as write

    files = write(state.workspace(), job, out.expanduser(), version, as_bundle=as_bundle)
    if as_json:
        output.emit({"folder": str(out), "files": [f.as_posix() for f in files]})
        return
    for file in files:
        output.say(str(out / file))
