"""Names, texts and numbers as SQL writes them. Nothing else quotes."""

from __future__ import annotations

import math


def quoted(name: str) -> str:
    """Return a name as SQL writes it.

    Examples
    --------
    >>> print(quoted('a"b'))
    "a""b"
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL writes it.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def number(value: float) -> str:
    """Return a number as SQL writes a DOUBLE, exactly.

    Examples
    --------
    >>> number(0.1)
    "'0.1'::double"
    """
    if math.isinf(value):
        return "'inf'::double" if value > 0 else "'-inf'::double"
    return f"'{float(value)!r}'::double"
