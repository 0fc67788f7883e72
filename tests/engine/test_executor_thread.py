"""The executor "thread" passes the suite."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("executor_suite")

from executor_suite import *  # noqa: E402, F403 - its tests are collected here


@pytest.fixture
def executor() -> str:
    return "thread"
