"""AIOS30x: keys and passwords in source, outputs and metadata, by detect-secrets. Nothing is sent anywhere."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding, QuickFix
from aios_workbench.promote.checks.outputs import texts
from aios_workbench.promote.checks.rules import Rule

IN_SOURCE = Rule("AIOS301", "secret-in-source", "error", "A key or password stands in the source.",
                 "It is copied into every bundle and every executed notebook, and into git for ever.")  # fmt: skip
IN_OUTPUT = Rule(
    "AIOS302",
    "secret-in-output",
    "error",
    "A key or password stands in a saved output.",
    "Whoever may read the notebook may use it; a job prints it again in every run.",
    fixable=True,
)
IN_METADATA = Rule("AIOS303", "secret-in-metadata", "error", "A key or password stands in the notebook's metadata.",
                   "It is copied with the file, and no editor shows it.")  # fmt: skip
RULES = (IN_SOURCE, IN_OUTPUT, IN_METADATA)

_SECRETISH = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|api_?key|access_?key|auth|credential|private|bearer|pwd)"
)
#: every form has a telling word, an address or a long run of letters; most lines have neither
_WORTH_A_LOOK = re.compile(rf"{_SECRETISH.pattern}|://|[\w+/=.:-]{{16,}}")
_PLACEHOLDER = re.compile(
    r"(?i)^(x+|\*+|\.+|-+|_+|change_?(me|it)|pass(word)?|secret|token|(my|your|the|some|a)[-_ ].*|<.*>|\{.*\}|\$.*|"
    r"%.*|example.*|"
    r"none|null|true|false|dummy.*|fake.*|test(ing)?|placeholder|redacted|hidden|.*_here|here|key|value|string|str|todo)$"
)
#: what is said about a secret is none: its name, its column, where it lies
_ABOUT = re.compile(
    r"(?i)(pass(word|wd|phrase)?|secret|token|key|auth|credential|pwd)s?_?(name|column|col|field|file|path|url|uri|id|type|arn|ref|"
    r"label|prefix|suffix|count|size|len|limit|env|header|pattern|kind)s?[\"']?\s*[:=]"
)
_CONSTANT_NAME = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$")
_ENTROPY = frozenset(("Base64 High Entropy String", "Hex High Entropy String"))
_KEYWORD = "Secret Keyword"
#: form alone says nothing: a public address is no secret, five letters are none either
_LEFT_OUT = frozenset(("Public IP (ipv4)",))
_LINE_LIMIT = 4_000
_LINES = 2_000


def find(ctx: Context) -> Iterator[Finding]:
    """Yield where keys and passwords are; never what they are."""
    for code in ctx.codes:
        for line, kind in secrets_in(code.lines):
            yield IN_SOURCE.at(
                code,
                line,
                f"{_words(kind)} stands in the source",
                "take it from the environment (os.environ[…]), remove it here, and change it: it has been seen",
                variable=kind,
            )
        found = {kind for text in texts(code) for _, kind in secrets_in(text.splitlines(), source=False)}
        for kind in sorted(found):
            yield IN_OUTPUT.at(
                code,
                None,
                f"{_words(kind)} stands in a saved output",
                "clear the output, and do not print it",
                variable=kind,
                quick=QuickFix("clear the cell's outputs", clear_outputs=code.number),
            )
    yield from _elsewhere(ctx)


def _elsewhere(ctx: Context) -> Iterator[Finding]:
    """Metadata, and cells that are not code."""
    for number, cell in enumerate(ctx.book.cells, start=1):
        for _, kind in secrets_in(_flat(cell.metadata)):
            yield Finding(
                IN_METADATA.severity,
                IN_METADATA.name,
                f"{_words(kind)} stands in the cell's metadata",
                "remove it in the property inspector, and change it",
                number,
                None,
                IN_METADATA.id,
                variable=kind,
                cell_id=cell.get("id"),
            )
        if cell.cell_type != "code":
            for line, kind in secrets_in(cell.source.splitlines(), source=False):
                yield Finding(
                    IN_SOURCE.severity,
                    IN_SOURCE.name,
                    f"{_words(kind)} stands in the text",
                    "remove it, and change it: it has been seen",
                    number,
                    line,
                    IN_SOURCE.id,
                    variable=kind,
                    cell_id=cell.get("id"),
                )
    for _, kind in secrets_in(_flat({k: v for k, v in ctx.book.metadata.items() if k != "widgets"})):
        yield IN_METADATA.at(
            None,
            None,
            f"{_words(kind)} stands in the notebook's metadata",
            "remove it in the property inspector, and change it",
            variable=kind,
        )


def secrets_in(lines: Iterable[str], *, source: bool = True) -> list[tuple[int, str]]:
    """Return (line from 1, kind of secret) of what looks like one.

    Parameters
    ----------
    source : bool
        Whether the lines are code, in which entropy beside a telling name counts too.

    Examples
    --------
    >>> secrets_in(["import os", "password = 'hunter2-and-more'", "token = os.environ['TOKEN']"])
    [(2, 'Secret Keyword')]
    """
    found: dict[tuple[int, str], None] = {}
    for number, line in enumerate(lines, start=1):
        if number > _LINES:
            break
        if len(line) < 8 or not _WORTH_A_LOOK.search(line):
            continue
        kinds = {kind for start in range(0, min(len(line), 40 * _LINE_LIMIT), _LINE_LIMIT)
                 for kind in _line(line[start : start + _LINE_LIMIT + 200], source)}  # fmt: skip
        named = kinds - _ENTROPY - {_KEYWORD}
        # one secret has one name: the most telling
        for kind in sorted(named or ({_KEYWORD} if _KEYWORD in kinds else kinds)):
            found[number, kind] = None
    return list(found)


def _line(line: str, source: bool) -> Iterator[str]:
    for plugin in _plugins():
        kind = plugin.secret_type
        if not source and kind in _ENTROPY:
            continue
        if kind in _ENTROPY and not _SECRETISH.search(line):
            continue
        for secret in plugin.analyze_line(filename="cell.py", line=line, line_number=1):
            if not _harmless(secret.secret_value or "", line, kind, plugin):
                yield kind


def _harmless(value: str, line: str, kind: str, plugin: Any) -> bool:
    from detect_secrets.filters import heuristic

    if "EXAMPLE" in value.upper() or _PLACEHOLDER.match(value):
        return True
    if kind not in {*_ENTROPY, _KEYWORD, "Basic Auth Credentials"}:
        return False  # a form of its own; what the plugin gives as value may be its first letters only
    if _CONSTANT_NAME.match(value) or len(set(value)) < 4 or (kind == _KEYWORD and _ABOUT.search(line)):
        return True
    return bool(
        heuristic.is_sequential_string(value)
        or heuristic.is_potential_uuid(value)
        or heuristic.is_likely_id_string(value, line, plugin)
        or heuristic.is_templated_secret(value)
        or heuristic.is_prefixed_with_dollar_sign(value)
        or heuristic.is_indirect_reference(line)
        or heuristic.is_not_alphanumeric_string(value)
        or " " in value.strip()
        or value.startswith(("os.", "getpass", "http"))
    )


@functools.cache
def _plugins() -> list[Any]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    kinds: Any = get_mapping_from_secret_type_to_class()
    return [kinds[kind]() for kind in sorted(kinds) if kind not in _LEFT_OUT]


def _flat(data: Any) -> list[str]:
    """Return nested metadata as lines ``"key": "value"``."""
    if not data:
        return []
    try:
        return json.dumps(data, indent=1, default=str).splitlines()
    except (TypeError, ValueError, RecursionError):
        return []


def _words(kind: str) -> str:
    if kind == _KEYWORD:
        return "a password or key"
    if kind in _ENTROPY:
        return "what looks like a key"
    return f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"
