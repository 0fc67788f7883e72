"""A comparison in hand: its verdict, its columns, and what can be made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench import _hooks
from aios_workbench._util import plain
from aios_workbench.drift import report_code, report_files, summary
from aios_workbench.drift.models import (
    ColumnDrift,
    Multivariate,
    Performance,
    ReportData,
    Rules,
    SchemaChange,
)
from aios_workbench.drift.rules import changed_rules
from aios_workbench.errors import DriftInputError, hint

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Live:
    """What a fresh comparison still has at hand, so that slices, moved rows and more can be computed later.

    Nothing of it is ever stored. A side that is a stored profile has no source.
    """

    reference: Any  # Source | None
    current: Any  # Source | None
    reference_profile: Any  # Profile
    current_profile: Any  # Profile
    plan: Any
    sample_rows: int = 20_000
    seed: int = 0
    embeddings: Any = None
    evidently: Any = None  # its Snapshot, of engine="evidently"
    samples: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def sample(self, side: str) -> pd.DataFrame:
        """Return rows of ``"reference"`` or ``"current"``, drawn once and kept.

        Raises
        ------
        DriftInputError
            When that side is a stored profile.
        """
        if side not in self.samples:
            self.samples[side] = self.source(side).sample(self.sample_rows, self.seed)
        return self.samples[side]

    def source(self, side: str) -> Any:
        """Return a side's source.

        Raises
        ------
        DriftInputError
            When that side is a stored profile.
        """
        source = self.reference if side == "reference" else self.current
        if source is None:
            raise DriftInputError(
                f"the {side} side is a stored profile, which has no rows; compare with the data itself"
            )
        return source


class Columns(Mapping[str, ColumnDrift]):
    """A report's columns by name; a name that is not there is told with the nearest that is."""

    def __init__(self, columns: list[ColumnDrift]) -> None:
        self._by_name = {c.name: c for c in columns}

    def __getitem__(self, name: str) -> ColumnDrift:
        """Return a column.

        Raises
        ------
        DriftInputError
            When there is none of that name.
        """
        found = self._by_name.get(name)
        if found is None:
            raise DriftInputError(
                f"the report has no column {name!r}{hint(str(name), self._by_name)}; list(report.columns) names them"
            )
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str, default: Any = None) -> Any:
        """Return a column, or a default where there is none of that name."""
        return self._by_name.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Columns({list(self._by_name)})"


class DriftReport:
    """How the current data differs from the reference.

    Parameters
    ----------
    data : ReportData
        All that is shown and stored.
    live : Live, optional
        The two sides, for what needs their rows.

    Attributes
    ----------
    drifted : bool or None
        None when nothing could be compared.

    Examples
    --------
    >>> from aios_workbench.drift.models import SourceInfo
    >>> side = SourceInfo(name="claims", rows=500, columns=1)
    >>> age = ColumnDrift(name="age", kind="numeric", verdict="drifted", effect=0.4)
    >>> report = DriftReport(ReportData(
    ...     id="r1", name="claims", created_at=0.0, reference=side, current=side, rules=Rules(), drifted=True,
    ...     summary="1 of 1 column drifted: age effect 0.40", columns=[age]))
    >>> report.drifted, report.columns["age"].verdict
    (True, 'drifted')
    """

    def __init__(self, data: ReportData, live: Live | None = None) -> None:
        self.data, self.live = data, live
        self.columns = Columns(data.columns)

    # -- reading

    @property
    def drifted(self) -> bool | None:
        """Whether the data drifted, by the rules; None when nothing could be compared."""
        return self.data.drifted

    @property
    def reasons(self) -> list[str]:
        """Why."""
        return self.data.reasons

    @property
    def summary(self) -> str:
        """All of it in one line."""
        return self.data.summary

    @property
    def name(self) -> str:
        """What it is called."""
        return self.data.name

    @property
    def rules(self) -> Rules:
        """What makes a column drifted."""
        return self.data.rules

    @property
    def schema_changes(self) -> list[SchemaChange]:
        """What changed of the data's shape, the grave changes first."""
        return self.data.schema_changes

    @property
    def windows(self) -> list[str]:
        """Names of the windows of the current side, in order."""
        return self.data.windows

    @property
    def performance(self) -> Performance | None:
        """How the model does, where target and prediction are known."""
        return self.data.performance

    @property
    def share(self) -> float:
        """Share of the compared columns that drifted, from 0 to 1."""
        told = summary.compared(self.data.columns)
        return sum(c.verdict == "drifted" for c in told) / len(told) if told else 0.0

    @property
    def evidently(self) -> Any:
        """Return evidently's own Snapshot, of a comparison with ``engine="evidently"`` in this process; else None."""
        return None if self.live is None else self.live.evidently

    # -- asking further

    def judge(self, rules: Rules | None = None, **changes: Any) -> DriftReport:
        """Return the same comparison judged by other rules; no data is read.

        Parameters
        ----------
        rules : Rules, optional
            Instead of the report's own.
        **changes
            Fields of `Rules` to change: ``report.judge(effect=0.2)``.

        Raises
        ------
        DriftInputError
            For a rule that does not exist, or a threshold for a column or statistic that is not there.
        """
        chosen = changed_rules(rules or self.rules, changes)
        for name in chosen.columns:
            if name not in self.columns and all(c.column != name for c in self.schema_changes):
                raise DriftInputError(
                    f"a threshold is given for {name!r}, which is no column{hint(name, self.columns)}"
                )
        from aios_workbench.drift import judge

        data = self.data
        here = {n: t for n, t in chosen.columns.items() if n in self.columns}
        columns = list(judge.judge(data.columns, changed_rules(chosen, {"columns": here})))
        drifted, reasons = judge.drifted(
            columns, data.schema_changes, data.multivariate, data.performance, chosen
        )
        said = summary.summarise(columns, data.schema_changes, drifted, data.multivariate, data.performance)
        update = {
            "columns": columns,
            "rules": chosen,
            "drifted": drifted,
            "reasons": reasons,
            "summary": said,
        }
        return DriftReport(data.model_copy(update=update), self.live)

    def multivariate(self) -> Multivariate | None:
        """Return what no column shows alone; computed now, and kept, where it was not and the data is at hand."""
        known = self.data.multivariate
        if (known is not None and known.classifier is not None) or self.live is None:
            return known
        if self.live.reference is None or self.live.current is None:
            return known
        from aios_workbench.drift import report_live

        self.data.multivariate = report_live.multivariate(self.data, self.live)
        return self.data.multivariate

    def slice(self, column: str, value: Any) -> DriftReport:
        """Return the comparison of the rows where a column has a value, on both sides.

        Parameters
        ----------
        column : str
            Any column both sides have.
        value
            A value; None for rows without one; or ``(low, high)``: from low up to, and not with, high.

        Raises
        ------
        DriftInputError
            For an unknown column, or when a side's rows are not at hand (a stored profile, a loaded report).
        """
        self.columns[column]  # raises, with the nearest name
        live = self._at_hand("a slice")
        from aios_workbench.drift import report_live

        return DriftReport(*report_live.sliced(self.data, live, column, value))

    def moved(self, column: str, n: int = 20) -> pd.DataFrame:
        """Return the rows of the current side whose value of a column is the least usual for the reference.

        Parameters
        ----------
        n : int
            At most so many rows, the least usual first.

        Returns
        -------
        pandas.DataFrame
            The rows (of the sample), with a first column `unusual` from 0 to 1: 1 where the reference has nothing like
            it, .5 where both sides have as much of it.
        """
        found, live = self.columns[column], self._at_hand("rows that moved")
        from aios_workbench.drift import report_live

        rows: pd.DataFrame = report_live.moved(live, found, n)
        return rows

    def _at_hand(self, what: str) -> Live:
        if self.live is None:
            raise DriftInputError(
                f"{what} needs the rows of both sides, and this report was loaded or sent: compare again with "
                f"{self.code().splitlines()[0]}"
            )
        return self.live

    # -- as something else

    def to_dict(self, *, raw: bool = False) -> dict[str, Any]:
        """Return a JSON-able dict; see `save` for `raw`."""
        found: dict[str, Any] = plain(self.stored(raw=raw).model_dump(mode="json"))
        return found

    def to_json(self, *, raw: bool = False) -> str:
        """Return what `save` writes."""
        return report_files.dumps(self.stored(raw=raw))

    def stored(self, *, raw: bool = False) -> ReportData:
        """Return the data as it is stored: without raw values unless asked for."""
        return self.data if raw else report_files.without_raw(self.data)

    def to_frame(self, *, windows: bool = False) -> pd.DataFrame:
        """Return a row for each column (with `windows`, for each column and window) with verdict and figures."""
        import pandas as pd

        rows = [row for c in self.data.columns for row in (_window_rows(c) if windows else [_row(c)])]
        return pd.DataFrame(rows)

    def to_html(self, path: str | Path | None = None, *, raw: bool = False) -> str:
        """Return the report as a page that needs nothing else; written to `path`, too, where one is given."""
        page = _hooks.html("drift", DriftReport(self.stored(raw=raw)))
        if path is not None:
            report_files.write_text(Path(path).expanduser(), page)
        return page

    def save(self, path: str | Path, *, raw: bool = False) -> Path:
        """Write the report to a file; `aios.drift.load_report` reads it.

        Parameters
        ----------
        raw : bool
            True: with labels of rare values and single extreme values. Otherwise labels that fewer than 10 rows
            have are counted in the rest, smallest and largest values left out, and no text is in it.

        Raises
        ------
        DriftError
            When it cannot be written; a file that was there before is as it was.
        """
        path = Path(path).expanduser()
        report_files.write_text(path, self.to_json(raw=raw))
        return path

    def log_to_mlflow(self, run_id: str | None = None, *, prefix: str = "drift", raw: bool = False) -> str:
        """Log figures, the report and its page to an MLflow run; see `aios_workbench.drift.mlflow_log`."""
        from aios_workbench.drift import mlflow_log

        logged: str = mlflow_log.log(self, run_id, prefix=prefix, raw=raw)
        return logged

    def contract(self) -> str:
        """Return columns, kinds and thresholds as a small YAML text meant for git; `aios.drift.gate` takes it."""
        from aios_workbench.drift import contract

        return contract.text(contract.of_report(self.data))

    def code(self) -> str:
        """Return the Python that makes this report."""
        return report_code.compare_code(self.data)

    def gate_code(self) -> str:
        """Return the Python that makes this report's rules a gate."""
        return report_code.gate_code(self.data)

    def __reduce__(self) -> Any:
        # As text of a version of its own, so that a later aios-workbench reads it; rows never travel.
        return (_from_text, (self.to_json(),))

    def __repr__(self) -> str:
        return summary.text(self.data)


def load_report(path: str | Path) -> DriftReport:
    """Read a report that `DriftReport.save` wrote.

    Raises
    ------
    NotFoundError
        When there is no such file.
    CorruptProfileError
        When the file is something else, damaged, cut short, or of a newer version.
    """
    path = Path(path).expanduser()
    return DriftReport(report_files.loads(report_files.read_text(path), str(path)))


def _from_text(text: str) -> DriftReport:
    return DriftReport(report_files.loads(text, "this pickled report"))


def _row(c: ColumnDrift) -> dict[str, Any]:
    return {
        "column": c.name, "kind": c.kind, "role": c.role, "verdict": c.verdict, "effect": c.effect,
        "effect_of": c.effect_of, "threshold": c.threshold, "p_value": c.p_value, "p_adjusted": c.p_adjusted,
        **{name: s.value for name, s in c.statistics.items()},
        "reference_rows": c.reference.rows if c.reference else None,
        "current_rows": c.current.rows if c.current else None, "changepoint": c.changepoint,
        "reasons": "; ".join(c.reasons),
    }  # fmt: skip


def _window_rows(c: ColumnDrift) -> list[dict[str, Any]]:
    return [
        {
            "column": c.name, "window": w.window, "rows": w.rows, "verdict": w.verdict, "effect": w.effect,
            "p_value": w.p_value, "p_adjusted": w.p_adjusted, "null_share": w.null_share, "median": w.median,
            **{name: s.value for name, s in w.statistics.items()},
        }
        for w in c.windows
    ]  # fmt: skip
