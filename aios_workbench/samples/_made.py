"""What all makers of sample data do alike: draw, write a file whole, be a command."""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError


def streams(maker: str, rows: int, seed: int, draws: int) -> Iterator[tuple[int, Iterator[float]]]:
    """Give each row's number and its `draws` uniform values: what a row is does not depend on how many there are."""
    import numpy as np

    for name, value in (("rows", rows), ("seed", seed)):
        if type(value) is not int or value < 0:
            raise ParameterError(f"samples.{maker}: {name} is {value!r}; give a whole number from 0 up")
    # PCG64 by name: `default_rng` may get another generator one day.
    stream = np.random.Generator(np.random.PCG64(seed))
    for i in range(rows):
        yield i, iter(stream.random(draws).tolist())


def pick(u: Iterator[float], choices: dict[Any, int] | Sequence[Any]) -> Any:
    """Draw one of some choices, by their weights if they have any."""
    if isinstance(choices, dict):
        cumulated = list(itertools.accumulate(choices.values()))
        x = next(u) * cumulated[-1]
        return next(value for value, upto in zip(choices, cumulated, strict=True) if x < upto)
    return choices[int(next(u) * len(choices))]


def whole(u: Iterator[float], low: int, high: int = 100_000) -> int:
    """Draw a whole number from `low` to below `high`."""
    return low + int(next(u) * (high - low))


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV, UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def replace(path: str | Path, content: bytes) -> Path:
    """Write a file whole: nobody ever reads half of it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        aside.write_bytes(content)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def command(
    maker: str, what: str, rows: int, argv: Sequence[str] | None, to_csv: Callable[..., bytes],
    flags: dict[str, str] | None = None,
) -> int:  # fmt: skip
    """Be `python -m aios_workbench.samples.<maker>`: write a CSV file, to standard output if no other is named."""
    parser = argparse.ArgumentParser(prog=f"python -m aios_workbench.samples.{maker}", description=what)
    parser.add_argument("--rows", type=int, default=rows, help=f"how many (default {rows})")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same rows (default 7)")
    for flag, means in (flags or {}).items():
        parser.add_argument(f"--{flag}", action="store_true", help=means)
    parser.add_argument("-o", "--output", default="-", help="the file to write (default: standard output)")
    options = vars(parser.parse_args(argv))
    output = options.pop("output")
    try:
        content = to_csv(**options)
        if output == "-":
            sys.stdout.buffer.write(content)
        else:
            replace(output, content)
    except (ParameterError, OSError) as e:
        parser.error(str(e))
    return 0
