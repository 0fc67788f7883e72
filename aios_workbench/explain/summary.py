"""An explanation in words: one line, a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from aios_workbench.explain.models import Check, ExplanationData
from aios_workbench.explain.names import CHECKS, METHODS, SCALES, one_line, signed

#: Columns and checks of a printed table, and columns named in one line.
_ROWS, _NAMED = 10, 3
_LEVELS = {"fail": 0, "warn": 1, "skipped": 2, "ok": 3}
#: A word before each check, so that no colour is needed.
MARKS = {"ok": "ok", "warn": "warning", "fail": "FAILED", "skipped": "not checked"}


def line(data: ExplanationData) -> str:
    """Return an explanation in one line, a red check first."""
    named = [f"{one_line(i.column)} ({i.value:.3g})" for i in data.importance[:_NAMED] if i.value > 0]
    told = "what counts most: " + ", ".join(named) if named else "no column counts"
    red = red_words(data.checks)
    return f"{red}; {told}" if red else told


def red_words(checks: Sequence[Check]) -> str:
    """Return which checks failed, or an empty text.

    Examples
    --------
    >>> red_words([Check(name="stability", title="LIME's stability", level="fail", words="…")])
    "FAILED: LIME's stability"
    """
    red = [CHECKS[c.name] for c in checks if c.level == "fail"]
    return "FAILED: " + ", ".join(red) if red else ""


def graver_first(checks: Sequence[Check]) -> list[Check]:
    """Return the checks, the gravest first."""
    return sorted(checks, key=lambda c: _LEVELS[c.level])


def method_words(data: ExplanationData) -> str:
    """Return how it was computed, in a sentence."""
    m = data.method
    said = f"{m.title or METHODS[m.name][0]}, in {SCALES[data.scale]}"
    if m.background:
        said += f", against {m.background:,} background rows" + (f" ({m.summarised})" if m.summarised else "")
    if not m.exact:
        said += {"tolerance": ", until precise enough", "budget": ", until the time ran out",
                 "cancelled": ", until it was stopped", "done": ""}[m.stopped]  # fmt: skip
    return said + f"; {m.evaluations:,} rows predicted in {m.calls:,} calls"


def text(data: ExplanationData) -> str:
    """Return an explanation as a text of a few lines."""
    what = {"tabular": "rows", "text": "texts", "image": "images"}[data.subject]
    size = f"{data.rows:,} {what} x {len(data.columns):,} columns"
    lines = [
        f"<Explanation {data.name!r}: {size}, output {one_line(data.outputs[data.output])}>",
        line(data),
        f"{method_words(data)}. {data.method.why}".rstrip(),
    ]
    if data.importance:
        lines.append(f"  {'column':<28} {'mean |SHAP|':>12} {'±':>9} {'mean':>9} {'LIME':>9}")
    for i in data.importance[:_ROWS]:
        error = "-" if i.error is None else f"{i.error:.2g}"
        lime = "-" if i.lime is None else f"{i.lime:.3g}"
        name = one_line(i.column, 28)
        lines.append(f"  {name:<28} {i.value:>12.3g} {error:>9} {signed(i.signed):>9} {lime:>9}")
    if len(data.importance) > _ROWS:
        lines.append(f"  … and {len(data.importance) - _ROWS:,} more")
    lines += [f"{MARKS[c.level]}: {c.words}" for c in graver_first(data.checks) if c.level != "ok"]
    fine = sum(c.level == "ok" for c in data.checks)
    if fine:
        lines.append(f"{fine} check{'' if fine == 1 else 's'} ok")
    return "\n".join(lines + [f"note: {n}" for n in data.notes])
