"""`python -m aios_workbench.demo`."""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.demo.story import HELD, Demo, prepare
from aios_workbench.errors import AiosError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit code: 0 when all held, 1 when not, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="aios-demo", description="The main job, headless, end to end.")
    parser.add_argument(
        "--out", type=Path, default=Path("aios-demo"), help="folder for everything (default: aios-demo)"
    )
    parser.add_argument("--path", type=Path, help="a claims CSV of your own (default: made-up claims)")
    parser.add_argument(
        "--keep", action="store_true", help="do not empty the folder first: history accumulates"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the facts as JSON, progress to standard error"
    )
    options = parser.parse_args(argv)

    from rich.console import Console

    screen, start = Console(stderr=options.json, soft_wrap=True), time.monotonic()

    def say(text: str) -> None:
        screen.print(f"{time.monotonic() - start:5.1f} s  {text}", markup=False, highlight=False)

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    demo: Demo | None = None
    signal.signal(signal.SIGTERM, stop)
    try:
        csv = options.path.expanduser().resolve(strict=True) if options.path else None
        demo = Demo(prepare(options.out, keep=options.keep), csv, say)
        demo.go()
    except KeyboardInterrupt:
        say("interrupted; the workers were stopped")
        return 130
    except (AiosError, OSError) as e:
        say(f"PROBLEM: {e}")
        if demo is None:
            return 1
        demo.problems.append(str(e))
    facts = {"ok": not demo.problems, "folder": str(demo.out), **demo.facts}
    if options.json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        show(facts, screen)
    return 0 if facts["ok"] else 1


def show(facts: dict[str, Any], screen: Any) -> None:
    """Print the balance for a person."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What happened", box=box.SIMPLE_HEAD, title_justify="left")
    for column in ("step", "status", "attempts", "seconds", "after kill -9"):
        table.add_column(column, justify="right" if column in ("attempts", "seconds") else "left")
    for s in facts.get("run", {}).get("steps", []):
        rest = "interrupted, done again" if s["step"] == HELD else "done by the other worker"
        what = "kept, not redone" if s["kept"] else rest
        table.add_row(s["step"], s["status"], str(s["attempts"]), f"{s['seconds']:.2f}", what)
    screen.print(table)
    figures = Table(title="Key figures", box=box.SIMPLE_HEAD, title_justify="left", show_header=False)
    for name, kpi in facts.get("kpis", {}).items():
        value = (
            f"{kpi['value']:.1%}"
            if kpi["unit"] == "share"
            else f"{kpi['value']:,.3f}".rstrip("0").rstrip(".")
        )
        figures.add_row(name.replace("_", " "), value, "" if kpi["unit"] == "share" else kpi["unit"])
    screen.print(figures)
    gate, job, audit = facts.get("gate", {}), facts.get("job", {}), facts.get("audit", {})
    lines = [
        f"gate     {gate.get('step')}: {gate.get('status')} by {gate.get('by')}",
        f"job      {job.get('name')} v{job.get('version')}: {job.get('ticks_fired')} tick fired, {job.get('status')}",
        f"audit    {audit.get('rows')} rows, chain {'intact' if audit.get('intact') else 'NOT VERIFIED'}",
        *[f"{name.replace('_', ' '):<18} {path}" for name, path in facts.get("files", {}).items()],
        f"took {facts.get('seconds')} s; " + ("all held" if facts["ok"] else "; ".join(facts["problems"])),
    ]
    for line in lines:
        screen.print(Text(line))


if __name__ == "__main__":
    raise SystemExit(main())
