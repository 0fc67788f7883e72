"""Models behind an address: asked in batches, never twice about one row, within a limit, again after a failure."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError, ModelFailed

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]

#: Answers of a server that a second request may be spared: busy, or out of order for a moment.
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class Spent(ModelFailed):
    """The rows that may be asked of an endpoint are used up."""


class Endpoint:
    """A model that answers over the network, or that costs something each time it is asked.

    Parameters
    ----------
    ask : str or callable
        An address that takes MLflow's scoring protocol (POST of ``{"dataframe_split": …}``, answer
        ``{"predictions": […]}``), or a function of a data frame.
    batch : int
        Most rows of one request.
    retries : int
        How often a request that failed is made again, after 0.1, 0.2, 0.4 … seconds.
    most : int, optional
        Most rows that may be asked in all; rows that were asked before cost nothing. An explanation stops with what it
        has when they are used up.
    timeout : float
        Seconds a request may take.
    headers : mapping, optional
        Sent along, such as an authorisation. They are not part of any explanation.
    kept : int
        Most answers that are remembered.

    Attributes
    ----------
    rows, requests : int
        What was asked so far.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = Endpoint(lambda frame: frame["a"] * 2, most=10)
    >>> asked(pd.DataFrame({"a": [1, 2, 1]})).tolist(), asked.rows
    ([2.0, 4.0, 2.0], 2)
    """

    def __init__(
        self, ask: str | Callable[[pd.DataFrame], Any], *, batch: int = 512, retries: int = 3, most: int | None = None,
        timeout: float = 30.0, headers: Mapping[str, str] | None = None, kept: int = 1_000_000,
    ) -> None:  # fmt: skip
        if isinstance(ask, str) and not ask.startswith(("http://", "https://")):
            raise ExplainInputError(f"{ask!r} is no address; give one that begins with https:// or http://")
        if batch < 1 or retries < 0 or (most is not None and most < 1) or timeout <= 0:
            raise ExplainInputError("an Endpoint takes batch >= 1, retries >= 0, most >= 1 and timeout > 0")
        self.address = ask if isinstance(ask, str) else None
        self._ask = ask
        self.batch, self.retries, self.most, self.timeout = batch, retries, most, timeout
        self.headers, self.kept = dict(headers or {}), kept
        self.rows = self.requests = 0
        self._answers: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def __name__(self) -> str:
        """What it is called in an explanation; an address without what may be secret in it."""
        if self.address is None:
            return getattr(self._ask, "__name__", "endpoint")
        return self.address.partition("?")[0].rpartition("@")[2]

    def remaining(self) -> int:
        """Return how many rows may still be asked."""
        return 1 << 62 if self.most is None else max(0, self.most - self.rows)

    def __call__(self, frame: pd.DataFrame) -> Floats:
        """Return what the model says of rows, (n,) or (n, K); each different row is asked once."""
        keys = _keys(frame)
        with self._lock:
            new: dict[str, int] = {}
            for at, key in enumerate(keys):
                if key not in self._answers:
                    new.setdefault(key, at)
            if len(new) > self.remaining():
                raise Spent(
                    f"{self.__name__} may be asked about {self.most:,} rows, {self.rows:,} were, and {len(new):,} more "
                    "are needed; raise most=, or explain fewer rows"
                )
            fresh: dict[str, Any] = {}
            places = list(new.values())
            for at in range(0, len(places), self.batch):
                part = places[at : at + self.batch]
                answers = self._again(frame.iloc[part])
                fresh.update(zip((keys[i] for i in part), answers, strict=True))
            found = np.array([fresh[k] if k in fresh else self._answers[k] for k in keys], dtype=np.float64)
            if len(self._answers) + len(fresh) <= self.kept:
                self._answers.update(fresh)
        return found

    def _again(self, frame: pd.DataFrame) -> Any:
        wait = 0.1
        for left in range(self.retries, -1, -1):
            self.requests += 1
            try:
                answer = self._one(frame)
            except Exception as e:  # a service may fail in any way; what cannot get better is told at once
                if not left or not _passes(e):
                    raise ModelFailed(
                        f"{self.__name__} failed {self.retries - left + 1} times for {len(frame)} rows: "
                        f"{type(e).__name__}: {e}"
                    ) from e
                time.sleep(wait)
                wait *= 2
                continue
            self.rows += len(frame)
            if len(answer) != len(frame):
                raise ModelFailed(
                    f"{self.__name__} was asked about {len(frame)} rows and answered {len(answer)} predictions"
                )
            return answer
        raise AssertionError

    def _one(self, frame: pd.DataFrame) -> Any:
        if not isinstance(self._ask, str):
            return np.asarray(self._ask(frame), dtype=np.float64)
        body = frame.to_json(orient="split", date_format="iso", default_handler=str)
        request = urllib.request.Request(  # noqa: S310 - the address was checked to be http(s)
            self._ask, data=f'{{"dataframe_split": {body}}}'.encode(), method="POST",
            headers={"Content-Type": "application/json", **self.headers},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=self.timeout) as reply:  # noqa: S310
            found = json.loads(reply.read())
        answers = found.get("predictions") if isinstance(found, dict) else found
        return np.asarray(answers, dtype=np.float64)


def _passes(e: Exception) -> bool:
    """True of what may be over in a moment."""
    if isinstance(e, urllib.error.HTTPError):
        return e.code in _AGAIN
    return not isinstance(e, (TypeError, ValueError, KeyError, AttributeError))


def _keys(frame: pd.DataFrame) -> list[str]:
    """Return a text for each row that is the same where the row is; 1 and "1" differ."""
    return [repr(row) for row in frame.itertuples(index=False, name=None)]
