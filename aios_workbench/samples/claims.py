"""Motor insurance claims with fraud labels, made up but shaped like a public sample.

The schema, the spelling ("?" for unknown, "Suburu", the empty `_c39`) and the shares below were measured on
the public `insurance_claims.csv` (1,000 claims, January and February 2015, seven US states); no row of it is
kept here. What drives fraud is the same as there: "Major Damage" and two hobbies, chess and cross-fit. Like the
real file, about one row in a hundred contradicts itself (a policy bound after the incident, a negative limit).

Randomness comes from PCG64's uniform doubles alone, turned into values by inverse distribution functions:
numpy promises that stream for good, but not the one of `rng.normal` or `rng.choice` (NEP 19). Each row takes
the same number of doubles, so the first 100 rows are the same whether 100 or 10,000 are asked for.

    python -m aios_workbench.samples.claims --rows 1000 --seed 7 -o claims.csv
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from aios_workbench.samples import _claims_figures as figures
from aios_workbench.samples import _made
from aios_workbench.samples._made import pick

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "months_as_customer", "age", "policy_number", "policy_bind_date", "policy_state", "policy_csl",
    "policy_deductable", "policy_annual_premium", "umbrella_limit", "insured_zip", "insured_sex",
    "insured_education_level", "insured_occupation", "insured_hobbies", "insured_relationship", "capital-gains",
    "capital-loss", "incident_date", "incident_type", "collision_type", "incident_severity",
    "authorities_contacted", "incident_state", "incident_city", "incident_location",
    "incident_hour_of_the_day", "number_of_vehicles_involved", "property_damage", "bodily_injuries",
    "witnesses", "police_report_available", "total_claim_amount", "injury_claim", "property_claim",
    "vehicle_claim", "auto_make", "auto_model", "auto_year", "fraud_reported", "_c39",
)  # fmt: skip
CONTACT_COLUMNS = ("insured_name", "insured_email", "insured_phone")

_DRAWS = 48
_NORMAL = NormalDist()


def generate(rows: int = 1000, seed: int = 7, contacts: bool = False) -> pd.DataFrame:
    """Return made-up claims.

    Parameters
    ----------
    rows : int
        How many.
    seed : int
        Same seed, same claims, on every machine.
    contacts : bool
        Add the columns of `CONTACT_COLUMNS`: invented names, example.com addresses, 555-01xx numbers.

    Returns
    -------
    pandas.DataFrame
        (rows, 40), or 43 with contacts; "?" for unknown, dates as text, `_c39` empty, as in the real file.

    Raises
    ------
    ParameterError
        When `rows` or `seed` is negative or not a whole number.

    Examples
    --------
    >>> generate(5).shape
    (5, 40)
    """
    import pandas as pd

    columns = COLUMNS + (CONTACT_COLUMNS if contacts else ())
    frame = pd.DataFrame.from_records(list(_rows(rows, seed)), columns=[*COLUMNS, *CONTACT_COLUMNS])
    return frame[list(columns)].astype({"_c39": float})


def write(path: str | Path, rows: int = 1000, seed: int = 7, contacts: bool = False) -> Path:
    """Write made-up claims as CSV and return the path; the arguments are those of `generate`.

    The file is replaced whole: nobody ever reads half of it.
    """
    return _made.replace(path, to_csv(rows, seed, contacts))


def to_csv(rows: int = 1000, seed: int = 7, contacts: bool = False) -> bytes:
    """Return made-up claims as the bytes of a CSV file; the arguments are those of `generate`."""
    names = COLUMNS + (CONTACT_COLUMNS if contacts else ())
    return _made.csv_bytes(names, (row[: len(names)] for row in _rows(rows, seed)))


def _rows(rows: int, seed: int) -> Iterator[tuple[Any, ...]]:
    for i, u in _made.streams("claims", rows, seed, _DRAWS):
        yield _claim(i, u)


def _claim(i: int, u: Iterator[float]) -> tuple[Any, ...]:
    tenure, other = _z(u), _z(u)
    months = _clip(204 + 115 * tenure, 0, 479)
    age = _clip(39 + 9.14 * (0.92 * tenure + 0.39 * other), 19, 64)  # correlation .92, as measured
    incident = dt.date(2015, 1, 1) + dt.timedelta(days=int(next(u) * 60))
    bound = dt.date(1990, 1, 8) + dt.timedelta(days=int(next(u) * 9176))
    kind = pick(u, figures.TYPES)
    crash = kind.endswith("Collision")
    severity = pick(u, figures.SEVERITY[crash])
    hobby = pick(u, figures.HOBBIES)
    witnesses = int(next(u) * 4)
    collision = pick(u, figures.COLLISION)
    vehicles = pick(u, figures.VEHICLES)
    injury, damage, vehicle = _amounts(u, crash)
    make = pick(u, tuple(figures.CARS))
    model = pick(u, figures.CARS[make])
    fraud = next(u) < _fraud_rate(severity, hobby, witnesses)
    zip_low, zip_high = (600_127, 620_962) if next(u) < 0.294 else (430_104, 479_999)
    first, last, line = pick(u, figures.FIRST), pick(u, figures.LAST), int(next(u) * 10_000)
    return (
        months, age,
        # 611,953 shares no factor with 900,000: every number comes once before any comes twice.
        100_000 + (i * 611_953 + 421_585) % 900_000,
        _us_date(bound), pick(u, figures.POLICY_STATES), pick(u, figures.CSL), pick(u, figures.DEDUCTIBLES),
        round(min(max(1256.4 + 244.2 * _z(u), 433.33), 2047.59), 2), pick(u, figures.UMBRELLA),
        zip_low + int(next(u) * (zip_high - zip_low)), "FEMALE" if next(u) < 0.537 else "MALE",
        pick(u, figures.EDUCATION), pick(u, figures.OCCUPATIONS), hobby, pick(u, figures.RELATIONSHIPS),
        _capital(u, 0.508, 51_100, 15_900, 800), -_capital(u, 0.475, 51_000, 16_300, 5_700),
        _us_date(incident), kind, collision if crash else "?", severity, pick(u, figures.AUTHORITIES[crash]),
        pick(u, figures.STATES), pick(u, figures.CITIES),
        f"{1000 + int(next(u) * 9000)} {pick(u, figures.STREETS)} {pick(u, figures.WAYS)}",
        pick(u, dict(enumerate(figures.HOURS[crash]))), vehicles if kind.startswith("Multi") else 1,
        pick(u, figures.YES_NO),
        int(next(u) * 3), witnesses, pick(u, figures.YES_NO), injury + damage + vehicle, injury, damage, vehicle,
        make, model, 1995 + int(next(u) * 21), "Y" if fraud else "N", None,
        f"{first} {last}", f"{first}.{last}{line}@example.com".lower(), f"({212 + line % 700}) 555-01{line % 100:02d}",
    )  # fmt: skip


def _fraud_rate(severity: str, hobby: str, witnesses: int) -> float:
    major = severity == "Major Damage"
    rate = figures.FRAUD_HOBBY_RATE[major] if hobby in figures.FRAUD_HOBBIES else figures.FRAUD[severity]
    # Without major damage, fraud is more often "seen" by exactly two witnesses: odds 1.6 to 1 in the real file.
    odds = rate / (1 - rate) * (1.0 if major else 1.6 if witnesses == 2 else 0.85)
    return odds / (1 + odds)


def _amounts(u: Iterator[float], crash: bool) -> tuple[int, int, int]:
    """Injury, property and vehicle: small multiples of one amount, which is how the real file is built."""
    mean, sd, low, high = (63_000, 16_000, 18_000, 114_900) if crash else (5_400, 1_720, 100, 10_790)
    total = min(max(mean + sd * _z(u), low), high)
    shares = [pick(u, {1: 52, 2: 44, 0: 4}), pick(u, {1: 54, 2: 42, 0: 4}), pick(u, {7: 58, 8: 42})]
    unit = max(10, round(total / sum(shares) / 10) * 10)
    return shares[0] * unit, shares[1] * unit, shares[2] * unit


def _capital(u: Iterator[float], none: float, mean: float, sd: float, low: int) -> int:
    nothing, amount = next(u) < none, mean + sd * _z(u)
    return 0 if nothing else max(low, round(amount / 100) * 100)


def _z(u: Iterator[float]) -> float:
    """Return a standard normal value; a uniform of exactly 0 has none and becomes the smallest there is."""
    return _NORMAL.inv_cdf(max(next(u), 2.0**-53))


def _clip(value: float, low: int, high: int) -> int:
    return min(max(math.floor(value + 0.5), low), high)


def _us_date(day: dt.date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def main(argv: Sequence[str] | None = None) -> int:
    """Write a CSV file; see the module's docstring."""
    flags = {"contacts": "add invented names, e-mail addresses, telephones"}
    return _made.command("claims", "Made-up motor claims.", 1000, argv, to_csv, flags)


if __name__ == "__main__":
    raise SystemExit(main())
