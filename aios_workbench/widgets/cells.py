"""Where a function was written: the notebook cell as its author sees it, or a file.

What Python keeps of a cell is not what was typed: IPython turns `%time f()` into calls before it compiles. The text
as typed is in IPython's history, under the number the compiler remembers for the code's file name.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.widgets.messages import CellRef

#: How far back a cell is looked for that Python kept no trace of (`%%time` compiles under a name of its own).
_LOOK_BACK = 2000

#: Execution count -> the front end's id of the cell.
_ids: dict[int, str] = {}


@dataclass(frozen=True)
class Origin:
    """A text that may hold a function. `number` is the cell's execution count; a file has none."""

    source: str
    label: str
    number: int | None = None
    path: str | None = None
    #: True when the function is known to come from here, not only to be searched for.
    sure: bool = True

    def ref(self, line: int | None = None) -> CellRef:
        """Return how a screen finds this cell."""
        from aios_workbench.widgets.messages import CellRef

        identity = _ids.get(self.number) if self.number is not None else None
        return CellRef(cell_id=identity, label=self.label, source=self.source, line=line)


def shell() -> Any:
    """Return the running IPython shell, or None."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def remember(ipython: Any) -> None:
    """Note from now on, and for the cell that runs, which notebook cell each execution count belongs to."""

    def ended(result: Any) -> None:
        identity = getattr(getattr(result, "info", None), "cell_id", None)
        if isinstance(identity, str) and identity and result.execution_count is not None:
            _ids[result.execution_count] = identity

    ipython.events.register("post_run_cell", ended)


def origins(fn: Any) -> Iterator[Origin]:
    """Yield the texts a function may come from, the likeliest first."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    ipython = shell()
    name = "" if code is None else code.co_filename
    number = None if ipython is None else _number_of(ipython, name)
    if number is not None:
        yield from _cell(ipython, number, name)
    elif code is not None and (found := _file(name)) is not None:
        yield found
    if ipython is not None:
        yield from _history(ipython)


def cell_at(filename: str) -> Origin | None:
    """Return the cell that a code's file name stands for; None when it is no cell of this kernel."""
    ipython = shell()
    number = None if ipython is None else _number_of(ipython, filename)
    return None if number is None else next(_cell(ipython, number, filename), None)


def identity(filename: str) -> str:
    """Return the front end's id of the cell that a code's file name stands for, or an empty text."""
    ipython = shell()
    number = None if ipython is None else _number_of(ipython, filename)
    return "" if number is None else _ids.get(number, "")


def describe(filename: str) -> dict[str, str] | None:
    """Return a cell as plain data, for an error that outlives this kernel."""
    found = cell_at(filename)
    if found is None:
        return None
    return {"cell_id": identity(filename), "label": found.label, "source": found.source}


def _number_of(ipython: Any, filename: str) -> int | None:
    numbers: dict[str, int] = getattr(ipython.compile, "_filename_map", {})
    return numbers.get(filename)


def _cell(ipython: Any, number: int, filename: str) -> Iterator[Origin]:
    import linecache

    raw = _typed(ipython)
    compiled = "".join(linecache.getlines(filename)).rstrip("\n")
    if 0 < number < len(raw) and _made_of(ipython, raw[number], filename, compiled):
        yield Origin(raw[number], f"In[{number}]", number)
        return
    # `%%capture` runs the rest of its cell as one of its own, under the number of the next.
    for at in range(len(raw) - 1, max(0, len(raw) - _LOOK_BACK), -1):
        head, _, body = raw[at].partition("\n")
        if head.lstrip().startswith("%%") and body and _made_of(ipython, body, filename, compiled):
            yield Origin(raw[at], f"In[{at}]", at)
            return
    if compiled and "get_ipython()" not in compiled:  # run silently: no history has it
        yield Origin(compiled, f"In[{number}]", number)


def _made_of(ipython: Any, raw: str, filename: str, compiled: str) -> bool:
    """True when this text was compiled under this file name."""
    # Without its last line break, as the history keeps it, a cell may hash to another name.
    names = getattr(ipython.compile, "get_code_name", None)
    if raw.splitlines() == compiled.splitlines() or (
        names and any(names(t, t, 0) == filename for t in (raw, raw + "\n"))
    ):
        return True
    if not compiled:
        return False
    with contextlib.suppress(Exception):  # a text that is no Python was not compiled
        return bool(ipython.transform_cell(raw).rstrip("\n").splitlines() == compiled.splitlines())
    return False


def _history(ipython: Any) -> Iterator[Origin]:
    raw = _typed(ipython)
    for at in range(len(raw) - 1, max(0, len(raw) - _LOOK_BACK), -1):
        if raw[at]:
            yield Origin(raw[at], f"In[{at}]", at, sure=False)


def _typed(ipython: Any) -> list[str]:
    manager = getattr(ipython, "history_manager", None)
    return list(getattr(manager, "input_hist_raw", ()) or ())


def _file(name: str) -> Origin | None:
    path = Path(name)
    try:
        with path.open("rb") as f:
            encoding, _ = tokenize.detect_encoding(f.readline)
        text = path.read_bytes().decode(encoding)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError):
        return None
    return Origin(text, path.name, path=str(path))
