"""Several things at once, in threads: DuckDB and numpy let go of the interpreter while they count and sort."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: A query uses all processors only part of the time; more than a few at once cost memory and gain nothing.
WORKERS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def each(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int = WORKERS,
    stop: Callable[[], None] = lambda: None,
) -> Generator[R, None, None]:
    """Give what the function makes of each item, in their order, `workers` of them computed at the same time.

    Close it when not all may be taken. Whatever ends it early, an error, an interrupt or nobody taking the next one,
    cancels what has not begun and calls `stop`, which tells what has begun to end.

    Examples
    --------
    >>> list(each(lambda x: x * x, [1, 2, 3]))
    [1, 4, 9]
    """
    todo = list(items)
    if workers < 2 or len(todo) < 2:
        yield from map(function, todo)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="aios-drift") as pool:
        waiting: list[Future[R]] = [pool.submit(function, item) for item in todo]
        done = False
        try:
            for one in waiting:
                yield one.result()
            done = True
        finally:
            if not done:
                for one in waiting:
                    one.cancel()
                stop()


@contextlib.contextmanager
def beside(function: Callable[[], R], *, stop: Callable[[], None] = lambda: None) -> Iterator[Future[R]]:
    """Compute something while the block runs; an error or an interrupt of the block calls `stop` and waits for it.

    Examples
    --------
    >>> with beside(lambda: 6 * 7) as answer:
    ...     question = "?"
    >>> answer.result()
    42
    """
    with ThreadPoolExecutor(1, thread_name_prefix="aios-drift") as pool:
        future = pool.submit(function)
        try:
            yield future
        except BaseException:
            stop()
            raise
