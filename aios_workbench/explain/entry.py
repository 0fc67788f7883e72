"""`aios.explain`: a model and rows in, an `Explanation` out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.explanation import Explanation
from aios_workbench.explain.models import ColumnKind, MethodName, Scale, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from aios_workbench.explain.model import Model
    from aios_workbench.explain.space import Space

    Floats = npt.NDArray[np.float64]

#: Is told how far it is, from 0 to 1, and what is being done.
Progress = Callable[[float, str], None]
#: True once nobody wants the result any more.
Cancelled = Callable[[], bool]


class Live:
    """The model of an explanation, while it is at hand: `explanation.live`.

    Attributes
    ----------
    model : Model
    space : Space
    background : DataFrame
        Rows that stand for "nothing is known", in the user's columns.
    """

    def __init__(self, model: Model, space: Space, background: pd.DataFrame, options: dict[str, Any]) -> None:
        self.model, self.space, self.background = model, space, background
        self.options = options

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return predictions of rows in the user's columns, (n, K), on the explained scale."""
        return self.model.predict(self.space.frame(rows))

    def again(
        self,
        rows: pd.DataFrame,
        *,
        seconds: float | None = None,
        lime: bool = True,
        cancelled: Cancelled | None = None,
    ) -> Explanation:
        """Explain other rows in the same way, in so many seconds at most; nothing is cached."""
        raise NotImplementedError


def explain(
    model: Any, rows: Any, *, background: Any = None, output: int | str | None = None, scale: Scale | None = None,
    task: Task | None = None, method: MethodName | None = None, lime: bool = True, lime_rows: int | None = None,
    budget: float | str | None = "30s", tolerance: float = 0.02, top: int = 5,
    columns: Sequence[str] | None = None, kinds: Mapping[str, ColumnKind] | None = None, name: str | None = None,
    background_rows: int = 100, accelerator: bool | None = None, seed: int = 0, cache: bool = True,
    progress: Progress | bool | None = None, cancelled: Cancelled | None = None, workspace: Any = None,
    **options: Any,
) -> Explanation:  # fmt: skip
    """Explain a model: which columns made it say what it says of these rows."""
    raise NotImplementedError
