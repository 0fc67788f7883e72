"""Two sides of 20 mixed columns for the drift benchmark, written as Parquet in blocks, any number of rows."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _peers import CACHE

BLOCK = 1_000_000
SIDES = ("reference", "current")
#: Columns that the two sides differ in; the others come from one distribution.
MOVED = (
    "num_normal", "num_lognorm", "num_null", "num_bimodal", "num_exp", "int_count", "int_age", "cat_4", "cat_50",
)  # fmt: skip


def block(n: int, seed: int, *, moved: bool) -> pa.Table:
    """Return `n` rows: numbers of every shape (with nulls, with 60 % zeros, rounded), counts, texts, flags."""
    r, d = np.random.default_rng(seed), float(moved)
    zipf50, zipf2000 = 1 / np.arange(1, 51), 1 / np.arange(1, 2001) ** 0.8
    rare = r.choice(50, n, p=zipf50 / zipf50.sum())
    columns = {
        "num_normal": r.normal(0.2 * d, 1, n),
        "num_lognorm": r.lognormal(0, 0.6 + 0.1 * d, n),
        "num_null": np.where(r.random(n) < 0.05 + 0.05 * d, np.nan, r.normal(10, 2, n)),
        "num_unif": r.uniform(0, 1, n),
        "num_bimodal": np.where(r.random(n) < 0.5 + 0.1 * d, r.normal(-2, 1, n), r.normal(3, 1, n)),
        "num_heavy": r.standard_t(3, n),
        "num_exp": r.exponential(1 + 0.02 * d, n),
        "num_zero": np.where(r.random(n) < 0.6, 0.0, r.gamma(2, 2, n)),
        "num_f32": r.normal(0, 1, n).astype("float32"),
        "num_round": np.round(r.normal(50, 15, n), 1),
        "int_count": r.poisson(20 + d, n).astype("int64"),
        "int_small": r.integers(0, 4, n).astype("int32"),
        "int_age": np.clip(r.normal(40 + d, 12, n), 18, 95).astype("int32"),
        "int_wide": r.integers(0, 2**40, n),
        "cat_4": _texts("abcd", r.choice(4, n, p=[0.35, 0.3, 0.2, 0.15] if moved else [0.4, 0.3, 0.2, 0.1])),
        # the moved side has a 51st value
        "cat_50": _texts([f"c{i:02d}" for i in range(51)], np.where(r.random(n) < 0.01 * d, 50, rare)),
        "cat_2000": _texts([f"city_{i:04d}" for i in range(2000)], r.choice(2000, n, p=zipf2000 / zipf2000.sum())),
        "cat_bin": np.where(r.random(n) < 0.3, "yes", "no"),
        "bool_flag": r.random(n) < 0.5,
        "cat_null": np.where(r.random(n) < 0.1, None, np.array([*"xyz"], dtype=object)[r.integers(0, 3, n)]),
    }  # fmt: skip
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def _texts(values: str | list[str], at: np.ndarray) -> np.ndarray:
    return np.array([*values], dtype=object)[at]


def folder(rows: int) -> Path:
    """Return the folder with reference.parquet and current.parquet of so many rows each, made when it is new."""
    at = CACHE / "drift" / str(rows)
    for side in SIDES:
        file = at / f"{side}.parquet"
        if file.exists():
            continue
        print(f"making {rows:,} rows: {side} ...", file=sys.stderr, flush=True)
        at.mkdir(parents=True, exist_ok=True)
        part, writer = file.with_suffix(".part"), None
        for i, begin in enumerate(range(0, rows, BLOCK)):
            moved = side == "current"
            made = block(min(BLOCK, rows - begin), (9000 if moved else 1000) + i, moved=moved)
            writer = writer or pq.ParquetWriter(part, made.schema, compression="zstd")
            writer.write_table(made, row_group_size=122_880)
        if writer is not None:
            writer.close()
        part.rename(file)
    return at
