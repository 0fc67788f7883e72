"""What each column holds and what it is to a model: inferred from types and a sample, correctable by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aios_workbench.drift.models import Kind, Role
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.sources import Source

#: Rows looked at.
SAMPLE = 20_000
#: Of so few rows nothing is called an id or a text: all of their values may well be different.
FEW = 50
#: So many whole numbers without a repetition are no measurements.
MANY_DIFFERENT = 5_000
#: A target or prediction of whole numbers with no more different ones is a class.
CLASSES = 20

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "BIGNUM", "VARINT")  # fmt: skip
_FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
_CALLED_ID = re.compile(r"(^|[_\W])(id|uuid|guid|key)$|[a-z]I[dD]$", re.IGNORECASE)
_KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]


class ColumnRole(NamedTuple):
    """What a column holds, and what it is to a model."""

    kind: Kind
    role: Role = "feature"


def infer(
    source: Source, kinds: Mapping[str, Kind] | None = None, target: str | None = None,
    prediction: str | None = None, score: str | Sequence[str] | None = None,
    embeddings: Sequence[str] | None = None, *, columns: Sequence[str] | None = None,
    sample: pd.DataFrame | None = None,
) -> dict[str, ColumnRole]:  # fmt: skip
    """Say what each column is.

    Texts that are nearly all different are ids, and whole numbers that are, when there are many, or they run on; texts
    of several words that mostly differ are texts; lists of numbers are embeddings. A target or prediction
    of at most 20 different whole numbers is a class.

    Parameters
    ----------
    kinds : mapping of str to str, optional
        Corrections: ``{"zip": "categorical"}``.
    target, prediction : str, optional
        The columns with what was to be predicted, and what was.
    score : str or sequence of str, optional
        The column with a predicted probability, or one for each class.
    embeddings : sequence of str, optional
        Columns of lists of numbers.
    columns : sequence of str, optional
        Only these, besides those named above.
    sample : DataFrame, optional
        Rows of the source, where some were drawn already.

    Raises
    ------
    DriftInputError
        When a column or a kind is unknown, with the nearest name; when one column has two roles.

    Examples
    --------
    >>> import pandas as pd
    >>> from aios_workbench.drift.sources import open_source
    >>> frame = pd.DataFrame({"id": range(100), "zip": [1, 2] * 50, "fraud": [0, 1] * 50})
    >>> infer(open_source(frame), {"zip": "categorical"}, target="fraud")["zip"]
    ColumnRole(kind='categorical', role='feature')
    """
    roles = _roles(target, prediction, score)
    corrected = dict(kinds or {})
    for name, given in corrected.items():
        if given not in _KINDS:
            raise DriftInputError(
                f"kinds: {name!r} is to be {given!r}, which is no kind{hint(str(given), _KINDS)}; the kinds are "
                f"{', '.join(_KINDS)}"
            )
    for name in embeddings or ():
        corrected.setdefault(name, "embedding")
    source.only([*roles, *corrected])
    wanted = list(source.columns)
    if columns is not None:
        chosen = set(source.only(columns)) | set(roles)
        wanted = [c for c in wanted if c in chosen]
    unknown = [c for c in wanted if c not in corrected]
    if sample is None:
        sample = source.sample(SAMPLE, columns=unknown) if unknown else None
    found: dict[str, ColumnRole] = {}
    for name in wanted:
        role = roles.get(name, "feature")
        if name in corrected:
            found[name] = ColumnRole(corrected[name], role)
        else:
            assert sample is not None
            kind = _kind(name, source.columns[name], role, sample[name], source.rows)
            found[name] = ColumnRole(kind, role)
    return found


def _roles(target: str | None, prediction: str | None, score: str | Sequence[str] | None) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    scores = [score] if isinstance(score, str) else list(score or ())
    given: list[tuple[str | None, Role]] = [
        (target, "target"), (prediction, "prediction"), *((s, "score") for s in scores),
    ]  # fmt: skip
    for name, role in given:
        if name is None:
            continue
        if name in roles:
            raise DriftInputError(f"column {name!r} is given as {roles[name]} and as {role}; it can be one")
        roles[name] = role
    return roles


def is_number(type_: str) -> bool:
    """True of a DuckDB type that holds real numbers.

    Examples
    --------
    >>> is_number("DECIMAL(18,3)"), is_number("DOUBLE[]")
    (True, False)
    """
    return type_.partition("(")[0] in _NUMBERS + _FLOATS and not type_.endswith("]")


def _kind(name: str, type_: str, role: Role, values: pd.Series[Any], rows: int) -> Kind:
    if type_.endswith("]"):
        return "embedding" if is_number(type_.rpartition("[")[0]) else "categorical"
    if type_ == "BOOLEAN":
        return "boolean"
    if type_ == "DATE" or type_.startswith("TIMESTAMP"):
        return "datetime"
    if type_ in ("TIME", "INTERVAL"):
        return "numeric"
    if type_ == "UUID":
        return "id" if role == "feature" else "categorical"
    values = values.dropna()
    if is_number(type_):
        return _number(name, type_, role, values, rows)
    if type_.startswith("ENUM"):
        return "categorical"
    return _words(name, role, values.astype(str))


def _number(name: str, type_: str, role: Role, values: pd.Series[Any], rows: int) -> Kind:
    if role == "score":
        return "numeric"
    if role != "feature":
        few = values.nunique() <= CLASSES and bool((values.astype(float) % 1 == 0).all())
        return "categorical" if few else "numeric"
    if type_.partition("(")[0] in _FLOATS or len(values) < FEW:
        return "numeric"
    share = values.nunique() / len(values)
    if share > 0.9 and _CALLED_ID.search(name):
        return "id"
    # amounts in cents may all differ too: it takes many of them, or numbers that run on without gaps
    runs_on = float(values.max()) - float(values.min()) < 2 * rows
    return "id" if share == 1 and (runs_on or len(values) >= MANY_DIFFERENT) else "numeric"


def _words(name: str, role: Role, values: pd.Series[Any]) -> Kind:
    if role != "feature" or len(values) < FEW:
        return "categorical"
    share = values.nunique() / len(values)
    words = values.str.count(r"\s+") + 1
    if share > 0.2 and words.mean() >= 3 and values.str.len().mean() >= 20:
        return "text"
    if share > 0.99 or (share > 0.9 and _CALLED_ID.search(name)):
        return "id"
    return "categorical"
