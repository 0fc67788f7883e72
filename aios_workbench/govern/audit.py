"""The audit trail: who did what to what, each row chained to the one before by a SHA-256.

Any edit, insertion, swap or deletion in table `audit` breaks the chain and `verify` names the first row
that no longer fits. That is evidence, not prevention: someone who may write the database can also rewrite
the whole chain. Note `head(ws)` somewhere else (a ticket, another system) to be able to prove even that.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import math
import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.workspace.database import Session
    from aios_workbench.workspace.home import Workspace

GENESIS = "0" * 64
_PAGE = 5_000
_DEPTH = 20
_INSERT = (
    "insert into audit (at, actor, action, subject, detail, prev, hash) "
    "values (:at, :actor, :action, :subject, :detail, :prev, :hash)"
)


def actor() -> str:
    """Return who is at work: JUPYTERHUB_USER, else AIOS_USER, else the operating system's user.

    Examples
    --------
    >>> isinstance(actor(), str)
    True
    """
    for name in ("JUPYTERHUB_USER", "AIOS_USER"):
        value = os.environ.get(name, "").strip()
        if value:
            return _text(value)
    try:
        return _text(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a container's user id without a name
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"


def audit(ws: Workspace, actor: str, action: str, subject: str, /, **detail: Any) -> str:
    """Append one row, stored on return.

    Parameters
    ----------
    ws : Workspace
        Whose trail.
    actor : str
        Who; usually `actor()`.
    action : str
        What, as `thing.verb`: "gate.approve", "job.promote".
    subject : str
        To what: a run id with its step, a job's name.
    **detail
        Anything else; what JSON does not know is stored as its `str`.

    Returns
    -------
    str
        The new row's hash.

    Raises
    ------
    WorkspaceError
        When the catalog cannot be written.

    Examples
    --------
    >>> audit(ws, "ada", "gate.approve", "run-7/review", reason="looked at all 12")  # doctest: +SKIP
    '9f2c…'
    """
    with ws.catalog.transaction() as con:
        return audit_within(con, actor, action, subject, **detail)


def audit_within(con: Session, actor: str, action: str, subject: str, /, **detail: Any) -> str:
    """Append one row inside an open `catalog.transaction()`, so that deed and record are stored together.

    Returns
    -------
    str
        The new row's hash.
    """
    last = con.execute("select hash from audit order by seq desc limit 1").fetchone()
    row: dict[str, Any] = {
        "at": time.time(),
        "actor": _text(actor),
        "action": _text(action),
        "subject": _text(subject),
        "detail": _canonical(_plain(detail)),
        "prev": last[0] if last else GENESIS,
    }
    row["hash"] = _hash(row)
    con.execute(_INSERT, row)
    return str(row["hash"])


def head(ws: Workspace) -> tuple[int, str]:
    """Return number and hash of the newest row; `(0, GENESIS)` for an empty trail."""
    row = ws.catalog.one("select seq, hash from audit order by seq desc limit 1")
    return (int(row["seq"]), str(row["hash"])) if row else (0, GENESIS)


def verify(ws: Workspace, anchor: tuple[int, str] | None = None) -> dict[str, Any] | None:
    """Check the whole chain.

    Parameters
    ----------
    ws : Workspace
        Whose trail.
    anchor : tuple of int and str, optional
        A `head(ws)` noted earlier; the trail must still contain it.

    Returns
    -------
    dict or None
        None when all is well, else the first broken row with a `problem` added. For rows missing at the
        end only `seq` and `problem` are given.

    Examples
    --------
    >>> verify(ws) is None  # doctest: +SKIP
    True
    """
    expected, seq, seen_anchor = GENESIS, 0, anchor is None or anchor[0] == 0
    while True:
        rows = ws.catalog.query(
            "select * from audit where seq > :seq order by seq limit :n", seq=seq, n=_PAGE
        )
        for row in rows:
            problem = _problem(row, expected, seq)
            if not problem and anchor and row["seq"] == anchor[0]:
                seen_anchor = True
                problem = "" if row["hash"] == anchor[1] else "its hash is not the one noted earlier"
            if problem:
                return {**row, "problem": problem}
            expected, seq = row["hash"], row["seq"]
        if len(rows) < _PAGE:
            break
    # The database remembers the highest number it ever gave out, so rows cut off the end are missed.
    last = max(ws.catalog.last_number("audit"), 0 if seen_anchor or anchor is None else anchor[0])
    if last > seq:
        return {"seq": seq + 1, "problem": f"rows {seq + 1} to {last} are missing"}
    return None


def _problem(row: dict[str, Any], expected: str, before: int) -> str:
    if row["seq"] != before + 1:
        return f"rows {before + 1} to {row['seq'] - 1} are missing"
    if row["prev"] != expected:
        return "it does not follow the row before"
    try:
        good = row["hash"] == _hash(row)
    except (TypeError, ValueError):  # a blob where text was
        good = False
    return "" if good else "its content was changed"


def _hash(row: dict[str, Any]) -> str:
    body = {k: row[k] for k in ("at", "actor", "action", "subject", "detail", "prev")}
    return hashlib.sha256(_canonical(body).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _text(value: object) -> str:
    """Return text any database can store: lone surrogates (undecodable file names) become escapes, NUL its picture.

    Before the row is hashed: a database that replaced something itself would break the chain.
    """
    text = str(value).replace("\0", "\N{SYMBOL FOR NULL}")
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON has it; never fails, because a record must not depend on what is in it."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth < _DEPTH:
        if isinstance(value, dict):
            return {_text(k): _plain(v, depth + 1) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [_plain(v, depth + 1) for v in value]
        if isinstance(value, (set, frozenset)):
            return sorted((_plain(v, depth + 1) for v in value), key=str)
    try:
        return _text(value)
    except Exception:  # noqa: BLE001 - somebody else's __str__ may raise anything
        return f"<{type(value).__name__}>"
