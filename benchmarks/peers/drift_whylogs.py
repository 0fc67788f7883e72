"""whylogs: a profile of each side (its sketches); what it compares afterwards takes no time beside that."""

from __future__ import annotations

import os
from typing import Any

os.environ["WHYLOGS_NO_ANALYTICS"] = "True"

import pandas as pd
import whylogs
from drift_common import CURRENT, REFERENCE, measure


def work() -> dict[str, Any]:
    views = [whylogs.log(pd.read_parquet(side)).view() for side in (REFERENCE, CURRENT)]
    return {c: {"profiled": 1.0} for c in views[0].get_columns()}


if __name__ == "__main__":
    measure(work)
