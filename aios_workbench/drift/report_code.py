"""The Python that makes a report, or its gate, again."""

from __future__ import annotations

from typing import Any

from aios_workbench.drift.models import ReportData, Rules

#: What begins or ends the name of a source that can be opened by its name.
_OPENED = (".parquet", ".csv", ".tsv", ".csv.gz", "/", "*")


def compare_code(data: ReportData) -> str:
    """Return the call of `aios.drift.compare` that makes a report; a frame is called `reference` or `current`."""
    said = [_side(data.reference.name, "reference"), _side(data.current.name, "current")]
    for role in ("target", "prediction", "score"):
        said += [f"{role}={c.name!r}" for c in data.columns if c.role == role][:1]
    if data.by is not None:
        said.append(f"by={data.by!r}")
    if data.engine != "duckdb":
        said.append(f"engine={data.engine!r}")
    changes = changed(data.rules)
    if changes == {"kind": "evidently"}:
        said.append("rules='evidently'")
    elif changes:
        said.append(f"rules=aios.drift.Rules({_arguments(changes)})")
    return f"report = aios.drift.compare({', '.join(said)})"


def gate_code(data: ReportData) -> str:
    """Return the lines that make a report's rules a gate, in a step's body and as a step's option."""
    rules = data.rules
    said = []
    if rules.max_share is not None:
        said.append(f"max_share={rules.max_share!r}")
    if rules.columns:
        said.append(f"columns={dict(rules.columns)!r}")
    others = {k: v for k, v in changed(rules).items() if k not in ("max_share", "columns")}
    if others:
        said.append(f"rules=aios.drift.Rules({_arguments(others)})")
    inside = "".join(f", {s}" for s in said)
    reference = _side(data.reference.name, "reference")
    return (
        "# in a step: raises DriftError when the data drifted\n"
        f"aios.drift.gate(report{inside})\n"
        "# or as the check of a step that returns the data\n"
        f"@wf.step(gate=aios.drift.check({reference}{inside}))\n"
        "def batch():\n"
        "    ...\n"
    )


def changed(rules: Rules) -> dict[str, Any]:
    """Return the rules that are not the defaults."""
    return {
        k: v
        for k, v in rules.model_dump().items()
        if v != Rules.model_fields[k].get_default(call_default_factory=True)
    }


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in values.items())


def _side(name: str, otherwise: str) -> str:
    lower = name.lower()
    opened = lower.endswith(_OPENED) or lower.startswith(("runs:/", "s3://", "select ", "from ", "with "))
    return repr(name) if opened else otherwise
