"""Things computed at the same time: in order, and over at once when they are to end."""

from __future__ import annotations

import threading
import time

import pytest

from aios_workbench.drift._together import beside, each


@pytest.fixture(params=[1, 2, 4])
def workers(request):
    return request.param


def test_answers_come_in_the_order_of_the_items(workers):
    def slow(x: int) -> int:
        time.sleep(0.02 * (3 - x % 4))
        return x * x

    assert list(each(slow, range(8), workers=workers)) == [x * x for x in range(8)]
    assert list(each(slow, [], workers=workers)) == []


def test_several_run_at_the_same_time():
    both = threading.Barrier(2, timeout=30)
    assert list(each(lambda x: (both.wait(), x)[1], [1, 2], workers=2)) == [1, 2]


def test_an_error_stops_the_rest(workers):
    stopped, begun = threading.Event(), []

    def task(x: int) -> int:
        begun.append(x)
        if x == 1:
            raise ValueError("one")
        if x > 1:
            stopped.wait(30)  # as a query runs until it is interrupted
        return x

    with pytest.raises(ValueError, match="one"):
        list(each(task, range(50), workers=workers, stop=stopped.set))
    assert len(begun) <= 1 + workers + 1


def test_whoever_takes_no_more_stops_the_rest():
    stopped = threading.Event()
    answers = each(
        lambda x: x if x == 0 else (stopped.wait(30), x)[1], range(50), workers=2, stop=stopped.set
    )
    assert next(answers) == 0
    answers.close()
    assert stopped.is_set()


def test_beside_is_stopped_when_the_block_fails():
    stopped = threading.Event()
    with pytest.raises(KeyboardInterrupt), beside(lambda: stopped.wait(30), stop=stopped.set) as one:
        raise KeyboardInterrupt
    assert one.result() is True
