"""Steps of other shapes: many items, loops, other workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aios_workbench.errors import DefinitionError
from aios_workbench.workflow.include import include
from aios_workbench.workflow.loops import LOOP_OPTIONS
from aios_workbench.workflow.mapping import MAP_OPTIONS, over_of

if TYPE_CHECKING:
    from aios_workbench.workflow.definition import Workflow

F = TypeVar("F", bound=Callable[..., Any])
Functions = Callable[..., Any] | Sequence[Callable[..., Any]] | None


class Shapes:
    """The part of `Workflow` that makes maps, loops and includes."""

    def _decorate(self, kind: str, known: tuple[str, ...], fn: Any, options: dict[str, Any]) -> Any:
        raise NotImplementedError

    def map(
        self,
        fn: Any = None,
        /,
        *,
        over: str | Callable[..., Any] = "",
        **options: Any,
    ) -> Callable[[F], F]:
        """Make a function a step that is called for each of many items; its output is the list of the results.

        What is finished is stored batch by batch: a run that was killed goes on inside the map, and loses at most
        the batches that were being worked on. The order is that of the items.

        Parameters
        ----------
        over : str
            The step or parameter with the items: a list, tuple, range, array, series or data frame (an item is then
            a dict of the row), or a step that yields (the map begins with its first items).
        item : str, optional
            The function's parameter that gets the item. Without it the one called like the singular of `over`, else
            the only one that is no step and has no default. All others are inputs as for any step.
        batch : int
            Items that are done in one go, 500 unless told. A batch is the unit of work, of storing, and of loss.
        batches : bool
            The function gets a batch (a list, or a piece of the array, series or data frame) and returns as many
            results in a list, array, series or data frame.
        concurrency : int
            Batches worked on at once, each in a thread; 4 unless told.
        on_error : {"fail", "skip", "dead_letter"}
            What an item does that failed for good: fails the map (the results until then are kept for a resume), is
            left out of the result, or goes to the table `dead_letters`; its place in a list then holds None until
            ``run.redrive(…)`` has filled it.
        buffer : int
            Batches that a step that yields may be ahead; ``2 * concurrency`` unless told.
        retries, retry_on, give_up_on, backoff, timeout, fallback
            As for a step, but for each item.
        name, cache, after, inputs, tags, when, needs, limits, priority, budget
            As for a step; of the whole map, not of an item.

        Raises
        ------
        DefinitionError
            Naming the map, the cell and the remedy.

        Examples
        --------
        >>> import aios_workbench as aios
        >>> wf = aios.Workflow("doubled")
        >>> @wf.map(over="numbers", batch=1000)
        ... def double(number, times=2):
        ...     return number * times
        >>> wf.run(numbers=range(5)).result()
        [0, 2, 4, 6, 8]
        """
        if fn is not None:
            raise DefinitionError(
                'a map needs to know over what: @wf.map(over="claims"), with the parentheses'
            )

        def decorate(f: Any) -> Any:
            told = {**options, "over": over_of(options.get("name") or getattr(f, "__name__", "?"), over)}
            return self._decorate("map", MAP_OPTIONS, f, told)

        return decorate

    def loop(
        self,
        fn: Any = None,
        /,
        *,
        until: Callable[..., bool] | None = None,
        max: int = 100,  # noqa: A002 - the word of the field
        state: str | None = None,
        on_bound: str = "fail",
        **options: Any,
    ) -> Callable[[F], F]:
        """Make a function a step that is repeated: a state goes in, a state comes out, until a condition holds.

        Every iteration is stored: a run that was killed goes on with the iteration it was in.

        Parameters
        ----------
        until : function, optional
            Called with the new state (and with steps and parameters by name); True ends the loop. Without it the
            loop runs to its bound.
        max : int
            At most so many iterations.
        state : str, optional
            The function's parameter with the state, its first one unless told. It begins with the step or parameter
            of that name.
        on_bound : {"fail", "continue"}
            When the bound is reached and the condition does not hold: fail with `LoopBoundReached`, or go on with the
            state as it is. Without `until`, reaching the bound is the loop's end.
        retries, retry_on, give_up_on, backoff, timeout, fallback, breaker, hedge
            As for a step, but for each iteration.
        compensate, on_error, name, cache, after, inputs, tags, when, needs, limits, priority, budget
            As for a step; the whole loop has them.

        Raises
        ------
        DefinitionError
            Naming the loop, the cell and the remedy.

        Examples
        --------
        >>> import aios_workbench as aios
        >>> wf = aios.Workflow("newton")
        >>> @wf.loop(until=lambda guess, of: abs(guess * guess - of) < 1e-9, max=50)
        ... def root(guess: float = 1.0, of: float = 2.0):
        ...     return (guess + of / guess) / 2
        >>> round(wf.run().result(), 6)
        1.414214
        """
        options |= {"until": until, "max": max, "state": state, "on_bound": on_bound}
        told = {k: v for k, v in options.items() if v is not None}
        decorated: Callable[[F], F] = self._decorate("loop", LOOP_OPTIONS, fn, told)
        return decorated

    def include(
        self,
        other: Workflow,
        *,
        prefix: str | None = None,
        inputs: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        outputs: Mapping[str, str] | None = None,
        after: Iterable[str] = (),
    ) -> dict[str, str]:
        """Take over another workflow's steps as they are now, under names of their own.

        The steps become steps of this workflow: they are shown, stored, resumed and rerun one by one.

        Parameters
        ----------
        prefix : str, optional
            A step ``score`` becomes ``<prefix>_score``; the other workflow's name unless told. Including again with the
            same prefix replaces what came from it before.
        inputs : mapping, optional
            Parameter of the other workflow -> step or parameter of this one. A parameter that is named neither here
            nor in `params` keeps its name: it becomes the step of that name here, or else a parameter.
        params : mapping, optional
            Parameter of the other workflow -> value it always has.
        outputs : mapping, optional
            Step of the other workflow -> its name here, instead of the one with the prefix.
        after : iterable of str
            Steps of this workflow that must succeed before any of the others starts.

        Returns
        -------
        dict
            Step of the other workflow -> its name here.

        Raises
        ------
        DefinitionError
            For a step or parameter that the other workflow does not have, or a name that is taken.

        Examples
        --------
        >>> import aios_workbench as aios
        >>> scoring, wf = aios.Workflow("scoring"), aios.Workflow("whole")
        >>> @scoring.step
        ... def score(rows, weight=1):
        ...     return [r * weight for r in rows]
        >>> @wf.step
        ... def load():
        ...     return [1, 2]
        >>> wf.include(scoring, inputs={"rows": "load"}, params={"weight": 10}, outputs={"score": "risk"})
        {'score': 'risk'}
        >>> wf.run().result()
        [10, 20]
        """
        return include(
            self, other, prefix=prefix, inputs=dict(inputs or {}), params=dict(params or {}),  # type: ignore[arg-type]
            outputs=dict(outputs or {}), after=list(after),
        )  # fmt: skip
