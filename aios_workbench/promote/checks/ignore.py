"""What a person has looked at and found right: `# aios: ignore AIOS203 the share is mounted everywhere`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.errors import hint
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.readable import EMPTY, KERNEL, REASON, SYNTAX, UNKNOWN, UNREADABLE, UNUSED
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.checks.source import Code

_COMMENT = re.compile(r"#\s*aios:\s*(ignore(?:-notebook)?)\b[:\s]*(.*)$", re.IGNORECASE)
#: what no reason makes run
_NEVER = frozenset(r.id for r in (UNREADABLE, KERNEL, SYNTAX, EMPTY))


@dataclass
class Ignore:
    """A suppression.

    Attributes
    ----------
    cell, line : int or None
        Where it holds; None everywhere. A comment of its own line holds for the cell; one behind code for that line,
        and for what is found of the cell as a whole.
    """

    rules: frozenset[str]
    reason: str
    cell: int | None
    line: int | None
    code: Code | None
    written: int | None
    used: set[str] = field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        """Tell whether it means a finding."""
        return (
            bool(self.reason)
            and finding.rule in self.rules - _NEVER
            and (
                self.cell is None
                or (self.cell == finding.cell and (self.line is None or finding.line in (self.line, None)))
            )
        )


def ignores_of(ctx: Context, rules: Iterable[Rule]) -> tuple[list[Ignore], list[Finding]]:
    """Return the suppressions of a notebook, and what is wrong with them."""
    known = {key: rule.id for rule in rules for key in (rule.id, rule.name)}
    found: list[Ignore] = []
    wrong: list[Finding] = []
    for code in ctx.codes:
        for number, line in enumerate(code.lines, start=1):
            if "aios:" in line.lower() and (match := _COMMENT.search(line)):
                everywhere = match[1].lower() == "ignore-notebook"
                alone = not line[: match.start()].strip()
                ids, reason, unknown = _read(match[2], known)
                wrong += _faults(code, number, match[2], ids, reason, unknown, known)
                found.append(
                    Ignore(
                        frozenset(ids),
                        reason,
                        None if everywhere else code.number,
                        None if alone or everywhere else number,
                        code,
                        number,
                    )
                )
    found += list(_of_metadata(ctx.book, known))
    return found, wrong


def _read(text: str, known: dict[str, str]) -> tuple[list[str], str, list[str]]:
    """Split "AIOS203, AIOS204 the reason" into ids, reason and what is no rule."""
    ids, unknown, words = [], [], text.replace(",", " ").split()
    while words:
        word = words[0].rstrip(":")
        if word in known or word.upper() in known:
            ids.append(known.get(word) or known[word.upper()])
        elif re.fullmatch(r"AIOS\w*", word, re.IGNORECASE):
            unknown.append(word)
        else:
            break
        words.pop(0)
    return ids, " ".join(words).lstrip("-: "), unknown


def _faults(
    code: Code, line: int, text: str, ids: list[str], reason: str, unknown: list[str], known: dict[str, str]
) -> Iterator[Finding]:
    for word in unknown:
        yield UNKNOWN.at(code, line, f"there is no rule {word}{hint(word.upper(), known)}".rstrip("?"),
                         "see aios promote --rules", variable=word)  # fmt: skip
    if not ids and not unknown:
        first = next(iter(text.split()), "")
        said = f"there is no rule {first}{hint(first, known)}".rstrip("?") if first else "no rule is named"
        yield UNKNOWN.at(code, line, said, "write: # aios: ignore AIOS203 the reason", variable=first or None)
    elif ids and not reason:
        yield REASON.at(
            code,
            line,
            f"{', '.join(ids)} is ignored without a reason, so it is not ignored",
            "write why: # aios: ignore AIOS203 the share is mounted on every worker",
            variable=ids[0],
        )


def _of_metadata(book: Any, known: dict[str, str]) -> Iterator[Ignore]:
    """`"aios": {"ignore": {"AIOS203": "the reason"}}` in the notebook's metadata."""
    aios = book.metadata.get("aios", {})
    given = aios.get("ignore", {}) if isinstance(aios, dict) else {}
    for key, reason in given.items() if isinstance(given, dict) else ():
        if key in known and isinstance(reason, str):
            yield Ignore(frozenset((known[key],)), reason.strip(), None, None, None, None)


def split(
    findings: Iterable[Finding], ignores: list[Ignore]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Return the findings that stand, and those that are ignored with the reason."""
    stands, ignored = [], []
    for finding in findings:
        by = next((i for i in ignores if i.covers(finding)), None)
        if by is None:
            stands.append(finding)
        else:
            by.used.add(finding.rule)
            ignored.append((finding, by.reason))
    return stands, ignored


def unused(ignores: Iterable[Ignore], *, ran: bool) -> Iterator[Finding]:
    """Yield suppressions of nothing. What only a run can find is left alone where none was made."""
    for ignore in ignores:
        for rule in sorted(ignore.rules - ignore.used):
            if ignore.reason and ignore.code is not None and (ran or not rule.startswith("AIOS14")):
                yield UNUSED.at(
                    ignore.code, ignore.written, f"{rule} is ignored here, and nothing of it is found",
                    "remove the comment", variable=rule,
                )  # fmt: skip
