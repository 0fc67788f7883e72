"""Makes the parts of a model card of what people have at hand: frames, reports, runs, labels and predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench import _hooks
from aios_workbench.drift.models import Measured
from aios_workbench.errors import AiosError, ExplainInputError, hint
from aios_workbench.explain.card_models import (
    Approval,
    Dataset,
    DriftState,
    Explained,
    Findings,
    Lineage,
    Metric,
    Picture,
    Worse,
)
from aios_workbench.explain.names import one_line
from aios_workbench.explain.summary import line

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation

#: Columns of the table of importance.
TOLD = 20
_PICTURES = {"importance": "What counts most", "beeswarm": "Every row", "compare": "SHAP and LIME"}


def datasets(given: Any) -> list[Dataset]:
    """Return the data a card tells of: a sentence, a frame, a mapping of fields, or several of these by name.

    Of a frame the card keeps rows, columns and the hash of its content, and no value.

    Examples
    --------
    >>> import pandas as pd
    >>> found = datasets({"training": pd.DataFrame({"age": [1, 2]}), "test": "claims of May"})
    >>> [(d.name, d.rows, d.columns, d.words) for d in found]
    [('training', 2, ['age'], ''), ('test', None, [], 'claims of May')]
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return []
    if isinstance(given, Mapping) and not set(given) <= set(Dataset.model_fields):
        return [_dataset(str(name), part) for name, part in given.items()]
    if isinstance(given, (list, tuple)) and all(isinstance(g, (Mapping, Dataset)) for g in given):
        return [_dataset("data", g) for g in given]
    return [_dataset("data", given)]


def _dataset(name: str, given: Any) -> Dataset:
    import pandas as pd

    if isinstance(given, Dataset):
        return given
    if isinstance(given, str):
        return Dataset(name=name, words=given)
    if isinstance(given, Mapping):
        return Dataset(**{"name": name, **given})
    from aios_workbench.explain.space import as_frame

    frame = as_frame(given)
    try:
        digest = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    except TypeError:  # a column of lists, say
        digest = frame.to_json().encode()
    names = [str(c) for c in frame.columns]
    found = hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass") + digest).hexdigest()
    return Dataset(name=name, rows=len(frame), columns=names, hash=f"sha256:{found}")


def metrics(given: Any, *, dataset: str | None = None) -> list[Metric]:
    """Return figures: a mapping of names, or labels with predictions, of which they are computed with intervals.

    Parameters
    ----------
    given : mapping or tuple
        ``{"accuracy": 0.9}``, ``{"accuracy": (0.9, 0.88, 0.92)}``, ``{"accuracy": Measured(…)}``; or ``(y, predicted)``
        or ``(y, predicted, scores)``, n each. Labels of numbers with more than 20 different values, or with a fraction,
        are a regression's.

    Examples
    --------
    >>> [(m.name, m.value, m.low is not None, m.rows) for m in metrics((["no", "yes"] * 50, ["no", "yes"] * 50))][:1]
    [('accuracy', 1.0, True, 100)]
    >>> metrics({"auc": (0.9, 0.85, 0.95)})[0].low
    0.85
    """
    if given is None:
        return []
    if isinstance(given, tuple) and len(given) in (2, 3) and np.ndim(given[0]) == 1:
        return _computed(*given, dataset=dataset)
    if not isinstance(given, Mapping):
        raise ExplainInputError(
            f"metrics are {type(given).__name__}; give a mapping such as {{'auc': (0.91, 0.89, 0.93)}}, or labels and "
            "predictions: (y, predicted)"
        )
    return [_metric(str(name), value, dataset) for name, value in given.items()]


def _metric(name: str, value: Any, dataset: str | None) -> Metric:
    try:
        if isinstance(value, Mapping):
            return Metric(**{"name": name, "dataset": dataset, **value})
        if isinstance(value, (Measured, Metric)):
            return Metric(name=name, value=value.value, low=value.low, high=value.high, dataset=dataset)
        if isinstance(value, (tuple, list)):
            middle, low, high = map(float, value)
            return Metric(name=name, value=middle, low=low, high=high, dataset=dataset)
        return Metric(name=name, value=float(value), dataset=dataset)
    except (TypeError, ValueError) as e:
        raise ExplainInputError(f"metric {name!r} is {value!r}; give a number, or (value, low, high)") from e


def _computed(y: Any, predicted: Any, scores: Any = None, *, dataset: str | None) -> list[Metric]:
    from aios_workbench.drift.metrics import classification, regression

    truth, guess = np.asarray(y), np.asarray(predicted)
    score = None if scores is None else np.asarray(scores, np.float64)
    n = len(truth)
    if len(guess) != n or (score is not None and len(score) != n) or not n:
        raise ExplainInputError(f"metrics need as many predictions as labels; there are {len(guess)} of {n}")
    if truth.dtype.kind == "f" and (len(np.unique(truth)) > 20 or bool((truth != np.round(truth)).any())):
        found = regression(truth, guess.astype(np.float64))
    else:
        classes, codes = np.unique(
            np.concatenate([truth.astype(str), guess.astype(str)]), return_inverse=True
        )
        if score is not None and score.ndim == 1:
            score = score[:, None]
        found = classification(codes[:n], codes[n:], score, max(2, len(classes)))
    return [
        Metric(name=k, value=m.value, low=m.low, high=m.high, rows=n, dataset=dataset)
        for k, m in found.items()
    ]


def findings(given: Any, what: str) -> Findings | None:
    """Return an answer of ours (`explanation.slices`, `.fairness`, `.calibration`), or a sentence, for a card."""
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, str):
        return Findings(words=given)
    if not hasattr(given, "words"):
        raise ExplainInputError(
            f"{what} is {type(given).__name__}; give explanation.{what}(…), or a sentence that says what was found"
        )
    worse = [
        Worse(words=s.words, rows=s.rows, loss=s.loss.value, difference=s.difference.value, low=s.difference.low,
              high=s.difference.high)
        for s in getattr(given, "slices", [])
    ]  # fmt: skip
    return Findings(words=given.words, notes=list(given.notes), slices=worse)


def explained(explanation: Explanation) -> Explained:
    """Return what of an explanation is on a card; no row of it."""
    data = explanation.data
    return Explained(
        id=data.id, words=line(data), code=explanation.code(), rows=data.rows, output=data.outputs[data.output],
        scale=data.scale, method=data.method, importance=data.importance[:TOLD], agreement=data.agreement,
        checks=data.checks, notes=data.notes,
    )  # fmt: skip


def pictures(explanation: Explanation, wanted: Iterable[str], notes: list[str]) -> list[Picture]:
    """Return pictures of an explanation, those a person pinned first; a note says which could not be drawn."""
    from aios_workbench.explain.files import without_raw

    bare, found = without_raw(explanation), []
    pins = explanation.extra.get("pinned") or []
    asked = [(dict(p), str(p.get("title") or p.get("picture") or "Picture")) for p in pins]
    pinned = {p.get("picture") for p, _ in asked}
    asked += [({"picture": w}, _PICTURES.get(w, w)) for w in wanted if w not in pinned]
    for n, (pin, title) in enumerate(asked, 1):
        what = str(pin.get("picture"))
        of = {k: pin[k] for k in ("row", "column", "output") if pin.get(k) is not None}
        if what == "compare" and explanation.arrays.lime is None:
            continue
        try:
            svg = _hooks.picture(bare, what, **of)
        except AiosError as e:
            notes.append(f"The picture {one_line(title)} could not be drawn: {e}.")
            continue
        found.append(Picture(title=title, name=f"{n:02d}-{''.join(c for c in what if c.isalnum())}", svg=svg))
    return found


def drift_state(given: Any) -> DriftState | None:
    """Return what a drift report, or a sentence, says of the data.

    Examples
    --------
    >>> drift_state("not compared yet: the model is new").drifted is None
    True
    """
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if isinstance(given, str):
        return DriftState(words=given)
    if not hasattr(given, "stored"):
        raise ExplainInputError(
            f"drift is {type(given).__name__}; give a report of aios.drift.compare, or a sentence"
        )
    data = given.stored()
    return DriftState(
        words=data.summary, drifted=data.drifted, reasons=list(data.reasons[:20]), report=data.id,
        reference=data.reference.name, current=data.current.name, created_at=data.created_at,
    )  # fmt: skip


def approvals(given: Any, run: str | None, workspace: Any) -> list[Approval]:
    """Return approvals: those given, and the decisions at the gates of a run."""
    found = []
    for one in [given] if isinstance(given, (str, Mapping, Approval)) else list(given or []):
        if isinstance(one, Approval):
            found.append(one)
        elif isinstance(one, Mapping):
            unknown = [k for k in one if k not in Approval.model_fields]
            if unknown or "by" not in one:
                raise ExplainInputError(
                    f"an approval has by, decision, at, what and reason, not {unknown or list(one)}"
                    f"{hint(str(unknown[0]), Approval.model_fields) if unknown else ''}"
                )
            found.append(Approval(**{"decision": "approved", **one}))
        else:
            found.append(Approval(by=str(one), decision="approved"))
    if run is not None:
        query = "select step, status, decided_by, decided_at, reason from gates where run_id = :run"
        decided = [row for row in _rows(query, run, workspace) if row["decided_by"]]
        found += [
            Approval(
                by=str(row["decided_by"]), decision=str(row["status"]).lower(), at=row["decided_at"],
                what=f"gate {row['step']}", reason=row["reason"] or "",
            )
            for row in decided
        ]  # fmt: skip
    return found


def lineage(
    explanation: Explanation | None, run: str | None, data: Sequence[Dataset], workspace: Any
) -> Lineage | None:
    """Return where a model comes from, as far as anybody knows; None when nobody knows anything."""
    found = Lineage(run_id=run)
    if run is not None:
        rows = _rows("select workflow, spec_hash from runs where run_id = :run", run, workspace)
        if not rows:
            raise ExplainInputError(f"there is no run {run!r} in this workspace; aios.runs() lists them")
        found.workflow, found.code_hash = rows[0]["workflow"], rows[0]["spec_hash"]
    if explanation is not None:
        d = explanation.data
        found.model_uri, found.model_hash = d.model.uri, d.model.fingerprint
        found.data_hash, found.background_hash, found.versions = (
            d.data_hash,
            d.background_hash,
            d.method.versions,
        )
    if found.data_hash is None:
        found.data_hash = next((d.hash for d in data if d.hash), None)
    return found if found.run_id or found.model_hash or found.data_hash or found.model_uri else None


def _rows(query: str, run: str, workspace: Any) -> list[Any]:
    from aios_workbench.workspace import workspace as opened

    ws = workspace or opened()
    ws.catalog.flush()
    return list(ws.catalog.query(query, run=run))
