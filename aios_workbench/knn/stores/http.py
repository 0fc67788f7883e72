"""JSON over HTTP for the stores that are asked that way."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aios_workbench.errors import StoreError

#: seconds for an answer; loading a large batch takes some
TIMEOUT = 60.0


class Http:
    """A connection to one server. Keys travel in headers and are never part of a message.

    Parameters
    ----------
    system : str
        For messages.
    base : str
        Such as ``http://localhost:6333``.
    headers : dict
    """

    def __init__(self, system: str, base: str, headers: dict[str, str] | None = None) -> None:
        try:
            import httpx
        except ImportError as e:
            raise StoreError(f'{system} needs httpx: pip install "aios-workbench[stores]"') from e
        self.system, self.base = system, base
        self._httpx = httpx
        # `retries` are of connections that failed, never of requests that arrived
        transport = httpx.HTTPTransport(retries=2)
        self._client = httpx.Client(
            base_url=base, headers=headers or {}, timeout=TIMEOUT, transport=transport
        )

    def ask(
        self, method: str, path: str, body: Any = None, *, params: Any = None, missing: bool = False
    ) -> Any:
        """Send a request and return the answer's JSON; None for a 404 when `missing` is allowed.

        Raises
        ------
        StoreError
            When there is no answer, or it is no success; the server's own words are quoted.
        """
        try:
            answer = self._client.request(method, path, json=body, params=params)
        except self._httpx.HTTPError as e:
            raise StoreError(
                f"{self.system} cannot be reached at {self.base}: {type(e).__name__} {e}; is it running, and is the "
                "address right?"
            ) from e
        if answer.status_code == 404 and missing:
            return None
        if answer.status_code in {401, 403}:
            raise StoreError(
                f"{self.system} at {self.base} refused the API key ({answer.status_code}); pass api_key=…"
            )
        if not answer.is_success:
            raise StoreError(
                f"{self.system} refused {method} {path} with {answer.status_code}: {answer.text[:500]}"
            )
        if not answer.content:
            return {}
        try:
            return answer.json()
        except ValueError as e:
            raise StoreError(
                f"{self.base} does not answer in JSON: is there {self.system} at that address?"
            ) from e

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def part(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")
