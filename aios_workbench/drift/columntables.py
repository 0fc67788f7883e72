"""Counts of the columns that are neither numbers nor categories: moments, texts, vectors. Additive too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aios_workbench.drift.tables import CountTable, Ints, NumberTable, combined

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class TimeTable:
    """A column of dates or times: on which days of the week and at which hours (UTC), and from when to when.

    Time that moves on is no drift, so the moments themselves are not compared.
    """

    cells: Ints  # (7, 24), Monday first
    nulls: int = 0
    infinite: int = 0
    minimum: float = math.nan  # seconds since 1970 in UTC
    maximum: float = math.nan

    @property
    def rows(self) -> int:
        """Rows with a finite moment."""
        return int(self.cells.sum())

    @property
    def total(self) -> int:
        """All rows."""
        return self.rows + self.nulls + self.infinite

    def merged(self, other: TimeTable) -> TimeTable:
        """Return the counts of both."""
        return TimeTable(
            self.cells + other.cells, self.nulls + other.nulls, self.infinite + other.infinite,
            float(np.fmin(self.minimum, other.minimum)), float(np.fmax(self.maximum, other.maximum)),
        )  # fmt: skip

    def hours(self) -> CountTable:
        """Return how many rows each hour of the day has."""
        return CountTable.counted({f"{h:02d}": int(n) for h, n in enumerate(self.cells.sum(0))}, self.nulls)

    def weekdays(self) -> CountTable:
        """Return how many rows each day of the week has."""
        return CountTable.counted(
            dict(zip(DAYS, (int(n) for n in self.cells.sum(1)), strict=True)), self.nulls
        )


@dataclass(frozen=True)
class TextTable:
    """A column of texts: characters and words of each. Its vocabulary is compared on samples."""

    lengths: NumberTable
    words: NumberTable

    @property
    def nulls(self) -> int:
        """Rows without a text."""
        return self.lengths.nulls

    @property
    def rows(self) -> int:
        """Rows with a text."""
        return self.lengths.rows

    @property
    def total(self) -> int:
        """All rows."""
        return self.lengths.total

    def merged(self, other: TextTable) -> TextTable:
        """Return the counts of both."""
        return TextTable(self.lengths.merged(other.lengths), self.words.merged(other.words))


@dataclass(frozen=True)
class EmbeddingTable:
    """A column of vectors: their Euclidean norms, and how many have how many dimensions."""

    norms: NumberTable
    dimensions: CountTable

    @property
    def nulls(self) -> int:
        """Rows without a vector."""
        return self.dimensions.nulls

    @property
    def rows(self) -> int:
        """Rows with a vector."""
        return self.dimensions.rows

    @property
    def total(self) -> int:
        """All rows."""
        return self.dimensions.total

    def merged(self, other: EmbeddingTable) -> EmbeddingTable:
        """Return the counts of both."""
        return EmbeddingTable(self.norms.merged(other.norms), self.dimensions.merged(other.dimensions))


#: What a scan leaves of a column.
Table = NumberTable | CountTable | TimeTable | TextTable | EmbeddingTable


def all_of(tables: Sequence[Table]) -> Table:
    """Return the counts of all, which are of one column.

    Raises
    ------
    ValueError
        When they were counted on different grids, or are of different sorts.
    """
    first = tables[0]
    if any(type(t) is not type(first) for t in tables):
        raise ValueError(
            f"counts of different sorts: {', '.join(sorted({type(t).__name__ for t in tables}))}"
        )
    numbers = [t for t in tables if isinstance(t, NumberTable)]
    if numbers:
        return combined(numbers)
    found = first
    for table in tables[1:]:
        found = found.merged(table)  # type: ignore[arg-type]
    return found
