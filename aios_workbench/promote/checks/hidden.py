"""AIOS10x: hidden state. What a kernel remembers and a file does not say."""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from aios_workbench.errors import hint
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.names import Bind, Use
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code

UNDEFINED = Rule("AIOS101", "undefined-name", "error", "A name is used that nothing in the notebook defines.",
                 "The job fails with a NameError.")  # fmt: skip
LATER = Rule(
    "AIOS102",
    "defined-later",
    "error",
    "A name is used before the cell that defines it.",
    "It worked because the cells were run in another order; from top to bottom it is a NameError.",
)
ORDER = Rule("AIOS103", "out-of-order", "warning", "Cells were run in another order than they stand in.",
             "The saved outputs are not those of a run from top to bottom.")  # fmt: skip
DELETED = Rule("AIOS104", "deleted-cell", "error", "A name is used whose cell was deleted or changed since.",
               "The kernel still knew it when the cell ran; a job's kernel does not.")  # fmt: skip
HISTORY = Rule("AIOS108", "output-history", "warning", "A cell uses _, Out[…] or In[…].",
               "They mean whatever ran last, or the cell with that number, in this one session.")  # fmt: skip
STORED = Rule("AIOS109", "stored-state", "warning", "%store brings values from another session.",
              "They lie in a profile of this machine; the worker has another one.")  # fmt: skip
STAR = Rule(
    "AIOS110",
    "names-not-followed",
    "note",
    "Names come from where they cannot be seen (`import *`, %run, exec).",
    "Undefined names behind it are not found without running the notebook.",
)
SAVED_ERROR = Rule("AIOS113", "saved-error", "warning", "A cell was saved with an error as its output.",
                   "A job stops at the first error.")  # fmt: skip
NOT_RUN = Rule("AIOS114", "not-run", "note", "A cell was never run, while others were.",
               "Nobody has seen it work in its place.")  # fmt: skip
RULES = (UNDEFINED, LATER, ORDER, DELETED, HISTORY, STORED, STAR, SAVED_ERROR, NOT_RUN)

_KNOWN = frozenset(dir(builtins)) | {
    "get_ipython", "display", "In", "Out", "exit", "quit", "__name__", "__doc__", "__builtins__", "__builtin__",
    "__package__", "__loader__", "__spec__", "__annotations__", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh",
    "_dh", "_exit_code",
}  # fmt: skip
_HISTORY = re.compile(r"_{1,3}|_\d+|_i{1,3}|_i\d+|_ih|_oh|In|Out")
_MOST = 10


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what a run from top to bottom would not find, and what the saved file tells of the order of runs."""
    yield from _Walk(ctx).findings()
    yield from _order(ctx)
    for code in ctx.codes:
        yield from _saved(code, any(c.count for c in ctx.codes))
        for magic in code.magics:
            if magic.name == "store" and re.search(r"(^|\s)-\w*r", magic.text):
                yield STORED.at(
                    code, magic.line, f"%store {magic.text} brings values of another session",
                    "compute them in this notebook, or read them from a file",
                )  # fmt: skip


@dataclass
class _Walk:
    """Goes through all cells as a clean kernel would, knowing what is defined at each point."""

    ctx: Context
    defined: dict[str, int] = field(default_factory=dict)
    open: bool = False
    told: set[tuple[str, int]] = field(default_factory=set)

    def findings(self) -> Iterator[Finding]:
        # A parameter without a default has its value from the job.
        self.defined.update({p.name: 0 for p in self.ctx.parameters if p.required})
        for i, code in enumerate(self.ctx.codes):
            yield from self._hooks(i, code)
            for event in self.ctx.names[i].events:
                if isinstance(event, Use):
                    yield from self._used(i, code, event)
                else:
                    yield from self._bound(i, code, event)
        for i, code in enumerate(self.ctx.codes):
            for use in self.ctx.names[i].later:
                if not (self._known(use) or use.name in self.ctx.binds):
                    yield from self._missing(i, code, use, None)

    def _bound(self, i: int, code: Code, bind: Bind) -> Iterator[Finding]:
        if bind.kind == "star":
            yield from self._star(i, code, bind)
        elif bind.kind == "delete":
            if bind.name in self.defined and bind.sure:
                del self.defined[bind.name]
        elif bind.kind != "declare" or not bind.sure:
            self.defined[bind.name] = i

    def _star(self, i: int, code: Code, bind: Bind) -> Iterator[Finding]:
        from aios_workbench.promote.checks.modules import names_in_module

        module = bind.node.module if isinstance(bind.node, ast.ImportFrom) else None
        names = names_in_module(self.ctx.folder, module or "")
        if names is not None:
            self.defined.update(dict.fromkeys(names, i))
            return
        self.open = True
        yield STAR.at(
            code, bind.node, f"`from {module} import *` brings names that cannot be seen here",
            "import the names that are used", variable=module,
        )  # fmt: skip

    def _hooks(self, i: int, code: Code) -> Iterator[Finding]:
        """What else may define names: %run, %pylab, exec, globals()."""
        for magic in code.magics:
            if magic.name in ("run", "pylab", "load", "store", "Rget") or (
                magic.kind == "cell" and magic.name not in _PLAIN_CELLS
            ):
                yield from self._opened(
                    code, magic.line, f"%{magic.name}", tell=magic.name in ("run", "pylab")
                )
        for call in code.calls:
            name = self.ctx.called(call)
            if name == "exec" and len(call.args) < 2:
                yield from self._opened(code, call.lineno, "exec(…)", tell=True)
            elif name in ("globals", "locals", "vars") and not call.args:
                self._into_globals(i, code, call)

    def _opened(self, code: Code, line: int, what: str, *, tell: bool) -> Iterator[Finding]:
        self.open = True
        if tell:
            yield STAR.at(
                code,
                line,
                f"{what} may define names that cannot be seen here",
                "import what is needed from a module",
            )

    def _into_globals(self, i: int, code: Code, call: ast.Call) -> None:
        above = next(code.parents(call), None)
        if isinstance(above, ast.Subscript) and isinstance(above.ctx, ast.Store):
            key = above.slice.value if isinstance(above.slice, ast.Constant) else None
            if isinstance(key, str):
                self.defined[key] = i
            else:
                self.open = True
        elif isinstance(above, ast.Attribute) and above.attr == "update":
            self.open = True

    def _known(self, use: Use) -> bool:
        return (
            use.name in self.defined
            or use.name in _KNOWN
            or use.guarded
            or self.open
            or bool(_HISTORY.fullmatch(use.name))
        )

    def _used(self, i: int, code: Code, use: Use) -> Iterator[Finding]:
        if use.name not in self.ctx.binds and _HISTORY.fullmatch(use.name):
            if (use.name, i) not in self.told:
                self.told.add((use.name, i))
                yield HISTORY.at(
                    code, use.node, f"{use.name} means whatever this session ran before",
                    "give the value a name in the cell that makes it", variable=use.name,
                )  # fmt: skip
            return
        if not self._known(use):
            yield from self._missing(i, code, use, None)
        elif use.called:
            for needed in self._needs(use.name):
                if not self._known(needed) and needed.name in self.ctx.binds:
                    yield from self._missing(
                        i, code, Use(needed.name, use.node, guarded=False, called=False), use.name
                    )

    @functools.cached_property
    def _inside(self) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {}
        for names in self.ctx.names:
            for owner, uses in names.inside.items():
                found.setdefault(owner, []).extend(uses)
        return found

    def _needs(self, function: str) -> list[Use]:
        """Return the outer names that a call reads, through the functions it calls."""
        found: dict[str, Use] = {}
        todo, seen = [function], {function}
        while todo:
            for use in self._inside.get(todo.pop(), ()):
                found.setdefault(use.name, use)
                if use.name not in seen:
                    seen.add(use.name)
                    todo.append(use.name)
        return list(found.values())

    def _missing(self, i: int, code: Code, use: Use, through: str | None) -> Iterator[Finding]:
        if (use.name, i) in self.told:
            return
        self.told.add((use.name, i))
        later = [(j, b) for j, b in self.ctx.binds.get(use.name, []) if b.kind != "declare" or not b.sure]
        by = f"{through}() uses {use.name!r}, which" if through else f"{use.name!r}"
        after = [(j, b) for j, b in later if j >= i]
        if after:
            other = self.ctx.codes[after[0][0]]
            where = f"cell {other.number}" if after[0][0] != i else "a line below"
            yield LATER.at(
                code, use.node, f"{by} is defined only later, in {where}",
                f"move cell {other.number} above this one" if after[0][0] != i else "move the definition up",
                variable=use.name,
            )  # fmt: skip
        elif later:
            yield UNDEFINED.at(
                code,
                use.node,
                f"{by} was deleted with `del` before",
                "use it before it is deleted",
                variable=use.name,
            )
        elif self._was_there(code, use.name):
            yield DELETED.at(
                code, use.node, f"{by} is defined in no cell, yet the cell ran: its cell was deleted or changed",
                "bring back what defined it, or remove what uses it", variable=use.name,
            )  # fmt: skip
        else:
            yield UNDEFINED.at(
                code, use.node, f"{by} is not defined{hint(use.name, {*self.defined, *_KNOWN})}".rstrip("?"),
                "define it in a cell above, or import it", variable=use.name,
            )  # fmt: skip

    def _was_there(self, code: Code, name: str) -> bool:
        """Tell whether the saved file shows that the name was known: the cell ran, and other cells are gone."""
        if not code.count or any(o.get("output_type") == "error" for o in code.outputs):
            return False
        counts = [c.count for c in self.ctx.codes if c.count]
        return name != "__file__" and max(counts) > len(counts)


_PLAIN_CELLS = frozenset((
    "bash", "sh", "html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "writefile", "file", "time",
    "timeit", "capture", "prun", "script", "perl", "ruby", "system", "sx", "!", "memit", "debug",
))  # fmt: skip


def _order(ctx: Context) -> Iterator[Finding]:
    """Cells whose number is smaller than one above them."""
    highest: tuple[int, Code] | None = None
    found = []
    for i, code in enumerate(ctx.codes):
        if not code.count or not code.source.strip():
            continue
        if highest is not None and code.count < highest[0]:
            shared = _shared(ctx, i, highest[1])
            what = f"; it uses {', '.join(shared)} of that cell" if shared else ""
            found.append(ORDER.at(
                code, 1, f"the cell was run as [{code.count}], before cell {highest[1].number} above it, run as "
                f"[{highest[0]}]{what}",
                "restart the kernel, run all cells and save", variable=shared[0] if shared else None,
            ))  # fmt: skip
        else:
            highest = code.count, code
    yield from found[:_MOST]


def _shared(ctx: Context, i: int, above: Code) -> list[str]:
    j = ctx.codes.index(above)
    made = {b.name for b in ctx.names[j].binds}
    return sorted({u.name for u in (*ctx.names[i].uses, *ctx.names[i].later)} & made)


def _saved(code: Code, others_ran: bool) -> Iterator[Finding]:
    error = next((o for o in code.outputs if o.get("output_type") == "error"), None)
    if error is not None and "raises-exception" not in code.tags:
        yield SAVED_ERROR.at(
            code,
            None,
            f"the cell was saved with {error.get('ename', 'an error')}: {str(error.get('evalue', ''))[:80]}",
            "correct it and run the cell; where the error is meant, tag the cell 'raises-exception'",
        )
    elif others_ran and code.count is None and any(code.tree.body) and "injected-parameters" not in code.tags:
        yield NOT_RUN.at(
            code, None, "the cell was not run when the notebook was saved", "run all cells and save"
        )
