"""Property tests here write nothing and are the same in every run."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("aios", database=None, derandomize=True, deadline=None)
settings.load_profile("aios")
