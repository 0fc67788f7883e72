"""`aios promote --check`, `--fix` and `--rules`: findings by cell, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.cli import exits, output
from aios_workbench.cli.jobs_preview import show_ticks

if TYPE_CHECKING:
    from rich.text import Text

    from aios_workbench.promote import Finding
    from aios_workbench.promote.checks import Inspection
    from aios_workbench.promote.schedule import Upcoming

_MARKS = {"error": ("✕", "red"), "warning": ("▲", "yellow"), "note": ("·", "cyan")}


def report(seen: Inspection, ticks: list[Upcoming], *, as_json: bool) -> int:
    """Print what was found, and when it would run next; the exit code says whether something stands in the way."""
    if as_json:
        output.emit(seen.to_dict() | ({"upcoming": [u.to_dict() for u in ticks]} if ticks else {}))
        return exits.OK if seen.ok else exits.FAILED
    show_findings(seen.findings)
    for finding, reason in seen.ignored:
        output.say(f"ignored: {finding.rule} {finding.place}: {reason}")
    if seen.run is not None:
        _show_run(seen.run)
    _show_files(seen)
    if ticks:
        show_ticks(ticks)
    counts = [(sum(f.severity == s for f in seen.findings), s) for s in _MARKS]
    told = ", ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in counts if n)
    if mendable := sum(f.quick_fix is not None for f in seen.findings):
        told += f"; `aios promote --fix {seen.path.name}` mends {mendable}"
    if told:
        output.say(told)
    output.say("nothing stands in the way" if seen.ok else "it cannot be promoted; nothing was changed")
    return exits.OK if seen.ok else exits.FAILED


def show_findings(findings: Sequence[Finding]) -> None:
    """Print findings under the cell they are about, the whole notebook's first."""
    if not findings:
        output.say("no findings")
        return
    for cell in sorted({f.cell or 0 for f in findings}):
        output.say(f"cell {cell}" if cell else "the notebook")
        for f in sorted(
            (f for f in findings if (f.cell or 0) == cell), key=lambda f: (f.line or 0, f.sort_key)
        ):
            where = f" line {f.line}" if f.line else ""
            fixable = "  (--fix does it)" if f.quick_fix is not None else ""
            fix = f"{f.fix[:1].upper()}{f.fix[1:]}"
            output.say("  ", _mark(f.severity), f" {f.rule} {f.code}{where}: {f.message}.")
            output.say(f"      {fix}.{fixable}")


def _mark(severity: str) -> Text:
    from rich.text import Text

    symbol, style = _MARKS[severity]
    return Text(f"{symbol} {severity}", style=style)


def _show_run(run: Any) -> None:
    from aios_workbench.workflow.durations import format_duration

    peak = f", at most {output.size(run.peak_bytes)} of memory" if run.peak_bytes else ""
    output.say(
        f"clean run: {run.status} in {format_duration(max(run.seconds, 0.001))}{peak}; "
        f"{run.compared} saved outputs compared"
    )


def _show_files(seen: Inspection) -> None:
    rows: list[tuple[object, ...]] = [("module", name, sha[:12], None) for name, sha in seen.modules.items()]
    rows += [("data", d.path, d.sha256[:12], output.size(d.bytes)) for d in seen.data]
    if rows:
        output.show(output.table(("kind", "file", "sha256", ">size"), rows))


def fix(notebook: Path, only: Sequence[str], out: Path | None, *, as_json: bool) -> int:
    """Make the quick fixes, and say which.

    Raises
    ------
    NotFoundError
        For a rule that does not exist.
    """
    from aios_workbench.promote.checks import fix_notebook, rule

    done = fix_notebook(notebook, only=[rule(name).id for name in only], out=out)
    if as_json:
        output.emit({
            "notebook": str(done.path), "backup": str(done.backup) if done.backup else None,
            "fixed": [f.to_dict() for f in done.findings],
        })  # fmt: skip
        return exits.OK
    for f in done.findings:
        assert f.quick_fix is not None
        output.say(f"{f.place or 'the notebook'}: {f.rule} {f.quick_fix.title}")
    if not done.findings:
        output.say("nothing to mend")
    else:
        kept = f"; as it was: {done.backup}" if done.backup else ""
        output.say(f"{done.path} written{kept}. Run it and look at it before you promote it")
    return exits.OK


def show_rules(*, as_json: bool) -> int:
    """Print every rule with its reason."""
    from aios_workbench.promote.checks import all_rules

    rules = all_rules()
    if as_json:
        output.emit([
            {"id": r.id, "name": r.name, "family": r.family, "severity": r.severity, "what": r.what, "why": r.why,
             "fixable": r.fixable}
            for r in rules
        ])  # fmt: skip
        return exits.OK
    rows = [
        (r.id, r.name, _mark(r.severity), r.family, f"{r.what} {r.why}", "fix" if r.fixable else "")
        for r in rules
    ]
    output.show(output.table(("rule", "name", "severity", "family", "what and why", ""), rows))
    return exits.OK
