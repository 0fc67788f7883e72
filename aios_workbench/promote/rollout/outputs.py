"""What a run gave, kept small, and how it differs from what its shadow gave."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.checks.compare import differences
from aios_workbench.promote.records import run_folder
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.workspace import Workspace

#: Of one output so many characters are kept; the rest counts by its hash.
_KEPT = 4_000
#: More than that is counted, not listed.
_LISTED = 50
_KINDS = ("text/plain", "text/html", "text/markdown", "text/latex", "application/json")


def given(ws: Workspace, row: Mapping[str, Any], rules: Rules) -> dict[str, Any] | None:
    """Return what a run that has ended gave; None when its files are not on this machine."""
    found: dict[str, Any] = {"metrics": _metrics(ws, row["job_run_id"])}
    if rules.compare == "outputs":
        path = run_folder(ws, row["job_id"], row["job_run_id"]) / "executed.ipynb"
        try:
            book = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            book = {}
        found |= {"cells": [_cell(c) for c in book.get("cells", []) if c.get("cell_type") == "code"]}
        found["artifacts"] = _artifacts(ws, row["job_run_id"])
    return found


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    source = _text(cell.get("source", ""))
    outputs = [_small(o) for o in cell.get("outputs", []) if o.get("name") != "stderr"]
    return {"source": hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:16], "outputs": outputs}


def _small(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output with no more than what is compared."""
    kept = {k: output[k] for k in ("output_type", "name", "ename") if k in output}
    if "text" in output:
        kept["text"] = _cut(_text(output["text"]))
    if "evalue" in output:
        kept["evalue"] = _cut(str(output["evalue"]))
    if "data" in output:
        kept["data"] = {
            mime: _cut(_text(value) if isinstance(value, (str, list)) else json.dumps(value, sort_keys=True))
            if mime in _KINDS
            else ""
            for mime, value in output["data"].items()
        }
    return kept


def _cut(text: str) -> str:
    if len(text) <= _KEPT:
        return text
    from aios_workbench.promote.checks.compare import sanitised

    rest = hashlib.sha256(sanitised(text).encode("utf-8", "replace")).hexdigest()
    return f"{text[:_KEPT]}\nand more: {_letters(rest)}"


def _letters(digest: str) -> str:
    """Write a hash so that no sanitiser takes it for an id that never is the same."""
    return digest[:16].translate(str.maketrans("0123456789", "ghijklmnop"))


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _metrics(ws: Workspace, job_run_id: str) -> dict[str, Any]:
    rows = ws.catalog.query(
        "select r.workflow, m.step, m.name, m.value, m.text from metrics m join runs r on r.run_id = m.run_id "
        "where r.job_run_id = :id order by m.at",
        id=job_run_id,
    )
    return {f"{m['workflow']}/{m['step']}/{m['name']}": _value(m) for m in rows}


def _value(metric: Mapping[str, Any]) -> Any:
    return metric["text"] if metric["value"] is None else float(metric["value"])


def _artifacts(ws: Workspace, job_run_id: str) -> dict[str, str]:
    """Return the values of the steps whose value no other step took, by hash."""
    rows = ws.catalog.query(
        "select r.workflow, s.run_id, s.step, s.output, s.inputs from steps s join runs r on r.run_id = s.run_id "
        "where r.job_run_id = :id order by r.created_at, s.position",
        id=job_run_id,
    )
    taken = "\n".join(row["inputs"] for row in rows)
    return {
        f"{r['workflow']}/{r['step']}": r["output"] for r in rows if r["output"] and r["output"] not in taken
    }


def compare(old: Mapping[str, Any], new: Mapping[str, Any], rules: Rules) -> list[str]:
    """Return in words how what a run gave differs from what its shadow gave.

    Cells are matched by their source: one that only one version has is no difference of outputs, and neither is what
    never is the same (times, addresses, ids; see `checks.compare`).
    """
    found = [*_cells(old.get("cells", []), new.get("cells", []))]
    found += _numbers(old["metrics"], new["metrics"], rules.tolerance)
    kept, made = old.get("artifacts", {}), new.get("artifacts", {})
    found += [
        f"the value of step {name} is another" for name in kept if name in made and kept[name] != made[name]
    ]
    more = len(found) - _LISTED
    return [*found[:_LISTED], f"and {more} more"] if more > 0 else found


def _cells(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    match = difflib.SequenceMatcher(
        None, [c["source"] for c in old], [c["source"] for c in new], autojunk=False
    )
    found = []
    for kind, start, end, first, last in match.get_opcodes():
        if kind not in ("equal", "replace"):
            continue
        for a, b in zip(range(start, end), range(first, last), strict=False):
            if said := differences(old[a]["outputs"], new[b]["outputs"]):
                found.append(f"code cell {b + 1}: {said}")
    return found


def _numbers(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float) -> list[str]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.append(f"metric {name} is gone")
        elif name not in old:
            found.append(f"metric {name} is new")
        elif not _near(old[name], new[name], tolerance):
            found.append(f"metric {name}: {_say(old[name])} became {_say(new[name])}")
    return found


def _near(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return bool(a == b or abs(a - b) <= tolerance * max(abs(a), abs(b)))
    return bool(a == b)


def _say(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(str(value)[:60])
