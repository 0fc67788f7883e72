"""Many numbers as few bytes: what a screen can tell apart, and no more."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal

from aios_workbench.widgets.explain_pages import Packed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Kind = Literal["u8", "u16"]

_TYPES = {"u8": "u1", "i8": "i1", "u16": "<u2", "u32": "<u4"}
#: The greatest code that stands for a number; the one above it stands for none.
_TOPS = {"u8": 254, "u16": 65_534}

#: The bytes of an answer that go as binary buffers beside it; None: as text within it.
Crate = list[bytes] | None


def pack(
    values: npt.ArrayLike, kind: Kind, crate: Crate, *, low: float | None = None, high: float | None = None
) -> Packed:
    """Return numbers as codes between two bounds; beyond them they are moved to the bound.

    Parameters
    ----------
    values : array_like of float
        The numbers; what is not finite is missing.
    kind : {"u8", "u16"}
        How fine: 255 steps or 65,535.
    crate : list of bytes or None
        Where the bytes go.
    low, high : float, optional
        The bounds; default: the least and the greatest number.

    Examples
    --------
    >>> unpack(pack([0.0, 0.5, 1.0, float("nan")], "u8", None)).tolist()
    [0.0, 0.5, 1.0, nan]
    """
    import numpy as np

    x = np.asarray(values, dtype=np.float64).ravel()
    known = np.isfinite(x)
    least = float(x[known].min()) if low is None and known.any() else float(low or 0.0)
    most = float(x[known].max()) if high is None and known.any() else float(high or 0.0)
    top = _TOPS[kind]
    # Halves: the span of the largest numbers is not finite.
    span = most / 2 - least / 2
    share = (np.where(known, x, least) / 2 - least / 2) / span if span > 0 else np.zeros(len(x))
    codes = np.rint(np.clip(share, 0.0, 1.0) * top)
    codes[~known] = top + 1
    data, at = _put(codes.astype(_TYPES[kind]), crate)
    missing = None if known.all() else top + 1
    return Packed(
        dtype=kind, length=len(x), low=least, high=most, top=top, missing=missing, base64=data, buffer=at
    )


def codes(
    values: npt.ArrayLike, dtype: Literal["u8", "i8", "u32"], crate: Crate, *, missing: int | None = None
) -> Packed:
    """Return whole numbers as they are.

    Examples
    --------
    >>> unpack(codes([7, 70_000], "u32", None)).tolist()
    [7.0, 70000.0]
    """
    import numpy as np

    x = np.asarray(values).ravel()
    data, at = _put(x.astype(_TYPES[dtype]), crate)
    return Packed(dtype=dtype, length=len(x), missing=missing, base64=data, buffer=at)


def unpack(packed: Packed, buffers: Any = ()) -> npt.NDArray[np.float64]:
    """Return the numbers again, as the browser does; NaN where there is none."""
    import numpy as np

    raw = buffers[packed.buffer] if packed.buffer is not None else base64.b64decode(packed.base64 or "")
    found = np.frombuffer(raw, dtype=_TYPES[packed.dtype], count=packed.length)
    out = found.astype(np.float64)
    if packed.top:
        out = packed.low + out / packed.top * (packed.high - packed.low)
    if packed.missing is not None:
        out[found == packed.missing] = np.nan
    return out


def _put(array: npt.NDArray[Any], crate: Crate) -> tuple[str | None, int | None]:
    raw = array.tobytes()
    if crate is None:
        return base64.b64encode(raw).decode(), None
    crate.append(raw)
    return None, len(crate) - 1
