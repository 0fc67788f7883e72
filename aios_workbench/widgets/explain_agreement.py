"""SHAP against LIME, over all rows that both explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.errors import ParameterError
from aios_workbench.widgets.drift_view import finite, short
from aios_workbench.widgets.explain_pack import Crate, codes, pack
from aios_workbench.widgets.explain_pages import AgreementPage, ColumnAgreement
from aios_workbench.widgets.explain_points import some_rows
from aios_workbench.widgets.explain_rows import lines

if TYPE_CHECKING:
    from aios_workbench.widgets.explain_state import Looked

_WORST = 20


def page(looked: Looked, output: int, crate: Crate, *, points: int = 20_000) -> AgreementPage:
    """Return how far SHAP and LIME agree.

    Raises
    ------
    ParameterError
        When LIME explained no row.
    """
    import numpy as np
    from scipy.stats import rankdata

    from aios_workbench.explain import agreement

    a = looked.arrays
    if a.lime is None or a.lime_rows is None or not len(a.lime_rows):
        raise ParameterError("LIME explained none of these rows; explain with lime=True")
    order = looked.order(output)
    shap, lime = a.values[a.lime_rows, :, output], a.lime[:, :, output]
    columns = order[: max(1, min(len(order), points))]
    chosen = (
        some_rows(np.zeros((len(shap), 0)), max(1, points // len(columns)))
        if columns
        else np.zeros(0, np.int64)
    )
    x, y = (v[chosen][:, columns].ravel() for v in (shap, lime))
    both = np.concatenate([x, y])
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 0.0)
    ranks = [rankdata(np.abs(v), axis=0) for v in (shap, lime)]
    ranks = [r - r.mean(axis=0) for r in ranks]
    below = np.sqrt((ranks[0] ** 2).sum(axis=0) * (ranks[1] ** 2).sum(axis=0))
    rank = np.divide(
        (ranks[0] * ranks[1]).sum(axis=0), below, out=np.full(len(below), np.nan), where=below > 1e-12
    )
    same = (np.sign(shap) == np.sign(lime)).mean(axis=0)
    by_column = [
        ColumnAgreement(
            at=j, rank=short(float(rank[j])), sign=short(float(same[j])), shap=float(np.abs(shap[:, j]).mean()),
            lime=float(np.abs(lime[:, j]).mean()),
        )
        for j in order
    ]  # fmt: skip
    score = looked.agreement(output)[a.lime_rows]
    worst = a.lime_rows[np.argsort(np.where(np.isnan(score), np.inf, score), kind="stable")[:_WORST]]
    made = AgreementPage(
        output=output, agreement=agreement.agreement(a, output=output), columns=columns,
        rows=codes(a.lime_rows[chosen], "u32", crate), shap=pack(x, "u16", crate, low=low, high=high),
        lime=pack(y, "u16", crate, low=low, high=high), by_column=by_column,
        worst=lines(looked, worst, columns[:6], output),
    )  # fmt: skip
    return finite(made, AgreementPage)
