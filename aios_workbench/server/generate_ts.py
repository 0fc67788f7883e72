"""Writes `labextension/src/api_types.ts` from the models that `contract.py` lists.

python -m aios_workbench.server.generate_ts [--check]
"""

from __future__ import annotations

import sys
from typing import Any, get_args

from aios_workbench._wire import Message
from aios_workbench.server import models
from aios_workbench.server.contract import MODULES, REQUESTS
from aios_workbench.widgets import generate_ts as ts
from aios_workbench.widgets.messages import RunStatus, StepStatus

TARGET = ts.TARGET.with_name("api_types.ts")

_HEAD = """\
// Generated from aios_workbench/server/models*.py by `python -m aios_workbench.server.generate_ts`. Do not edit.
import type { Column, RunStatus, StepStatus } from './protocol';

export type { RunStatus, StepStatus };

export type JsonSchema = Record<string, unknown>;
"""

#: Literals that have a name of their own in TypeScript.
NAMED = {"JobRunStatus": models.JobRunStatus, "JobState": models.JobState}


def generate() -> str:
    """Return the TypeScript of all answers and request bodies."""
    answers = [
        m for module in MODULES for m in vars(module).values()
        if isinstance(m, type) and issubclass(m, Message) and m.__module__ == module.__name__
    ]  # fmt: skip
    written = ts.definitions(answers, "serialization")
    read = ts.definitions(list(REQUESTS.values()), "validation")
    shapes = [(m.__name__, written[m.__name__]) for m in answers]
    # The panels write every field of a body, also those with a default.
    shapes += [
        (n, {**read[b.__name__], "required": list(read[b.__name__]["properties"])})
        for n, b in REQUESTS.items()
    ]
    text = "\n".join(ts.interface(name, _optional(schema)) for name, schema in shapes)
    named = [f"export type {n} = {_words(words)};\n" for n, words in NAMED.items()]
    for name, words in {"RunStatus": RunStatus, "StepStatus": StepStatus, **NAMED}.items():
        text = text.replace(f": {_words(words)};", f": {name};")
    return "\n".join([_HEAD, *named, text])


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which the fields that only some endpoints fill may be missing."""
    absent = {name for name, sub in schema["properties"].items() if sub.get("absent")}
    return {**schema, "required": [n for n in schema.get("required", ()) if n not in absent]}


def _words(literal: Any) -> str:
    return " | ".join(f"'{word}'" for word in get_args(literal))


def main(arguments: list[str]) -> int:
    """Write the file, or with ``--check`` say whether it is up to date."""
    text = generate()
    if "--check" in arguments:
        return 0 if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
