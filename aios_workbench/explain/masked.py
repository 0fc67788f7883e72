"""SHAP and LIME of things that are explained by hiding parts of them: words of a text, pieces of an image."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.asking import Asker, OutOfTime
from aios_workbench.explain.lime_fit import kernel, ridge
from aios_workbench.explain.lime_run import MORE, stability
from aios_workbench.explain.models import LimeInfo, MethodInfo, Scale, Stopped, Task
from aios_workbench.explain.sampling import shapley

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.arrays import Arrays
    from aios_workbench.explain.asking import Floats

    Masks = npt.NDArray[np.bool_]
    #: (parts, samples, generator) -> masks, the first of them whole.
    Draw = Callable[[int, int, Any], Masks]


@dataclass(frozen=True)
class Item:
    """One text or image: its parts' columns, and what makes it with only some of its parts, (rows, parts)."""

    columns: Sequence[int]
    render: Callable[[Masks], Any]


@dataclass(frozen=True)
class Way:
    """How parts are hidden for LIME, which differs between texts and images."""

    draw: Draw
    distance: float
    width: float
    samples: int
    most: int
    seeds: tuple[int, ...]
    top: int
    stable: float


class Masked:
    """The explanation of several items under way.

    Parameters
    ----------
    predict : callable
        Takes what `Item.render` returns.
    columns : int
        Of all items together.
    way : Way, optional
        None leaves LIME out.
    """

    def __init__(
        self,
        predict: Callable[[Any], Any],
        items: Sequence[Item],
        columns: int,
        way: Way | None,
        *,
        tolerance: float,
        seed: int,
        seconds: float | None,
        cancelled: Callable[[], bool] | None,
        progress: Callable[[float, str], None] | None,
        batch: int | None,
    ) -> None:
        self.items, self.columns, self.way = items, columns, way
        self.tolerance, self.seed, self.progress = tolerance, seed, progress
        self.now = items[0]
        self.known: dict[bytes, Floats] = {}
        self.place = 0
        self.ask = Asker(
            lambda masks: predict(self.now.render(masks > 0)),
            seconds=seconds,
            cancelled=cancelled,
            batch=batch,
        )
        self.stopped: Stopped = "done"
        self.shap: list[tuple[Floats, Floats]] = []
        self.lime: list[tuple[Floats, Floats, Floats, Floats, float]] = []
        self.samples = 0
        self.base: Floats | None = None
        self.predictions: list[Floats] = []

    def go(self) -> None:
        """Explain item by item; those that are whole are kept when it has to end."""
        import numpy as np

        try:
            self.base = self.answers(np.zeros((1, len(self.now.columns)), dtype=bool))[0]
            for place in range(len(self.items)):
                if place:
                    self.place, self.now, self.known = place, self.items[place], {}
                self._one()
                if self.stopped in ("budget", "cancelled"):
                    return
                if self.progress is not None:
                    self.progress(
                        (place + 1) / len(self.items), f"{place + 1} of {len(self.items)} are explained"
                    )
        except OutOfTime as e:
            self.stopped = e.why
        except KeyboardInterrupt:
            self.stopped = "cancelled"

    def answers(self, masks: Masks) -> Floats:
        """Ask for masks of the item; none twice."""
        import numpy as np

        packed = [row.tobytes() for row in np.packbits(masks, axis=1)]
        new = {key: at for at, key in enumerate(packed) if key not in self.known}
        if new:
            asked = masks[list(new.values())].astype(np.float64)
            found = self.ask(asked, lambda *_: f"row {self.place} with parts of it hidden")
            self.known.update(zip(new, found, strict=True))
        return np.array([self.known[key] for key in packed])

    def _one(self) -> None:
        import numpy as np

        parts = len(self.now.columns)
        whole = self.answers(np.ones((1, parts), dtype=bool))[0]
        if parts == 0:
            none = np.zeros((0, len(whole)))
            self._keep(whole, none, none)
            self.lime.append((none, none, whole, whole * 0 + 1, float("nan")))
            return
        found = shapley(
            lambda masks: self.answers(masks > 0),
            np.ones((1, parts)),
            np.zeros((1, parts)),
            tolerance=self.tolerance,
            seed=self.seed,
        )
        if found.stopped in ("budget", "cancelled"):
            self.stopped = found.stopped
        elif self.stopped == "done" and found.stopped == "tolerance":
            self.stopped = "tolerance"
        if not found.permutations[0]:
            return
        self._keep(whole, found.values[0], found.errors[0])
        if self.way is not None and self.stopped not in ("budget", "cancelled"):
            self.lime.append(self._local(self.way, parts))

    def _keep(self, whole: Floats, values: Floats, errors: Floats) -> None:
        self.predictions.append(whole)
        self.shap.append((values, errors))

    def _local(self, way: Way, parts: int) -> tuple[Floats, Floats, Floats, Floats, float]:
        """Return LIME's coefficients, errors, intercept and R², means over the seeds, and their stability."""
        import numpy as np

        samples = way.samples
        while True:
            fits = []
            for seed in way.seeds:
                random = np.random.RandomState(seed)
                masks = way.draw(parts, samples, random)
                share = masks.sum(axis=1) / parts
                squared = (way.distance * (1 - np.sqrt(share))) ** 2
                squared[0] = 0.0
                design = masks.astype(np.float64)
                fits.append(ridge(design, self.answers(masks), kernel(squared, way.width)))
            each = np.array([fit.coefficients for fit in fits])
            errors = np.sqrt(np.array([fit.errors**2 for fit in fits]).sum(axis=0)) / len(fits)
            mean = each.mean(axis=0)
            alike = stability(each, mean, errors, way.top)
            if len(fits) < 2 or alike >= way.stable or samples * MORE > way.most:
                self.samples = max(self.samples, samples)
                intercept = np.mean([fit.intercept for fit in fits], axis=0)
                return mean, errors, intercept, np.mean([fit.r2 for fit in fits], axis=0), alike
            samples *= MORE

    def whole(self) -> Floats:
        """Return what the model says of the items that were explained, (done, K).

        Raises
        ------
        ExplainInputError
            When that is none.
        """
        import numpy as np

        if not self.shap:
            raise ExplainInputError(
                f"nothing was explained before the end ({self.stopped}); give more time or fewer rows"
            )
        return np.array(self.predictions)

    def arrays(self, keep: slice) -> Arrays:
        """Return what was reached, of the outputs that are kept; a column is 0 in items that have no such part."""
        import numpy as np

        from aios_workbench.explain.arrays import Arrays

        assert self.base is not None
        done, m = len(self.shap), len(self.lime)
        outputs = len(self.base)
        values, errors = np.zeros((2, done, self.columns, outputs))
        lime, lime_errors = np.zeros((2, m, self.columns, outputs))
        for i, (value, error) in enumerate(self.shap):
            values[i, self.items[i].columns], errors[i, self.items[i].columns] = value, error
        for i, (value, error, *_) in enumerate(self.lime):
            lime[i, self.items[i].columns], lime_errors[i, self.items[i].columns] = value, error
        some = self.way is not None and m > 0
        return Arrays(
            values=values[..., keep],
            base=self.base[keep],
            predictions=np.array(self.predictions)[:, keep],
            errors=errors[..., keep],
            lime_rows=np.arange(m) if some else None,
            lime=lime[..., keep] if some else None,
            lime_errors=lime_errors[..., keep] if some else None,
            lime_r2=np.array([found[3] for found in self.lime])[:, keep] if some else None,
            lime_intercept=np.array([found[2] for found in self.lime])[:, keep] if some else None,
            stability=np.array([found[4] for found in self.lime]) if some else None,
        )

    def infos(self, part: str, hidden: str) -> tuple[MethodInfo, LimeInfo | None]:
        """Say how it was done; `part` is a part's name, `hidden` what stands in its place."""
        from aios_workbench.explain import names

        seconds = time.monotonic() - self.ask.began
        method = MethodInfo(
            name="sampling",
            title=names.METHODS["sampling"][0],
            why=f"Every {part} is hidden and shown beside many others: that works with any model.",
            exact=False,
            background=1,
            summarised=hidden,
            evaluations=self.ask.evaluations,
            calls=self.ask.calls,
            seconds=seconds,
            stopped=self.stopped,
            tolerance=self.tolerance,
        )
        if self.way is None or not self.lime:
            return method, None
        return method, LimeInfo(
            rows=len(self.lime),
            samples=self.samples,
            seeds=list(self.way.seeds),
            discretized=False,
            kernel_width=self.way.width,
            top=self.way.top,
            stopped=self.stopped,
            notes=["It shares its evaluations with SHAP."],
        )


def meaning(answers: Floats, outputs: Sequence[str] | None) -> tuple[Task, Scale, list[str], slice]:
    """Say what a model's answers are: task, scale, names, and which of the outputs are explained.

    Of two probabilities that sum to one only the second, the positive class, is explained.

    Raises
    ------
    ExplainInputError
        When there are not as many names as outputs.

    Examples
    --------
    >>> import numpy as np
    >>> meaning(np.array([[0.2, 0.8]]), ["bad", "good"])
    ('binary', 'probability', ['good'], slice(1, 2, None))
    """
    import numpy as np

    count = answers.shape[1]
    if outputs is not None and len(outputs) != count:
        raise ExplainInputError(
            f"the model has {count} outputs, and {len(outputs)} names were given: {list(outputs)}"
        )
    sums = bool(np.allclose(answers.sum(axis=1), 1, atol=1e-4) and (answers >= 0).all())
    said = [str(name) for name in outputs] if outputs is not None else [str(k) for k in range(count)]
    if count == 1:
        return "regression", "value", said if outputs is not None else ["prediction"], slice(0, 1)
    if count == 2 and sums:
        return "binary", "probability", said[1:], slice(1, 2)
    return "multiclass", "probability" if sums else "score", said, slice(0, count)
