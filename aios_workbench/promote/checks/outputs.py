"""AIOS32x: what saved outputs give away, and how large they are."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aios_workbench.govern.patterns import FINDERS, kind_of_column
from aios_workbench.govern.pseudonyms import TOKEN
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding, QuickFix
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code

PERSONAL = Rule(
    "AIOS321",
    "personal-data",
    "warning",
    "Personal data stands in a saved output.",
    "The file is copied, mailed and kept in git; a job shows it again in every run.",
    fixable=True,
)
OVERSIZED = Rule(
    "AIOS322",
    "large-output",
    "warning",
    "A cell's saved outputs are larger than 1 MB.",
    "Every run keeps its notebook and its HTML: thirty nights are thirty copies.",
    fixable=True,
)
RULES = (PERSONAL, OVERSIZED)

LIMIT = 1_000_000
#: characters of one output that are looked through
_SCANNED = 200_000
_TAGS = re.compile(r"<[^>]{0,2000}>")
_TABLE_HEAD = re.compile(r"<th[^>]*>(.{1,100}?)</th>")
_EXAMPLE = re.compile(
    r"(?i)@(example\.(com|org|net|de)|.*\.example|localhost|test\.invalid)$|^(noreply|no-reply)@"
)
_NAMES = {"email": "e-mail addresses", "iban": "IBANs", "card": "payment cards", "ssn": "social security numbers",
          "phone": "telephone numbers", "name": "names"}  # fmt: skip
#: a frame's plain print; its first line names the columns
_HEAD = re.compile(r"^\s{2,}\S.*$", re.MULTILINE)


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what saved outputs should not hold."""
    for code in ctx.codes:
        if not code.outputs:
            continue
        size = sum(output_size(o) for o in code.outputs)
        if size > LIMIT:
            yield OVERSIZED.at(
                code,
                None,
                f"the cell's saved outputs are {size / 1e6:.1f} MB",
                "show less: .head(), a smaller picture, a summary",
                quick=QuickFix("clear the cell's outputs", clear_outputs=code.number),
            )
        for kind, count in personal(code).items():
            some = f"{count} of them" if count > 1 else "one"
            yield PERSONAL.at(
                code, None, f"the cell's saved output shows {_NAMES[kind]} ({some})",
                "show aggregates, or clean it with aios.redact(…) before it is shown", variable=kind,
                quick=QuickFix("clear the cell's outputs", clear_outputs=code.number),
            )  # fmt: skip


def output_size(output: Any) -> int:
    """Return about how many bytes an output takes in the file."""
    if output.get("output_type") == "stream":
        return len(_text(output.get("text", "")))
    return sum(
        len(v) if isinstance(v, str) else len(json.dumps(v, default=str))
        for v in output.get("data", {}).values()
    )


def texts(code: Code) -> Iterator[str]:
    """Give what a person reads in a cell's outputs."""
    for output in code.outputs:
        kind = output.get("output_type")
        if kind == "stream":
            yield _text(output.get("text", ""))[:_SCANNED]
        elif kind == "error":
            yield f"{output.get('ename', '')}: {output.get('evalue', '')}"[:_SCANNED]
        else:
            data = output.get("data", {})
            if "text/html" in data:
                yield html.unescape(_TAGS.sub(" ", _text(data["text/html"])[: 4 * _SCANNED]))[:_SCANNED]
            for mime in ("text/plain", "text/markdown", "application/json"):
                value = data.get(mime)
                if value is not None and not (mime == "text/plain" and "text/html" in data):
                    yield (
                        _text(value) if isinstance(value, (str, list)) else json.dumps(value, default=str)
                    )[:_SCANNED]


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def personal(code: Code) -> dict[str, int]:
    """Return how many values of each kind of personal data a cell's outputs show."""
    found: Counter[str] = Counter()
    for text in texts(code):
        for kind, finder in FINDERS.items():
            if kind == "ip":
                continue
            values = {s.normal for s in finder(text) if _counts(kind, text[s.start : s.end])}
            found[kind] += len(values)
    for kind in _columns(code):
        found[kind] = max(found[kind], 1)
    return {kind: count for kind, count in found.items() if count}


def _counts(kind: str, text: str) -> bool:
    """A form alone is not enough in tables of numbers."""
    if TOKEN.search(text):
        return False
    if kind == "email":
        return not _EXAMPLE.search(text)
    if kind == "phone":
        return text.startswith(("+", "00", "(")) or text.count("-") >= 2
    if kind == "ssn":
        return text.count("-") == 2
    return True


def _columns(code: Code) -> set[str]:
    """Return the kinds that column names of a shown table give away."""
    names: set[str] = set()
    for output in code.outputs:
        data = output.get("data", {})
        if "text/html" in data:
            names |= {
                html.unescape(n).strip() for n in _TABLE_HEAD.findall(_text(data["text/html"])[:_SCANNED])
            }
    kinds = {k for n in names if n.lower() != "name" and (k := kind_of_column(n)) in _NAMES}
    shown = " ".join(texts(code))
    # a column of pseudonyms gives nothing away
    return {k for k in kinds if not re.search(rf"\b{k}_[0-9a-f]{{16}}\b", shown)}
