"""Writes `labextension/src/protocol.ts` from `protocol.py`; likewise those of the analysts' protocols.

python -m aios_workbench.widgets.generate_ts [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from aios_workbench.drift import names
from aios_workbench.widgets import drift_protocol, explain_protocol, protocol, tuning_protocol
from aios_workbench.workspace.models import Filter, Sort, TableQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

SOURCES = Path(__file__).resolve().parents[2] / "labextension" / "src"
TARGET = SOURCES / "protocol.ts"
TUNING = SOURCES / "tuning_protocol.ts"
DRIFT = SOURCES / "drift_protocol.ts"
EXPLAIN = SOURCES / "explain_protocol.ts"

_HEAD = """\
// Generated from aios_workbench/widgets/{} by `python -m aios_workbench.widgets.generate_ts`. Do not edit.
"""

#: What has a default may be left out of these: parts of requests, and what is sent most often.
_BRIEF = (Sort, Filter, TableQuery, protocol.NodeChange)

_PLAIN = {
    "string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null", None: "unknown",
}  # fmt: skip


def generate() -> str:
    """Return the TypeScript of all messages."""
    # The kernel always writes fields that have defaults; the browser may leave them out.
    written = definitions(
        [m for m in protocol.MODELS if not issubclass(m, (protocol.Request, *_BRIEF))], "serialization"
    )
    read = definitions([*protocol.ANSWERS, *_BRIEF], "validation")
    still = protocol.NodeMoves().model_dump(mode="json")
    parts = [
        _HEAD.format("protocol.py"),
        _alias("RunStatus", written["RunInfo"]["properties"]["status"]),
        _alias("StepStatus", written["StepNode"]["properties"]["status"]),
        f"/** What is left out of a `NodeChange`. */\nexport const STILL: NodeMoves = {_object(still)};\n",
        f"export const TERMINAL: readonly RunStatus[] = [{', '.join(_text(s) for s in sorted(protocol.TERMINAL))}];\n",
    ]
    for model in protocol.MODELS:
        source = read if issubclass(model, (protocol.Request, *_BRIEF)) else written
        parts.append(
            interface(
                model.__name__, source[model.__name__], required_kind=issubclass(model, protocol.Request)
            )
        )
    return "\n".join([*parts, *_asking("Request", "Answers", protocol.ANSWERS, read)])


def generate_tuning() -> str:
    """Return the TypeScript of what is said about a tuning."""
    aliases = {
        "Family": ("TuningPoint", "family"),
        "TuningStatus": ("TuningView", "status"),
        "System": ("Exported", "system"),
    }
    return _sister("Tuning", tuning_protocol, tuning_protocol.TuningRequest, "Done", aliases)


def generate_drift() -> str:
    """Return the TypeScript of what is said about a drift report."""
    aliases = {
        "Verdict": ("ColumnDrift", "verdict"),
        "Kind": ("ColumnDrift", "kind"),
        "Text": ("Written", "what"),
    }
    words = {str(name): said for name, said in names.WORDS.items()}
    said = _sister("Drift", drift_protocol, drift_protocol.DriftRequest, "Done, Preview", aliases)
    table = f"export const STATISTICS: Record<string, string> = {_object(words)};"
    return f"{said}\n/** What a person reads for a statistic. */\n{table}\n"


def generate_explain() -> str:
    """Return the TypeScript of what is said about an explanation."""
    aliases = {
        "Level": ("Check", "level"),
        "CheckName": ("Check", "name"),
        "ColumnKind": ("Column", "kind"),
        "Scale": ("ExplainView", "scale"),
        "Picture": ("Pinned", "picture"),
        "Text": ("Written", "what"),
        "AxisOf": ("Axis", "of"),
    }
    return _sister("Explain", explain_protocol, explain_protocol.ExplainRequest, "Done, Preview", aliases)


def _sister(
    name: str, source: Any, asked: type[BaseModel], shared: str, aliases: Mapping[str, tuple[str, str]]
) -> str:
    """Return the TypeScript of a protocol that stands beside `protocol.py` and takes `shared` from it."""
    written = definitions([m for m in source.MODELS if not issubclass(m, asked)], "serialization")
    read = definitions([*source.ANSWERS], "validation")
    named = [_alias(n, written[model]["properties"][field]) for n, (model, field) in aliases.items()]
    parts = [
        _HEAD.format(f"{name.lower()}_protocol.py"),
        f"import type {{ {shared} }} from './protocol';\n",
        "\n".join(named) + "\n",
    ]
    for model in source.MODELS:
        request = issubclass(model, asked)
        parts.append(
            interface(model.__name__, (read if request else written)[model.__name__], required_kind=request)
        )
    return "\n".join([*parts, *_asking(f"{name}Question", f"{name}Answers", source.ANSWERS, read)])


def _asking(request: str, answers: str, table: Mapping[Any, Any], read: dict[str, Any]) -> list[str]:
    names = " | ".join(m.__name__ for m in table)
    rows = "".join(f"  {_kind(read[q.__name__])}: {a.__name__};\n" for q, a in table.items())
    return [
        f"export type {request} = {names};\n",
        f"/** What each kind of request is answered with. */\nexport interface {answers} {{\n{rows}}}\n",
    ]


def definitions(models: Sequence[type[BaseModel]], mode: Any) -> dict[str, Any]:
    """Return the JSON schemas of models, and of all they are made of, by name."""
    _, schema = models_json_schema([(m, mode) for m in models], ref_template="{model}")
    return dict(schema["$defs"])


def _kind(schema: dict[str, Any]) -> str:
    return str(schema["properties"]["kind"]["const"])


def interface(name: str, schema: dict[str, Any], *, required_kind: bool = False) -> str:
    """Return a model's JSON schema as a TypeScript interface."""
    required = set(schema.get("required", ())) | ({"kind"} if required_kind else set())
    lines = [_comment(schema["description"]), f"export interface {name} {{"]
    for field, sub in schema["properties"].items():
        lines.append(f"  {field}{'' if field in required else '?'}: {_named(name, field) or _type(sub)};")
    return "\n".join([*lines, "}", ""])


def _named(model: str, field: str) -> str | None:
    named = {
        ("RunInfo", "status"): "RunStatus",
        ("StepNode", "status"): "StepStatus",
        ("NodeMoves", "status"): "StepStatus",
        ("NodeChange", "status"): "StepStatus",
        ("StepDetail", "status"): "StepStatus",
        ("TuningView", "status"): "TuningStatus",
        ("TuningPatch", "status"): "TuningStatus",
        ("TuningPoint", "family"): "Family",
        ("Pruned", "family"): "Family",
        ("Exported", "system"): "System",
        ("AskExport", "system"): "System",
    }
    return named.get((model, field))


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"])
    if "const" in schema:
        return _text(schema["const"])
    if "enum" in schema:
        return " | ".join(_text(v) for v in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(s) for s in schema["anyOf"])
    kind = schema.get("type")
    if kind == "array":
        item = _type(schema["items"])
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object":
        extra = schema.get("additionalProperties", True)
        return f"Record<string, {'unknown' if extra is True else _type(extra)}>"
    if kind not in _PLAIN:
        raise TypeError(f"protocol.py uses a JSON schema type that generate_ts.py does not know: {kind!r}")
    return _PLAIN[kind]


def _alias(name: str, schema: dict[str, Any]) -> str:
    return f"export type {name} = {_type(schema)};"


def _text(value: object) -> str:
    return (
        "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
        if isinstance(value, str)
        else str(value).lower()
    )


def _object(data: Mapping[str, object]) -> str:
    return "{ " + ", ".join(f"{k}: {'null' if v is None else _text(v)}" for k, v in data.items()) + " }"


def _comment(text: str) -> str:
    return "/** " + " ".join(text.split()).replace("*/", "* /") + " */"


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` say whether they are up to date."""
    stale = 0
    written = (
        (TARGET, generate()), (TUNING, generate_tuning()), (DRIFT, generate_drift()), (EXPLAIN, generate_explain()),
    )  # fmt: skip
    for target, text in written:
        if "--check" not in arguments:
            target.write_text(text, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != text:
            stale = 1
    return stale


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
