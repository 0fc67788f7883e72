"""What the kernel sends of an explanation, made up: for tests of the screen that need no kernel.

`VIEWS[name]()` are views; `answer(request)` is an answer to every kind of request. As the browser gets them:
``model_dump(mode="json")``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aios_workbench._wire import Message
from aios_workbench.explain.models import Agreement, Check, Column, LimeInfo, MethodInfo, ModelInfo
from aios_workbench.widgets import explain_pages as pages
from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets.explain_pack import codes, pack
from aios_workbench.widgets.protocol import Done, Preview
from aios_workbench.workspace.models import Column as TableColumn

EVIL = '"><img src=x onerror=window.hacked=1>'
NAMES = ["income", "age", EVIL, "city", "", "member", "opened", " ", "a,b", "Age"]
ROWS = 400


def columns(names: list[str]) -> list[Column]:
    """Columns of all kinds."""
    kinds: dict[str, dict[str, Any]] = {
        "city": {"kind": "categorical", "values": ["Bonn", EVIL, "Ulm", ""], "more": 12},
        "member": {"kind": "boolean", "values": ["True", "False"]},
        "opened": {
            "kind": "datetime",
            "low": 1.6e9,
            "high": 1.7e9,
            "quantiles": [1.61e9, 1.63e9, 1.65e9, 1.67e9, 1.69e9],
        },
        "age": {
            "kind": "numeric",
            "low": 18.0,
            "high": 95.0,
            "quantiles": [20.0, 33.0, 45.0, 60.0, 80.0],
            "whole": True,
            "correlated": ["Age"],
        },
    }
    plain: dict[str, Any] = {
        "kind": "numeric",
        "low": -3.0,
        "high": 3.0,
        "quantiles": [-1.6, -0.7, 0.0, 0.7, 1.6],
    }
    return [Column(name=n, **kinds.get(n, plain)) for n in names]


def view(
    *, names: list[str] | None = None, title: str = "claims", lime: bool = True, live: bool = True
) -> wire.ExplainView:
    """A binary task explained as probability."""
    names = NAMES if names is None else names
    made = columns(names)
    return wire.ExplainView(
        id="e1",
        name="ex",
        title=title,
        created_at=1.8e9,
        task="binary",
        scale="probability",
        unit="probability of yes",
        outputs=["yes"],
        rows=ROWS,
        columns=made,
        model=ModelInfo(
            type="Pipeline",
            title="GradientBoostingClassifier",
            steps=["ColumnTransformer", "GradientBoostingClassifier"],
        ),
        method=MethodInfo(
            name="sampling",
            title="Sampling",
            why="The model is a black box with more columns than can be done exactly.",
            exact=False,
            background=100,
            evaluations=120_000,
            calls=80,
            seconds=4.2,
            tolerance=0.02,
            stopped="tolerance",
            notes=["Columns are changed one at a time."],
        ),
        lime=LimeInfo(
            rows=40,
            samples=5000,
            seeds=[0, 1, 2],
            discretized=False,
            kernel_width=2.37,
            r2=0.61,
            stability=0.87,
        )
        if lime
        else None,
        summary=f"{ROWS} rows of {title} explained",
        checks=checks(),
        page=global_page(len(names), lime=lime),
        swarm=swarm(len(names)),
        scatter=scatter(),
        pages=[row(i, len(names), lime=lime) for i in range(3)],
        pinned=[],
        offers=wire.Offers(
            model=live,
            values=True,
            lime=lime,
            interactions=live,
            why="" if live else "This explanation was loaded: the model is not at hand.",
        ),
        notes=["Categories are explained as a whole."],
        seconds=5.0,
    )


def checks() -> list[Check]:
    """One of each level."""
    return [
        Check(
            name="additivity",
            title="Additivity",
            level="ok",
            value=1e-9,
            threshold=1e-6,
            words="The parts add up to the prediction.",
        ),
        Check(
            name="local_fit",
            title="Local fit",
            level="warn",
            value=0.61,
            threshold=0.7,
            words="LIME's lines fit the model only roughly here.",
        ),
        Check(
            name="correlation",
            title="Correlated columns",
            level="fail",
            value=0.97,
            threshold=0.7,
            words="age and Age say the same: credit between them is arbitrary.",
            columns=["age", "Age"],
        ),
        Check(
            name="outside", title="Outside", level="skipped", words="There is no background to compare with."
        ),
    ]


def global_page(m: int, *, lime: bool = True, output: int = 0) -> pages.GlobalPage:
    """The most important first."""
    bars = [
        pages.ImportanceBar(
            at=i,
            value=0.2 / (i + 1),
            error=0.004,
            signed=0.01 * (-1) ** i,
            **({"lime": 0.18 / (i + 1), "lime_error": 0.01, "lime_rank": i} if lime else {}),
        )
        for i in range(m)
    ]
    agreement = Agreement(rows=40, k=5, rank=0.81, overlap=0.74, sign=0.93, worst=[2, 0, 1]) if lime else None
    return pages.GlobalPage(output=output, base=0.31, importance=bars, agreement=agreement)


def swarm(m: int, *, top: int = 20, points: int = 4000, output: int = 0) -> pages.Swarm:
    """Points for each column, the less the lower."""
    rng = np.random.default_rng(0)
    shown = min(m, top)
    n = min(ROWS, max(points // max(shown, 1), 1))
    x = np.concatenate([rng.normal(0, 0.2 / (i + 1), n) for i in range(shown)] or [np.zeros(0)])
    return pages.Swarm(
        output=output,
        columns=list(range(shown)),
        of=ROWS,
        rows=codes(np.arange(n), "u32", None),
        x=pack(x, "u16", None),
        colour=codes(rng.integers(0, 256, n * shown), "u8", None, missing=255),
        offset=codes(rng.integers(-127, 128, n * shown), "i8", None),
    )


def scatter(*, output: int = 0) -> pages.Scatter:
    """A cloud."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=ROWS)
    return pages.Scatter(
        output=output,
        of=ROWS,
        x_axis=pages.AxisInfo(of="first", title="first direction of explanations"),
        y_axis=pages.AxisInfo(of="prediction", title="probability of yes"),
        colour_axis=pages.AxisInfo(of="value", column=1, title="age"),
        rows=codes(np.arange(ROWS), "u32", None),
        x=pack(x, "u16", None),
        y=pack(1 / (1 + np.exp(-x)), "u16", None, low=0, high=1),
        colour=pack(np.where(x > 2, np.nan, x), "u8", None),
    )


def row(at: int, m: int, *, lime: bool = True, output: int = 0) -> pages.RowPage:
    """A row whose parts add up."""
    rng = np.random.default_rng(at)
    shap = rng.normal(0, 0.2, m) / np.arange(1, m + 1)
    bars = [
        pages.Bar(
            at=i,
            value=EVIL if i == 3 else f"{shap[i]:.3g}",
            number=None if i == 3 else float(shap[i]),
            shap=float(shap[i]),
            error=0.004,
            **(
                {"lime": float(shap[i] * (0.9 if i != 1 else -0.5)), "lime_error": 0.01, "agrees": i != 1}
                if lime
                else {}
            ),
        )
        for i in range(m)
    ]
    return pages.RowPage(
        row=at,
        label=f"row-{at}",
        output=output,
        base=0.31,
        prediction=0.31 + float(shap.sum()),
        bars=bars,
        probabilities={"no": 0.6, "yes": 0.4},
        lime_r2=0.61 if lime else None,
        lime_intercept=0.3 if lime else None,
        stability=0.87 if lime else None,
        outside=0.4,
        agreement=0.7 if lime else None,
        surprise=0.2,
        values=["Bonn" if i == 3 else True if i == 5 else float(i) for i in range(m)],
    )


def lines(rows: range) -> list[pages.RowLine]:
    """Rows of the picker."""
    return [
        pages.RowLine(
            row=i,
            label=f"row-{i}",
            prediction=0.3 + 0.001 * i,
            surprise=0.1,
            agreement=0.7,
            outside=0.4,
            cells=[1.5, EVIL, None],
        )
        for i in rows
    ]


M = len(NAMES)
AXIS = pages.AxisInfo(of="value", column=1, title="age")
CURVE = [
    pages.CurvePoint(x=20.0 + 10 * i, y=0.1 * i - 0.3, low=0.1 * i - 0.35, high=0.1 * i - 0.25, n=40)
    for i in range(7)
]


def cohorts(name: str, out: int) -> pages.CohortsPage:
    """Two of them, the first higher."""
    parts = [
        pages.Difference(at=i, a=0.1, b=0.02, difference=0.08, low=0.05, high=0.11, clear=True)
        for i in range(M)
    ]
    a = pages.CohortInfo(name=name or "A", rows=120, prediction=0.5, low=0.45, high=0.55)
    b = a.model_copy(update={"name": "all others", "prediction": 0.3})
    return pages.CohortsPage(output=out, a=a, b=b, differences=parts, summary="A is higher by 0.2")


def agreement(out: int) -> pages.AgreementPage:
    """A cloud near the diagonal."""
    rng = np.random.default_rng(2)
    s = rng.normal(size=40 * M)
    return pages.AgreementPage(
        output=out,
        agreement=global_page(M).agreement,
        columns=list(range(M)),
        rows=codes(np.arange(40), "u32", None),
        shap=pack(s, "u16", None, low=-4, high=4),
        lime=pack(s + rng.normal(0, 0.3, 40 * M), "u16", None, low=-4, high=4),
        by_column=[pages.ColumnAgreement(at=i, rank=0.8, sign=0.9, shap=0.1, lime=0.09) for i in range(M)],
        worst=lines(range(3)),
    )


def interactions(n: int, out: int) -> pages.InteractionsPage:
    """Neighbours interact."""
    strength = [[0.1 / (1 + abs(i - j)) for j in range(n)] for i in range(n)]
    return pages.InteractionsPage(
        output=out, columns=list(range(n)), strength=strength, rows=100, method="sampled pairs"
    )


def what_if(asked: Any, out: int) -> pages.WhatIfPage:
    """Higher than before."""
    after = row(asked.row, M, output=out) if asked.explain else None
    return pages.WhatIfPage(
        row=asked.row, output=out, before=0.31, prediction=0.52, after=after, outside=0.5, seconds=0.1
    )


def table() -> Preview:
    """Two rows."""
    made = [TableColumn(name=n, type="object") for n in ("income", EVIL)]
    values = [[1.5, EVIL], [2.5, "x"]]
    return Preview(kind="frame", type="DataFrame", shape=[2, 2], columns=made, rows=values, total=2)


MADE: dict[str, Callable[[Any, int], Message]] = {
    "global": lambda _, out: global_page(M, output=out),
    "swarm": lambda q, out: swarm(M, top=q.top, points=q.points, output=out),
    "row": lambda q, out: row(q.row, M, output=out),
    "rows": lambda q, out: pages.RowsPage(
        output=out,
        offset=q.offset,
        total=ROWS,
        columns=[0, 2, 3],
        lines=lines(range(q.offset, min(q.offset + q.limit, ROWS))),
    ),
    "scatter": lambda _, out: scatter(output=out),
    "dependence": lambda _, out: pages.DependencePage(
        scatter=scatter(output=out), curve=CURVE, candidates=[0, 3], why="It interacts most with income."
    ),
    "effect": lambda _, out: pages.EffectPage(
        output=out, axis=AXIS, curve=CURVE, lines=[[p.y for p in CURVE]] * 3, rows=[0, 1, 2]
    ),
    "interactions": lambda q, out: interactions(min(q.top, M), out),
    "cohorts": lambda q, out: cohorts(q.a.name, out),
    "what_if": what_if,
    "agreement": lambda _, out: agreement(out),
    "column": lambda q, _: pages.ColumnPage(column=columns(NAMES)[q.column]),
    "counterfactual": lambda *_: table(),
    "prototypes": lambda *_: table(),
    "text": lambda q, _: pages.Written(
        what=q.what, text="ex = aios.explain(model, X)", file="explain_claims.py", mime="text/x-python"
    ),
}


def answer(request: dict[str, Any]) -> Message:
    """What a kernel would answer."""
    asked = wire.REQUEST.validate_python(request)
    made = MADE.get(asked.kind)
    return Done() if made is None else made(asked, getattr(asked, "output", None) or 0)


VIEWS: dict[str, Callable[[], wire.ExplainView]] = {
    "full": view,
    "loaded": lambda: view(live=False),
    "shap_only": lambda: view(lime=False),
    "empty": lambda: view(names=[]).model_copy(
        update={"rows": 0, "pages": [], "swarm": None, "scatter": None}
    ),
    "wide": lambda: view(names=[f"column {i}" for i in range(500)]),
    "hostile": lambda: view(
        title=EVIL, names=[EVIL, "", " ", "a,b", "</td>", "x\ny", "🦊", "a" * 200, "select"]
    ),
}
