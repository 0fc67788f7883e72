"""`compare`: two data sets in, a report out."""

from __future__ import annotations

import time as clock
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from aios_workbench.drift import comparing
from aios_workbench.drift._together import beside
from aios_workbench.drift.judge import drifted, judge
from aios_workbench.drift.models import ColumnDrift, Kind, Multivariate, ReportData, Rules, RulesKind
from aios_workbench.drift.profiles import Progress
from aios_workbench.drift.report import DriftReport, Live
from aios_workbench.drift.rules import as_rules
from aios_workbench.drift.schema import changes
from aios_workbench.drift.sides import Sides, open_sides
from aios_workbench.drift.summary import summarise
from aios_workbench.errors import DriftInputError, hint

Engine = Literal["duckdb", "evidently"]
#: Rows of each side from which correlations are told.
_ENOUGH = 30


def compare(
    reference: Any, current: Any, *, target: str | None = None, prediction: str | None = None,
    score: str | Sequence[str] | None = None, by: str | None = None, time: str | None = None,
    kinds: Mapping[str, Kind] | None = None, columns: Sequence[str] | None = None,
    rules: Rules | RulesKind | Mapping[str, Any] = "honest", engine: Engine = "duckdb",
    multivariate: bool = False, embeddings: Sequence[str] | None = None, name: str | None = None,
    sample_rows: int = 20_000, seed: int = 0, progress: Progress | None = None,
    memory_limit: str | int | None = None, threads: int | None = None,
) -> DriftReport:  # fmt: skip
    """Compare a current data set with a reference, column by column and as a whole.

    All rows of both sides are counted, however many there are: files are scanned by DuckDB, never loaded. Correlations,
    a domain classifier and statistics that need single values use a sample of `sample_rows` rows a side.

    A column of dates or times is compared by weekday and hour, in UTC: that time moves on is no drift. Its sides say
    first and last moment as seconds since 1970.

    Parameters
    ----------
    reference, current
        Whatever `open_source` takes; either may be a `Profile`, which is not read again.
    target, prediction : str, optional
        Columns with what was to be predicted, and what was.
    score : str or sequence of str, optional
        The column with a predicted probability, or one for each class.
    by : str, optional
        Split the current side: a column whose values are the windows, or hour, day, week, month, quarter or year of
        the time column. Each window is compared with the whole reference.
    time : str, optional
        The column that says when; else the only one of dates or times.
    kinds : mapping of str to str, optional
        Corrections of what columns hold: ``{"zip": "categorical"}``.
    columns : sequence of str, optional
        Compare only these.
    rules : Rules, "honest", "evidently" or mapping
        What makes a column drifted; ``report.judge`` changes it later without reading data.
    engine : "duckdb" or "evidently"
        "evidently" reads all rows into memory and runs evidently's own report on them as well: its verdicts, by its own
        tests and thresholds, stand in the report, and ``report.evidently`` is its Snapshot (``.save_html(path)``).
    multivariate : bool
        True: also train a domain classifier and rebuild rows from principal components. Correlations are compared
        anyhow; ``report.multivariate()`` does the rest later.
    embeddings : sequence of str, optional
        Columns of lists of numbers.
    name : str, optional
        Of the report.
    progress : callable, optional
        Is told a fraction and what is being done. Interrupting stops the scan at once.
    memory_limit : str or int, optional
        Most that DuckDB may hold, such as "1GB"; what does not fit is spilled to disk.

    Raises
    ------
    DriftInputError
        When a side cannot be read, a column, kind or rule is wrong, or the reference has no rows.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"income": rng.lognormal(8, 0.5, 2000), "age": rng.normal(40, 10, 2000)})
    >>> after = pd.DataFrame({"income": rng.lognormal(8.3, 0.5, 2000), "age": rng.normal(40, 10, 2000)})
    >>> report = compare(before, after)
    >>> report.drifted, report.columns["income"].verdict, report.columns["age"].verdict
    (True, 'drifted', 'stable')
    """
    began, at = clock.perf_counter(), clock.time()
    chosen = as_rules(rules)
    if engine not in get_args(Engine):
        raise DriftInputError(
            f"there is no engine {engine!r}{hint(str(engine), get_args(Engine))}; choose 'duckdb' or 'evidently'"
        )
    if engine == "evidently":
        chosen = chosen.model_copy(update={"kind": "evidently"})
    if sample_rows < 1:
        raise DriftInputError(f"sample_rows is {sample_rows}; give 1 or more")
    sides = open_sides(
        reference, current, by=by, time=time, kinds=kinds, target=target, prediction=prediction, score=score,
        embeddings=embeddings, columns=columns, sample_rows=sample_rows, seed=seed, progress=progress,
        memory_limit=memory_limit, threads=threads,
    )  # fmt: skip
    tell = progress or _quiet
    tell(0.9, "comparing columns and correlations")
    if multivariate:  # models are trained; what they do about warnings is not for two threads
        compared, whole = comparing.columns(sides), _whole(sides, chosen, seed, full=True)
    else:
        with beside(lambda: _whole(sides, chosen, seed, full=False)) as together:
            compared = comparing.columns(sides)
            whole = together.result()
    did = None
    if sides.plan.role("target"):
        from aios_workbench.drift.performing import model

        tell(0.95, "measuring the model")
        did = model(sides, chosen, time=time, seed=seed)
    found = changes(*sides.facts(), (sides.reference.rows, sides.current.rows))
    chosen = _of_present(chosen, compared)
    judged = judge(compared, chosen)
    snapshot = None
    if engine == "evidently":
        from aios_workbench.drift.evidently_engine import overruled

        tell(0.96, "running evidently's own report")
        snapshot, judged, verdict, reasons = overruled(judged, sides, chosen, seed)
    else:
        verdict, reasons = drifted(judged, found, whole, did, chosen)
    info = sides.info()
    data = ReportData(
        id=uuid.uuid4().hex[:12], engine=engine, name=name or f"{info[1].name} against {info[0].name}", created_at=at,
        reference=info[0], current=info[1], rules=chosen, drifted=verdict,
        summary=summarise(judged, found, verdict, whole, did), reasons=reasons, columns=judged,
        schema_changes=found, windows=list(sides.current.windows), by=sides.by, multivariate=whole, performance=did,
        notes=sides.notes, seconds=clock.perf_counter() - began, raw=sides.reference.raw or sides.current.raw,
    )  # fmt: skip
    drawn = {
        side: x for side, x in zip(("reference", "current"), sides.samples, strict=True) if x is not None
    }
    live = Live(
        *sides.sources,
        sides.reference,
        sides.current,
        sides.plan,
        sample_rows,
        seed,
        embeddings,
        snapshot,
        drawn,
    )
    tell(1.0, "done")
    return DriftReport(data, live)


def _quiet(fraction: float, text: str) -> None:
    """Tell nobody."""


def _of_present(rules: Rules, columns: Sequence[ColumnDrift]) -> Rules:
    """Leave out thresholds of columns that could not be compared: the schema's changes say why."""
    gone = {c.name for c in columns if c.verdict == "skipped"}
    return rules.model_copy(update={"columns": {n: t for n, t in rules.columns.items() if n not in gone}})


def _whole(sides: Sides, rules: Rules, seed: int, *, full: bool) -> Multivariate | None:
    """Compare what no column shows alone, on the samples; None where a side has none."""
    a, b = sides.samples
    if a is None or b is None or min(len(a), len(b)) < _ENOUGH:
        return None
    from aios_workbench.drift.encode import one_length
    from aios_workbench.drift.multivariate import multivariate

    kinds = {c: sides.plan.columns[c].kind for c in comparing.both(sides) if c in a and c in b}
    vectors = [c for c, kind in kinds.items() if kind == "embedding" and one_length(a[c], b[c])]
    return multivariate(
        a, b, kinds, classifier=full, pca=full, embeddings=vectors, rules=rules, seed=seed,
    )  # fmt: skip
