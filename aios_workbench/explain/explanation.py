"""`Explanation`: which columns made a model predict what it predicts, with errors, checks and a second opinion."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aios_workbench import _hooks
from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain.arrays import Arrays

__all__ = ["BEYOND", "Arrays", "Explainer", "Explanation", "load"]

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.files import Redact
    from aios_workbench.explain.models import (
        Agreement,
        Check,
        ExplanationData,
        RowExplanation,
    )

    Floats = npt.NDArray[np.float64]


class Explainer(Protocol):
    """What an explanation needs of its model while that is at hand: `explain/entry.py` gives it."""

    background: pd.DataFrame

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return predictions of rows in the user's columns, (n, K), on the explained scale."""

    def again(self, rows: pd.DataFrame, *, seconds: float | None = None, lime: bool = True) -> Explanation:
        """Explain other rows in the same way."""


@dataclass
class Explanation:
    """Why a model predicts what it predicts.

    Parameters
    ----------
    data : ExplanationData
        All that is shown and stored.
    arrays : Arrays
        The values.
    frame : DataFrame, optional
        The explained rows in the user's own columns; None in an explanation stored without raw rows.
    live : Explainer, optional
        The model, for what needs it; None when the explanation was loaded or sent.
    """

    data: ExplanationData
    arrays: Arrays
    frame: pd.DataFrame | None = None
    live: Explainer | None = None
    #: What was computed on demand and is kept: interactions, dependence and so on, by call.
    extra: dict[str, Any] = field(default_factory=dict)

    # -- reading

    @property
    def values(self) -> Floats:
        """Shapley values: (n, columns), of several outputs (n, columns, outputs)."""
        return _squeezed(self.arrays.values)

    @property
    def errors(self) -> Floats | None:
        """Standard errors of `values`; None where they are exact."""
        return None if self.arrays.errors is None else _squeezed(self.arrays.errors)

    @property
    def base(self) -> float | Floats:
        """What is predicted when nothing is known of a row: the mean over the background."""
        base = self.arrays.base
        return float(base[0]) if len(base) == 1 else base

    @property
    def importance(self) -> pd.DataFrame:
        """A row for each column, the most important first: mean absolute contribution, its error, LIME's, ranks."""
        import pandas as pd

        return pd.DataFrame([i.model_dump() for i in self.data.importance]).set_index("column")

    @property
    def check(self) -> list[Check]:
        """What can be wrong with it, measured."""
        return self.data.checks

    @property
    def agreement(self) -> Agreement | None:
        """How far SHAP and LIME agree; None without LIME."""
        return self.data.agreement

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the order of `values`."""
        return [c.name for c in self.data.columns]

    def row(self, at: int, *, output: int | str | None = None) -> RowExplanation:
        """Take one row apart; `at` is its position."""
        from aios_workbench.explain import rows

        return rows.row(self, at, output=output)

    # -- more than attributions: each in a module of its own

    def __getattr__(self, name: str) -> Any:
        if name in BEYOND:
            function = getattr(importlib.import_module(f"aios_workbench.explain.{BEYOND[name]}"), name)
            return _Bound(function, self)
        raise AttributeError(f"'Explanation' has no attribute {name!r}{hint(name, dir(self))}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *BEYOND]

    def at_hand(self, what: str) -> Explainer:
        """Return the model, or say that it is not there.

        Raises
        ------
        ExplainInputError
            When the explanation was loaded or sent.
        """
        if self.live is None:
            raise ExplainInputError(
                f"{what} needs the model, and this explanation was loaded or sent: explain again with aios.explain"
            )
        return self.live

    # -- as something else

    def to_dict(self, *, raw: bool = False) -> dict[str, Any]:
        """Return a JSON-able dict; without raw rows and single values unless `raw`."""
        from aios_workbench.explain import files

        return files.to_dict(self, raw=raw)

    def to_json(self, *, raw: bool = False) -> str:
        """Return `to_dict` as text."""
        from aios_workbench.explain import files

        return files.dumps(self, raw=raw)

    def to_html(self, path: str | Path | None = None, *, raw: bool = False, redact: Redact = None) -> str:
        """Return the explanation as a page that needs nothing else; written to `path`, too, where one is given.

        Personal data in what is shown of single rows is replaced, unless `redact` is False.
        """
        from aios_workbench.explain import files

        page = _hooks.html("explain", files.prepared(self, raw=raw, redact=redact))
        if path is not None:
            files.write_text(Path(path).expanduser(), page)
        return page

    def save(self, path: str | Path, *, raw: bool = False, redact: Redact = None) -> Path:
        """Write it to a file, JSON or else a ZIP; `aios.explain.load` reads both. Without raw rows unless `raw`.

        `redact` takes a text, or the frame of raw rows, and returns it cleaned; None: personal data is replaced in raw
        rows; False: they are kept as they are.
        """
        from aios_workbench.explain import files

        return files.save(self, path, raw=raw, redact=redact)

    def code(self) -> str:
        """Return the Python that makes this explanation."""
        from aios_workbench.explain import code

        return code.explain_code(self.data)

    def __reduce__(self) -> Any:
        # Rows and model never travel; what is read back is what `save` keeps.
        from aios_workbench.explain import files

        return (_from_bytes, (files.packed(self),))

    def __repr__(self) -> str:
        from aios_workbench.explain import summary

        return summary.text(self.data)


def load(path: str | Path) -> Explanation:
    """Read an explanation that `Explanation.save` wrote.

    Raises
    ------
    NotFoundError
        When there is no such file.
    CorruptExplanationError
        When the file is something else, damaged, cut short, or of a newer version.
    """
    from aios_workbench.explain import files

    path = Path(path).expanduser()
    return Explanation(*files.loads(files.read(path), str(path)))


def _from_bytes(content: bytes) -> Explanation:
    from aios_workbench.explain import files

    return Explanation(*files.loads(content, "this pickled explanation"))


#: Name of a method -> the module whose function of that name takes the explanation first.
BEYOND = {
    "interactions": "interactions", "dependence": "dependence", "cohorts": "cohorts",
    "counterfactual": "counterfactuals", "what_if": "whatif", "prototypes": "prototypes",
    "partial_dependence": "effects", "permutation_importance": "shuffling",
    "calibration": "quality", "slices": "quality", "fairness": "fairness", "drift": "importances",
    "surprising": "ranking", "disagreeing": "ranking",
    "reason_codes": "reasons", "log_to_mlflow": "mlflow_log",
}  # fmt: skip


class _Bound:
    """A function with the explanation as its first argument; its docstring and signature are the function's."""

    def __init__(self, function: Any, explanation: Explanation) -> None:
        self._function, self._explanation = function, explanation
        self.__doc__, self.__wrapped__ = function.__doc__, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(self._explanation, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<method {self._function.__name__} of an Explanation>"


def _squeezed(values: Floats) -> Floats:
    return values[..., 0] if values.shape[-1] == 1 else values
