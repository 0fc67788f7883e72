"""Names and values of anybody's choosing, written so that no target reads them as anything but text."""

from __future__ import annotations

import hashlib
import json
import keyword
import re
import shlex
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

#: What some target expands inside text: Jinja and Argo `{{ }}`, shells and systemd `$` and `%`, quotes, markup.
_ACTIVE = re.compile(r"\\\\|\\\"|[{}$%'`<>&#!@]")


def slug(name: str) -> str:
    """Return a name every target takes as an identifier: lower-case letters, digits and single hyphens.

    Names that only differ in what is lost here stay apart by a piece of their hash.

    Examples
    --------
    >>> slug("Claims triage"), slug("nightly"), slug("тест")
    ('claims-triage-762da2', 'nightly', 'job-e34f6d')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    kept = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if kept == name and len(kept) <= 40 and kept[0].isalpha():
        return kept
    kept = kept[:40].strip("-")
    if not kept or not kept[0].isalpha():
        kept = f"job-{kept}".strip("-")
    return f"{kept}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def identifier(name: str) -> str:
    """Return `slug` as a Python name.

    Examples
    --------
    >>> identifier("load-data")
    'load_data_ee8864'
    """
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and not keyword.iskeyword(name):
        return name
    told = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{slug(name).removesuffix(f'-{told}').replace('-', '_')}_{told}"


def safe_json(values: Any) -> str:
    r"""Return JSON in plain ASCII, on one line, in which no target finds anything to expand.

    Characters that a shell, a template or a unit file gives a meaning stand as ``\uXXXX`` inside of strings: any
    JSON reader gives them back.

    Examples
    --------
    >>> safe_json({"limit": 500, "note": "{{ x }} $(id)"})
    '{"limit": 500, "note": "\\u007b\\u007b x \\u007d\\u007d \\u0024(id)"}'
    """
    return _write(values)


def _write(value: Any) -> str:
    if isinstance(value, str):
        text = json.dumps(value)[1:-1]
        return '"' + _ACTIVE.sub(_escape, text) + '"'
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_write(str(k))}: {_write(v)}" for k, v in value.items())
        return f"{{{inside}}}".replace("{{", "{ {").replace("}}", "} }")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_write(v) for v in value)}]"
    return json.dumps(value, allow_nan=False)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0][-1]):04x}"


def word(name: str) -> str:
    r"""Return a name as it is, or as JSON where a target would read something into it; see `read_word`.

    Examples
    --------
    >>> word("load"), word("{{ x }}")
    ('load', '"\\u007b\\u007b x \\u007d\\u007d"')
    """
    return name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_ .-]*", name) else safe_json(name)


def read_word(text: str) -> str:
    """Read what `word` wrote."""
    return str(json.loads(text)) if text.startswith('"') else text


def shell(words: Iterable[str]) -> str:
    """Return a command as one line for a POSIX shell."""
    return " ".join(shlex.quote(word) for word in words)


def comment(text: str) -> str:
    r"""Return text that stays on its line and in its comment.

    Examples
    --------
    >>> comment("two\nlines")
    'two lines'
    """
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split()).encode("utf-8", "replace").decode()


class _Dumper(yaml.SafeDumper):
    """Block style, lists set in as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # YAML 1.1 readers take a bare `on`, `no` or `1_000` for something else; the dumper quotes those itself.
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def to_yaml(data: Mapping[str, Any]) -> str:
    """Return a YAML document that reads back as the same data, in ASCII where YAML could stumble."""
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    if yaml.safe_load(text) != data:
        text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=10_000)
    return str(text)
