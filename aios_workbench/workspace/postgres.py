"""The catalog's database of a team: a schema of its own in a PostgreSQL database.

One writer at a time, as SQLite has it: a transaction that writes begins with an advisory lock of the schema. What
checks and then acts is right without further thought, numbers are given out in the order in which they are seen
(a reader behind `seq` misses nothing), and the audit chain has one end.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.types.numeric import IntLoader

from aios_workbench.errors import ParameterError, UnreachableError, WorkspaceError
from aios_workbench.workspace import portable, schema
from aios_workbench.workspace.sqlite import newer, scripts, statements

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,39}")
#: A process that is stopped inside a transaction holds up everybody: the server ends it well before its lease does.
_OPTIONS = "-c search_path={schema} -c idle_in_transaction_session_timeout=10s -c lock_timeout=30s"


@dataclass(frozen=True)
class Address:
    """What `AIOS_DATABASE_URL` says: a database, and the workspace's schema in it."""

    url: str
    schema: str = "aios"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address; `?schema=name` is ours, the rest is libpq's.

        Raises
        ------
        ParameterError
            For another database's address, or a name that cannot be a schema's.

        Examples
        --------
        >>> Address.parse("postgresql://db/team?schema=claims")
        Address(url='postgresql://db/team', schema='claims')
        """
        parts = urlsplit(text)
        if parts.scheme not in ("postgresql", "postgres"):
            raise ParameterError(
                f"AIOS_DATABASE_URL begins with {parts.scheme or text[:20]!r}; it is postgresql://user@host/database, "
                "with ?schema=name where several workspaces share a database. Without it the workspace is a folder "
                "(AIOS_HOME)"
            )
        given = parse_qsl(parts.query, keep_blank_values=True)
        name = dict(given).get("schema", "aios")
        if not _SCHEMA.fullmatch(name) or name.startswith("pg_"):
            raise ParameterError(
                f"AIOS_DATABASE_URL names the schema {name!r}; a schema is lower-case letters, digits and underscores, "
                "at most 40, not beginning with pg_"
            )
        rest = urlencode([(k, v) for k, v in given if k != "schema"])
        return cls(urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")), name)

    @property
    def journal(self) -> str:
        """The schema of the durable engine's journal."""
        return f"{self.schema}_journal"

    @property
    def sqlalchemy(self) -> str:
        """The address as SQLAlchemy takes it."""
        return self.url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def text(self) -> str:
        """The address as `AIOS_DATABASE_URL` takes it, with its password."""
        return f"{self.url}{'&' if '?' in self.url else '?'}schema={self.schema}"

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        secret = f":{parts.password}@" if parts.password else "@"
        return f"{parts._replace(netloc=parts.netloc.replace(secret, '@')).geturl()} (schema {self.schema})"


class Postgres:
    """A schema in a PostgreSQL database."""

    errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)
    shared: ClassVar[bool] = True

    def __init__(self, address: Address) -> None:
        self.address = address
        key = hashlib.sha256(f"aios {address.schema}".encode()).digest()[:8]
        self._lock = int.from_bytes(key, "big", signed=True)

    @property
    def place(self) -> str:
        """The database and the schema."""
        return str(self.address)

    def open(self) -> Link:
        """Return a new connection."""
        try:
            con = psycopg.connect(
                self.address.url, autocommit=True, connect_timeout=10, application_name="aios",
                options=_OPTIONS.format(schema=self.address.schema),
                keepalives_idle=10, keepalives_interval=5, keepalives_count=3, cursor_factory=psycopg.ClientCursor,
                row_factory=_rows,
            )  # fmt: skip
        except psycopg.Error as e:
            raise self.explain(e) from e
        con.adapters.register_loader("numeric", _Number)
        con.adapters.register_loader("bool", _Truth)
        con.adapters.register_loader("int8", IntLoader)
        return Link(con)

    def close(self, con: Link) -> None:
        """End a connection."""
        with contextlib.suppress(psycopg.Error):
            con.raw.close()

    def begin(self, con: Link) -> None:
        """Start a transaction and wait for the writers' lock."""
        try:
            con.raw.execute(f"begin; select pg_advisory_xact_lock({self._lock})")
        except psycopg.Error:
            self.rollback(con)
            raise

    def fenced(self, con: Link, writers: Collection[str]) -> set[str]:
        """Return those that have no valid lease: adopted by another, or forgotten since."""
        rows = con.execute(
            "select executor_id from executors where fenced = 0 and executor_id in "
            "(select value from json_each(:ids))",
            {"ids": json.dumps(list(writers))},
        )
        return set(writers) - {row[0] for row in rows}

    def commit(self, con: Link) -> None:
        """Store the transaction, and count it."""
        con.raw.execute("update aios_state set changes = changes + 1; commit")

    def rollback(self, con: Link) -> None:
        """Undo the transaction, if the connection still has one."""
        with contextlib.suppress(psycopg.Error):
            if con.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                con.raw.execute("rollback")

    def version(self, con: Link) -> int:
        """Return how many transactions have been stored: one row, a fraction of a millisecond."""
        return int(con.execute("select changes from aios_state").fetchall()[0][0])

    def usable(self, con: Link) -> bool:
        """False when the server hung up, or the transaction was left open."""
        return con.raw.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def is_wrong(self, e: Exception) -> bool:
        """True when one statement is wrong: its data, a constraint, its syntax."""
        return isinstance(e, (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError,
                              psycopg.NotSupportedError, UnicodeEncodeError, TypeError, OverflowError))  # fmt: skip

    def store(self, con: Link, batch: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Store deferred rows in one go; where one is wrong, one after the other without it."""
        con.raw.execute("savepoint batch")
        try:
            with con.raw.pipeline():
                for sql, params in batch:
                    con.execute(sql, params)
            return
        except Exception as e:
            if not self.is_wrong(e):
                raise
        con.raw.execute("rollback to savepoint batch")
        for sql, params in batch:
            con.raw.execute("savepoint row")
            try:
                con.execute(sql, params)
            except Exception as e:
                if not self.is_wrong(e):
                    raise
                con.raw.execute("rollback to savepoint row")
                logging.getLogger("aios_workbench").exception("not stored (%.200s)", sql)
            con.raw.execute("release savepoint row")

    def last_number(self, con: Link, table: str) -> int:
        """Return the highest number given out; kept beside the table, so rows cut off its end are missed."""
        row = con.execute("select n from aios_numbers where name = :t", {"t": table}).fetchone()
        return int(row[0]) if row else 0

    def columns(self, con: Link, table: str) -> list[tuple[str, str]]:
        """Return name and type of a table's columns."""
        rows = con.execute(
            "select column_name, data_type from information_schema.columns where table_schema = :s and table_name = :t "
            "and column_name <> 'rowid' order by ordinal_position",
            {"s": self.address.schema, "t": table},
        )
        words = {"double precision": "real", "bigint": "integer", "integer": "integer"}
        return [(name, words.get(kind, kind)) for name, kind in rows]

    def now(self, con: Link) -> float:
        """Return the server's time."""
        return float(con.execute("select aios_now()").fetchall()[0][0])

    def migrate(self, con: Link) -> None:
        """Create the schema and its tables, or bring those of an older version up to date."""
        try:
            if self._version(con) == schema.VERSION:
                return
            con.raw.execute(f"begin; select pg_advisory_xact_lock({self._lock})")
            version = self._version(con)  # another process may have been first
            if version > schema.VERSION:
                con.raw.execute("rollback")
                raise newer(self.place, version, "choose another schema in AIOS_DATABASE_URL")
            if version == 0:
                self._create(con)
            for statement in statements(scripts(version)):
                con.raw.execute(portable.definition(statement))
            con.execute("update aios_state set version = :v", {"v": schema.VERSION})
            con.raw.execute("commit")
        except psycopg.Error as e:
            self.rollback(con)
            raise self.explain(e) from e

    def _create(self, con: Link) -> None:
        name = self.address.schema
        if con.execute("select 1 from pg_namespace where nspname = :s", {"s": name}).fetchone() is None:
            con.raw.execute(f'create schema "{name}"')
        for statement in statements(portable.SUPPORT):
            con.raw.execute(statement)
        con.raw.execute("insert into aios_state values (0, 0)")

    def _version(self, con: Link) -> int:
        there = con.execute("select to_regclass(:t)", {"t": f'"{self.address.schema}".aios_state'}).fetchall()
        if there[0][0] is None:
            return 0
        rows = con.execute("select version from aios_state").fetchall()
        return int(rows[0][0]) if rows else 0

    def explain(self, e: Exception) -> WorkspaceError:
        """Return the error to raise in place of psycopg's own."""
        text = str(e).strip().replace("\n", " ") or type(e).__name__
        if isinstance(e, psycopg.errors.DiskFull):
            return WorkspaceError(
                f"no space left for {self.place} ({text}); free some on the database's server"
            )
        if isinstance(e, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)):
            return WorkspaceError(
                f"{self.place} stayed locked for 30 s ({text}); is another process stuck in it?"
            )
        if isinstance(e, psycopg.errors.InsufficientPrivilege):
            return WorkspaceError(
                f"{self.place}: {text}; the role needs to create schemas in this database, or its owner makes the "
                f"schemas {self.address.schema} and {self.address.journal} for it"
            )
        if isinstance(e, psycopg.OperationalError):
            told = (
                f"{self.place} cannot be reached ({text}); check AIOS_DATABASE_URL and that the server is up"
            )
            refused = "FATAL" in text and not any(word in text for word in _PASSING)
            return WorkspaceError(told) if refused else UnreachableError(told)
        return WorkspaceError(f"{self.place}: {text}")


_PASSING = (
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "terminating",
    "remaining connection slots",
)


class Link:
    """A connection that takes the package's SQL; `raw` takes PostgreSQL's."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw

    def execute(self, sql: str, parameters: Any = None, /) -> psycopg.Cursor[Any]:
        """Run one statement."""
        return self.raw.execute(portable.statement(sql), _bound(parameters if parameters is not None else {}))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> None:
        """Run one statement for each of several sets of parameters."""
        told = portable.statement(sql)
        with self.raw.pipeline():
            for row in parameters:
                self.raw.execute(told, _bound(row))


def _bound(parameters: Any) -> Any:
    if isinstance(parameters, Mapping):
        return {k: _value(v) for k, v in parameters.items()}
    return [_value(v) for v in parameters]


def _value(value: Any) -> Any:
    if isinstance(value, str):
        if "\0" in value:
            value = value.replace(
                "\0", "\N{SYMBOL FOR NULL}"
            )  # a text there cannot hold it; this is its picture
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return int(value) if isinstance(value, bool) else value


class Row:
    """A row by name and by number, as `sqlite3.Row` is."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self._names, self._values = names, values

    def keys(self) -> Sequence[str]:
        """Return the columns' names."""
        return self._names

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, str):
            try:
                return self._values[self._names.index(key)]
            except ValueError:
                raise IndexError(f"no column {key!r}") from None
        return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(zip(self._names, self._values, strict=True)))


def _rows(cursor: psycopg.Cursor[Any]) -> Any:
    described = cursor.description
    if described is None:
        return tuple
    names = [c.name for c in described]
    if "rowid" not in names:
        return functools.partial(Row, names)
    # `select *` means the columns that the schema names: SQLite's own number is not among them
    kept = [i for i, name in enumerate(names) if name != "rowid"]
    shown = [names[i] for i in kept]
    return lambda values: Row(shown, [values[i] for i in kept])


class _Number(psycopg.adapt.Loader):
    """A sum of integers is `numeric` there: an integer again, else a float."""

    def load(self, data: Any) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)


class _Truth(psycopg.adapt.Loader):
    """What a comparison says: 0 or 1, as in SQLite."""

    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")
