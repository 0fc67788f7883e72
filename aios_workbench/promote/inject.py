"""Runs in the job's kernel: sets the parameters from the JSON file `AIOS_PARAMETERS` names.

Values are data all the way: no value is ever written into a cell.
"""

from __future__ import annotations

import json
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError


def apply(namespace: MutableMapping[str, Any]) -> None:
    """Set the run's parameters in the notebook's namespace and print them.

    Raises
    ------
    ParameterError
        When the file names something the parameters cell does not assign.
    """
    path = os.environ.get("AIOS_PARAMETERS")
    if not path:
        return
    given: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    values, types = given["values"], given["types"]
    if unknown := sorted(values.keys() - types.keys()):
        raise ParameterError(f"{path} sets {', '.join(unknown)}, which the parameters cell does not assign")
    width = max(map(len, types), default=0)
    for name, kind in types.items():
        if name in values:
            namespace[name] = _restore(kind, values[name])
        if name in namespace:
            origin = "" if name in values else "  (default)"
            print(f"{name:<{width}} = {_short(namespace[name])}{origin}")


def _restore(kind: str, value: Any) -> Any:
    from aios_workbench.promote import kinds

    return kinds.restore(kind, value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}…"
