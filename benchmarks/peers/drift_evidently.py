"""evidently: its DataDriftPreset on two frames, `run` and the values as a dict; no HTML is written."""

from __future__ import annotations

from typing import Any

import pandas as pd
from drift_common import CURRENT, REFERENCE, measure
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def work() -> dict[str, Any]:
    reference, current = pd.read_parquet(REFERENCE), pd.read_parquet(CURRENT)
    kinds = DataDefinition(
        numerical_columns=[c for c in reference if c.startswith(("num", "int"))],
        categorical_columns=[c for c in reference if c.startswith(("cat", "bool"))],
    )
    sides = [Dataset.from_pandas(side, data_definition=kinds) for side in (current, reference)]
    metrics = Report([DataDriftPreset()]).run(*sides).dict()["metrics"]
    return {
        m["config"]["column"]: {"method": m["config"]["method"], "value": float(m["value"])}
        for m in metrics
        if "column" in m["config"]
    }


if __name__ == "__main__":
    measure(work)
