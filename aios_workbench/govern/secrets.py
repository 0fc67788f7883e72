"""Secrets by reference: a workflow names them, this process finds them, and nothing that is written down has them."""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from aios_workbench.errors import SecretExposed, SecretMissing

FOLDER = "/run/secrets"
_SERVICE = "aios"
_LEAST_LINE = 8


def resolve(reference: str) -> str:
    """Return the value of a secret.

    Looked for in this order: the environment variables ``AIOS_SECRET_<NAME>`` and ``<NAME>``, a file of that name in
    the folder ``AIOS_SECRETS`` (``/run/secrets`` unless set: where Docker and Kubernetes put them), the keyring of the
    operating system (service ``aios``) where the package `keyring` is installed.

    Raises
    ------
    SecretMissing
        Saying where it was looked for.

    Examples
    --------
    >>> os.environ["AIOS_SECRET_CRM_TOKEN"] = "s3cret"
    >>> resolve("CRM_TOKEN"), find("CRM_TOKEN")
    ('s3cret', 'environment variable AIOS_SECRET_CRM_TOKEN')
    >>> del os.environ["AIOS_SECRET_CRM_TOKEN"]
    """
    for _, look in _places(reference):
        value = look()
        if value:
            return value
    looked = "; ".join(place for place, _ in _places(reference))
    raise SecretMissing(
        f"no secret '{reference}' here. Looked for: {looked}. Set one of these for the process that executes the run "
        "(`aios secrets` shows what resolves)"
    )


def find(reference: str) -> str | None:
    """Say where a secret is found, without its value; None when it is nowhere."""
    return next((place for place, look in _places(reference) if look()), None)


def _places(reference: str) -> list[tuple[str, Callable[[], str | None]]]:
    name = re.sub(r"\W", "_", reference).upper()
    folder = Path(os.environ.get("AIOS_SECRETS") or FOLDER)
    places: list[tuple[str, Callable[[], str | None]]] = [
        (f"environment variable {variable}", lambda v=variable: os.environ.get(v))  # type: ignore[misc]
        for variable in dict.fromkeys((f"AIOS_SECRET_{name}", reference))
    ]
    places.append((f"file {folder / reference}", lambda: _file(folder / reference)))
    places.append(("keyring, service 'aios'", lambda: _keyring(reference)))
    return places


def _file(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        return None


def _keyring(reference: str) -> str | None:
    try:
        keyring, fail = importlib.import_module("keyring"), importlib.import_module("keyring.backends.fail")
    except ImportError:
        return None
    try:
        if isinstance(keyring.get_keyring(), fail.Keyring):
            return None
        value = keyring.get_password(_SERVICE, reference)
    except Exception:  # noqa: BLE001 - locked, or no session to ask in: not there, for us
        return None
    return None if value is None else str(value)


class Mask:
    """Takes secrets out of what is about to be written down, in the forms in which they usually turn up.

    Parameters
    ----------
    secrets : mapping
        Reference -> value.

    Examples
    --------
    >>> mask = Mask({"TOKEN": "pa ss/word"})
    >>> mask.text("GET /?key=pa%20ss%2Fword, 'pa ss/word'")
    "GET /?key=[secret TOKEN], '[secret TOKEN]'"
    >>> mask.text("Basic " + base64.b64encode(b"user:pa ss/word").decode())
    'Basic dXNlcjp[secret TOKEN]'
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._stands = {form: f"[secret {name}]" for name, value in secrets.items() for form in _forms(value)}
        self._raw = {name: value.encode("utf-8", "surrogatepass") for name, value in secrets.items()}
        longest = sorted(self._stands, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest))) if longest else None

    def text(self, text: str) -> str:
        """Return the text with every secret replaced by its name."""
        return text if self._pattern is None else self._pattern.sub(lambda m: self._stands[m[0]], text)

    def data(self, value: Any) -> Any:
        """Return plain data with every text in it masked, the keys of dicts too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(k): self.data(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(v) for v in value]
        return value

    def refuse(self, blob: bytes) -> None:
        """Refuse bytes that hold a secret.

        Raises
        ------
        SecretExposed
            Naming it.
        """
        for name, raw in self._raw.items():
            if len(raw) >= _LEAST_LINE and raw in blob:
                raise SecretExposed(
                    f"the value has the secret '{name}' in it, so it is not stored. Return what was fetched with the "
                    "secret, not the secret, a client or a request that holds it"
                )


def _forms(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    plain = {value, *(line.strip() for line in value.splitlines() if len(line.strip()) >= _LEAST_LINE)}
    forms = set(plain)
    for text in plain:
        forms |= {quote(text, safe=safe, errors="replace") for safe in ("", "/")}
        forms |= {quote_plus(text, errors="replace"), repr(text)[1:-1], json.dumps(text)[1:-1]}
        forms.add(json.dumps(text, ensure_ascii=False)[1:-1])
    if len(raw) >= _LEAST_LINE - 2:
        forms |= {binascii.hexlify(raw).decode(), binascii.hexlify(raw).decode().upper(), *_base64(raw)}
    return {form for form in forms if form}


def _base64(raw: bytes) -> Iterable[str]:
    """Return the characters that stand for these bytes alone, wherever in a longer text they begin."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            text = encode(b"\0" * before + raw).decode().rstrip("=")
            shared = 0 if before == 0 else before + 1
            whole = (len(raw) + before) * 8 // 6
            yield text[shared:whole]
        yield encode(raw).decode().rstrip("=")
