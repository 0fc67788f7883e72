"""Names, texts and numbers as SQL writes them, and DuckDB's SQL over its writer's data frames. Nothing else quotes."""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError

_NO_TABLE = re.compile(r"Table with name (\S+) does not exist")
_OURS = str(Path(__file__).resolve().parent)


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

    Raises
    ------
    ParameterError
        When it has half a character, which no table can hold.

    Examples
    --------
    >>> literal("it's")
    "'it''s'"
    """
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ParameterError("this text has half a character (a lone surrogate), which no table can hold")
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


def select(on: Any, sql: str, table: Callable[[Any], Any]) -> Any:
    """Return the relation of a SELECT on a DuckDB connection; None where SQL is none.

    It may name tables of the connection, and variables of whoever called this package.

    Parameters
    ----------
    table : callable
        What DuckDB can register of a variable's value; None of a value that holds no table.

    Raises
    ------
    duckdb.Error
        When it does not run.
    """
    import duckdb

    cursor = on.cursor()
    # DuckDB's own look at Python variables would find ours first: `ids`, `source`, `queries` are such names
    cursor.execute("set python_enable_replacements = false")
    registered = set[str]()
    while True:
        try:
            return cursor.sql(sql)
        except duckdb.CatalogException as e:  # a table wins over a variable, as in DuckDB itself
            missing = _NO_TABLE.search(str(e))
            name = missing[1] if missing else ""
            found = _variable(name, table) if name and name not in registered else None
            if found is None:
                return on.sql(sql)  # a cursor does not see temporary tables
            cursor.register(name, found)
            registered.add(name)


def _variable(name: str, table: Callable[[Any], Any]) -> Any:
    """Return the table that the nearest caller outside this package calls so; None if there is none."""
    for at, _ in traceback.walk_stack(None):
        if not at.f_code.co_filename.startswith(_OURS):
            for scope in (at.f_locals, at.f_globals):
                if name in scope and (found := table(scope[name])) is not None:
                    return found
    return None
