"""Hamilton with its cache on (SQLite metadata and a file per result): the mode that survives a restart."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version
from types import ModuleType

from common import options, per_step, report
from hamilton import driver

o = options()


def module(name: str, source: str) -> ModuleType:
    # in a file: without readable source Hamilton gives every node the code version None
    (o.home / f"{name}.py").write_text(source)
    return importlib.import_module(name)


sys.path.insert(0, str(o.home))
chain = module(
    "bench_chain",
    "def s0(x: int) -> int: return x + 1\n"
    + "".join(f"def s{i}(s{i - 1}: int) -> int: return s{i - 1} + 1\n" for i in range(1, o.steps)),
)
fan = module("bench_fan", "".join(f"def s{i}(x: int) -> int: return x + {i}\n" for i in range(o.steps)))
fresh = iter(range(10**6))  # a new input each time, so that nothing is answered from the cache


def run(made: ModuleType, wanted: list[str]) -> None:
    d = driver.Builder().with_modules(made).with_cache(path=str(o.home / "cache")).build()
    got = d.execute(wanted, inputs={"x": next(fresh)})
    assert len(got) == len(wanted)


report(
    version=version("sf-hamilton"),
    chain=per_step(o, lambda: run(chain, [f"s{o.steps - 1}"])),
    fan_out=per_step(o, lambda: run(fan, [f"s{i}" for i in range(o.steps)])),
)
