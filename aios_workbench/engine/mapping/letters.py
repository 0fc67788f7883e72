"""Items that failed for good: what `run["enrich"].dead_letters` returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.engine.mapping.store import DROPPED, OPEN
from aios_workbench.errors import NotFoundError
from aios_workbench.govern import actor, audit_within
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "item",
    "status",
    "type",
    "reason",
    "attempts",
    "value",
    "at",
    "redriven_by",
    "artifact",
    "traceback",
)


class DeadLetters(Sequence[dict[str, Any]]):
    """The dead letters of a step, in the order of the items; each a dict, as it was when this was made."""

    def __init__(self, ws: Workspace, run_id: str, step: str) -> None:
        self._ws, self.run_id, self.step = ws, run_id, step
        ws.catalog.flush()
        self._rows = ws.catalog.query(
            f"select {', '.join(_COLUMNS)} from dead_letters where run_id = :r and step = :s order by item",  # noqa: S608
            r=run_id, s=step,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        return self._rows[at]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    @property
    def open(self) -> list[int]:
        """Numbers of the items that nobody has redriven or dropped."""
        return [row["item"] for row in self._rows if row["status"] == OPEN]

    def input(self, item: int) -> Any:
        """Return the item itself, as the function got it.

        Raises
        ------
        NotFoundError
            When there is no dead letter of that number.
        """
        for row in self._rows:
            if row["item"] == item:
                return self._ws.artifacts.get(self._ws.artifacts.find(row["artifact"]))
        raise NotFoundError(
            f"item {item} of step '{self.step}' is no dead letter (there are: {self._numbers()}); items count from 0"
        )

    def drop(self, items: Iterable[int] | None = None, *, reason: str = "", by: str | None = None) -> int:
        """Say that nobody will do these items, all open ones unless told; audited. Return how many it were."""
        wanted = self.open if items is None else [i for i in items if i in self.open]
        with self._ws.catalog.transaction() as con:
            for item in wanted:
                con.execute(
                    "update dead_letters set status = :dropped where run_id = :r and step = :s and item = :i "
                    "and status = :open",
                    {"dropped": DROPPED, "open": OPEN, "r": self.run_id, "s": self.step, "i": item},
                )
            audit_within(
                con,
                by or actor(),
                "run.drop_letters",
                self.run_id,
                step=self.step,
                items=wanted[:1000],
                reason=reason,
            )
        self.__init__(self._ws, self.run_id, self.step)  # type: ignore[misc]
        return len(wanted)

    def to_frame(self) -> pd.DataFrame:
        """Return them as a data frame, times as timestamps."""
        import pandas as pd

        frame = pd.DataFrame(self._rows, columns=list(_COLUMNS))
        frame["at"] = pd.to_datetime(frame["at"], unit="s", utc=True)
        return frame

    def _numbers(self) -> str:
        return ", ".join(str(row["item"]) for row in self._rows[:10]) or "none"

    def __repr__(self) -> str:
        return f"<{len(self)} dead letters of step {self.step!r}, {len(self.open)} open>"
