"""A shop's products, made up, as they arrive from many sellers: half filled in, some of them twice.

Sixteen categories, fourteen brands. Each product has a name, a description and particulars; of one in eight the
category is not given, of one in three the brand, though the name often has it. One in twenty-five is another one again,
under a new number, differently named and a little cheaper. The particulars come in three forms (JSON, lines, and the
hashes of a certain web framework), one in sixty-six cannot be read. One text in ten says next to nothing, one category
in thirty-three is wrong, and one text in a hundred is hostile. `true_category`, `true_brand` and `same_as` say what
would be right: no step may look at them but the one that measures.

Randomness comes from PCG64's uniform doubles alone, and each product takes the same number of them: see
`aios_workbench.samples.claims`. So the first 100 products are the same whether 100 or 10,000 are asked for.

    python -m aios_workbench.samples.products --rows 5000 --seed 7 -o products.csv
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.samples import _made
from aios_workbench.samples import _products_words as words
from aios_workbench.samples._made import pick, whole

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "product_id", "updated_at", "name", "category", "brand", "price", "description", "specifications",
    "true_category", "true_brand", "same_as",
)  # fmt: skip
CATEGORIES = tuple(sorted(words.KINDS))

_DRAWS = 48
_START = dt.datetime(2025, 1, 2, 6, tzinfo=dt.UTC)
_EVERY = 4 * 60  # seconds between products
_TWICE, _ODD, _VAGUE, _BROKEN, _NO_CATEGORY, _NO_BRAND = 0.04, 0.01, 0.1, 0.015, 0.125, 0.33
_WRONG = 0.03  # put where it sells, not where it belongs


def generate(rows: int = 5000, seed: int = 7) -> pd.DataFrame:
    """Return made-up products, in the order in which they were put into the catalogue.

    Parameters
    ----------
    rows : int
        How many.
    seed : int
        Same seed, same products, on every machine.

    Returns
    -------
    pandas.DataFrame
        (rows, 11): `COLUMNS`. `category` and `brand` are empty where the seller gave none; `price` is text in EUR;
        `same_as` is the `product_id` of the product that this one is again. Texts may hold anything, also HTML.

    Raises
    ------
    ParameterError
        When `rows` or `seed` is negative or not a whole number.

    Examples
    --------
    >>> generate(300).loc[0, ["product_id", "true_category"]].tolist()
    ['P-100001', 'Furniture > Living room > Sofas']
    """
    import pandas as pd

    return pd.DataFrame.from_records(list(_rows(rows, seed)), columns=list(COLUMNS))


def write(path: str | Path, rows: int = 5000, seed: int = 7) -> Path:
    """Write made-up products as CSV and return the path; the arguments are those of `generate`.

    The file is replaced whole: nobody ever reads half of it.
    """
    return _made.replace(path, to_csv(rows, seed))


def to_csv(rows: int = 5000, seed: int = 7) -> bytes:
    """Return made-up products as the bytes of a CSV file; the arguments are those of `generate`."""
    return _made.csv_bytes(COLUMNS, _rows(rows, seed))


def _rows(rows: int, seed: int) -> Iterator[tuple[Any, ...]]:
    recent: list[dict[str, Any]] = []
    for i, u in _made.streams("products", rows, seed, _DRAWS):
        twice, which = next(u), int(next(u) * 60)
        own = _product(u)
        if again := twice < _TWICE and which < len(recent):
            own |= recent[-1 - which]
        shown = _shown(u, i, own, again)
        recent = [*recent[-59:], {**own, "same_as": own.get("same_as") or shown[0]}]
        yield shown


def _product(u: Iterator[float]) -> dict[str, Any]:
    """Draw what a product is, whatever a seller says of it."""
    category = pick(u, {name: kind.weight for name, kind in words.KINDS.items()})
    kind = words.KINDS[category]
    first, second = int(next(u) * len(kind.says)), int(next(u) * (len(kind.says) - 1))
    return {
        "says": kind.says[first], "more": kind.says[(first + 1 + second) % len(kind.says)],
        "category": category, "thing": pick(u, kind.things), "brand": pick(u, words.BRANDS),
        "look": pick(u, words.LOOKS), "colour": pick(u, words.COLOURS), "material": pick(u, kind.materials),
        "size": pick(u, kind.sizes), "who": pick(u, words.FOR), "pack": pick(u, words.PACKS),
        "cents": whole(u, *kind.price),
    }  # fmt: skip


def _shown(u: Iterator[float], i: int, own: dict[str, Any], again: bool) -> tuple[Any, ...]:
    """Say of a product what its seller does."""
    name, said = pick(u, words.NAMES).format(**own), pick(u, words.DESCRIPTIONS).format(**own)
    form, broken, odd = next(u), next(u), next(u)
    bad, hostile = pick(u, words.BROKEN).format(**own), pick(u, words.HOSTILE).format(**own)
    vague_name, vague = pick(u, words.VAGUE_NAMES).format(**own), pick(u, words.VAGUE).format(**own)
    where, no_category, no_brand = next(u), next(u), next(u)
    wrong, other = next(u), pick(u, CATEGORIES)
    cheaper, at = next(u), _START + dt.timedelta(seconds=i * _EVERY + int(next(u) * _EVERY))
    if odd < _ODD:
        name, said = (hostile, said) if where < 0.5 else (name, hostile)
    elif odd < _ODD + _VAGUE:
        name, said = vague_name, vague
    cents = int(own["cents"] * (1 - 0.06 * cheaper)) if again else own["cents"]
    # A name like this has lost its brand: then the seller has not given one, either.
    nameless = own["brand"] not in name
    return (
        f"P-{100_001 + i}", at.strftime("%Y-%m-%d %H:%M:%S"), name[:1].upper() + name[1:],
        "" if no_category < _NO_CATEGORY else other if wrong < _WRONG else own["category"],
        "" if no_brand < _NO_BRAND * (0.5 if nameless else 1) else own["brand"],
        f"{cents / 100:.2f}", said[:1].upper() + said[1:], bad if broken < _BROKEN else _particulars(own, form),
        own["category"], own["brand"], own.get("same_as", "") if again else "",
    )  # fmt: skip


def _particulars(own: dict[str, Any], form: float) -> str:
    """Write a product's particulars as one of three kinds of sellers do."""
    told = {"Colour": own["colour"], "Material": own["material"], "Size": own["size"], "Pack of": own["pack"]}
    if form < 0.45:
        return json.dumps(told)
    if form < 0.8:
        return "\n".join(f"{key}: {value}" for key, value in told.items())
    pairs = ", ".join(f'{{"key"=>{json.dumps(k)}, "value"=>{json.dumps(v)}}}' for k, v in told.items())
    return f'{{"product_specification"=>[{pairs}]}}'


def main(argv: Sequence[str] | None = None) -> int:
    """Write a CSV file; see the module's docstring."""
    return _made.command("products", "Made-up products of a shop.", 5000, argv, to_csv)


if __name__ == "__main__":
    raise SystemExit(main())
