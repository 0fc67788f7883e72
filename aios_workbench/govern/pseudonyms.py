"""Stable stand-ins for personal data: the same value gives the same token, so joins still work.

A token is an HMAC-SHA256 under a key that only this workspace holds: without the key nobody can find the
value by trying all telephone numbers. Whoever has the key can; delete it and the tokens are anonymous.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from typing import TYPE_CHECKING

from aios_workbench.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

    from aios_workbench.workspace.home import Workspace

KEY_FILE = "redact.key"
_KEY_BYTES = 32
#: 64 bits: two of a million values share a token with a chance of 3 in 100 million.
_HEX = 16
TOKEN = re.compile(rf"[a-z][a-z0-9_]*_[0-9a-f]{{{_HEX}}}")


def pseudonym_key(ws: Workspace) -> bytes:
    """Return the workspace's key, made on first use (file `redact.key`, mode 0600).

    Raises
    ------
    WorkspaceError
        When the file cannot be made or read, others may read it, or it is not a key.
    """
    path = ws.root / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise WorkspaceError(
                f"{path} can be read by other users, who could then undo pseudonyms; run `chmod 600 {path}`, "
                "or delete it to start with a new key (old and new pseudonyms will not join)"
            )
        key = path.read_bytes()
    except OSError as e:
        raise WorkspaceError(
            f"cannot use the pseudonym key {path}: {e}; check the folder's owner and mode"
        ) from e
    if len(key) != _KEY_BYTES:
        raise WorkspaceError(
            f"{path} holds {len(key)} bytes, not {_KEY_BYTES}: it is damaged. Restore it from a backup, or "
            "delete it to start with a new key (old and new pseudonyms will not join)"
        )
    return key


def token(key: bytes, kind: str, normal: str) -> str:
    """Return the stand-in of a normalised value.

    Examples
    --------
    >>> token(b"k" * 32, "email", "ada@example.com") == token(b"k" * 32, "email", "ada@example.com")
    True
    >>> token(b"k" * 32, "email", "ada@example.com").startswith("email_")
    True
    """
    message = f"{kind}\0{normal}".encode("utf-8", "surrogatepass")
    return f"{kind}_{hmac.new(key, message, hashlib.sha256).hexdigest()[:_HEX]}"


def _create(path: Path) -> None:
    # Written aside, then linked: of several processes one wins, and nobody ever reads half a key.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
