"""SQLite's SQL, as this package writes it, said in PostgreSQL's words: statements while they run, tables once.

Mechanical, so that whoever adds a table or a statement writes it once. What cannot be translated word by word is
not written: scalar `max(a, b)`, `limit -1`, `sum(a = b)`, a subquery without a name, truth from a number.
"""

from __future__ import annotations

import functools
import re

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"[^"]*")|(?P<cast>::)|(?P<parameter>:[A-Za-z_]\w*)|(?P<percent>%)"""
    r"""|(?P<mark>\?)|(?P<function>\b(?:instr|json_each|json_extract)(?=\s*\())|(?P<user>\buser\b)""",
    re.IGNORECASE,
)
_FUNCTIONS = {"instr": "strpos", "json_each": "aios_each", "json_extract": "aios_extract"}


@functools.lru_cache(maxsize=2048)
def statement(sql: str) -> str:
    r"""Return a statement for psycopg: parameters as `%(name)s`, functions by PostgreSQL's names.

    Examples
    --------
    >>> statement("select user from runs where instr(cwd, :x) and step = '100%'")
    'select "user" from runs where strpos(cwd, %(x)s) and step = \'100%%\''
    """
    return _TOKEN.sub(_said, sql)


def _said(match: re.Match[str]) -> str:
    kind, found = match.lastgroup, match.group()
    if kind == "parameter":
        return f"%({found[1:]})s"
    if kind == "mark":
        return "%s"
    if kind == "function":
        return _FUNCTIONS[found.lower()]
    if kind == "user":
        return '"user"'  # a key word there: unquoted it is the name of the database's role
    return found.replace("%", "%%")


_TYPES = (
    (re.compile(r"\breal\b"), "double precision"),
    (re.compile(r"\binteger\b"), "bigint"),
    (re.compile(r"\bblob\b"), "bytea"),
)
_TABLE = re.compile(r"\s*create table (\w+) \(", re.IGNORECASE)
_NUMBERED = re.compile(r"\binteger primary key autoincrement\b", re.IGNORECASE)


def definition(sql: str) -> str:
    """Return a `create` or `alter` statement of the schema in PostgreSQL's types.

    A table gets what SQLite gives it unasked: a number per row in the order of insertion, `rowid`. Numbers of the
    audit trail have no gaps, as in SQLite: they come from a row that a rollback takes back, not from a sequence.

    Examples
    --------
    >>> definition("create table t (at real not null, n integer)")
    'create table t (at double precision not null, n bigint, rowid bigserial)'
    """
    table = _TABLE.match(sql)
    if table and _NUMBERED.search(sql):
        name = table.group(1)
        numbers = (
            f"bigint primary key default aios_next('{name}')" if name == "audit" else "bigserial primary key"
        )
        sql = _NUMBERED.sub(numbers, sql)
    elif table:
        end = sql.rindex(")")
        sql = f"{sql[:end].rstrip()}, rowid bigserial{sql[end:]}"
    for pattern, word in _TYPES:
        sql = pattern.sub(word, sql)
    return statement(sql).replace("%%", "%")


#: What SQLite brings and PostgreSQL lacks; the number behind `data_version`; numbers without gaps.
SUPPORT = """
create function aios_each(document text) returns table (key text, value text) language sql immutable as
$$ select (n - 1)::text, v from json_array_elements_text(document::json) with ordinality as e(v, n) $$;
create function aios_extract(document text, path text) returns text language sql immutable as
$$ select document::json #>> string_to_array(ltrim(translate(path, '.[$]', ',,'), ','), ',') $$;
create table aios_state (version bigint not null, changes bigint not null);
create table aios_numbers (name text primary key, n bigint not null);
create function aios_next(which text) returns bigint language sql volatile as
$$ insert into aios_numbers as a values (which, 1) on conflict (name) do update set n = a.n + 1 returning n $$;
create function aios_now() returns double precision language sql volatile as
$$ select extract(epoch from clock_timestamp())::double precision $$;
"""
