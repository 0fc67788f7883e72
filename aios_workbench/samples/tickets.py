"""Support tickets with the answers that agents gave, made up: to search in, to answer from, to test against.

An invented maker of home devices is written to about six products in twenty ways. Each ticket has what the agent
answered and a resolution, the label. As in a real help desk, people mistype, send the same thing twice, leave
subjects empty, write what may mean anything, and put names, addresses and telephone numbers into the text. Agents
settle one in twenty-five otherwise than the others would. About one text in a hundred is hostile: HTML, SQL, a
formula, an order to a language model, noise. Such text is data: what reads it has to bear it.

Randomness comes from PCG64's uniform doubles alone, and each ticket takes the same number of them: see
`aios_workbench.samples.claims`. So the first 100 tickets are the same whether 100 or 10,000 are asked for.

    python -m aios_workbench.samples.tickets --rows 5000 --seed 7 -o tickets.csv
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.samples import _claims_figures as people
from aios_workbench.samples import _made
from aios_workbench.samples import _tickets_words as words
from aios_workbench.samples._made import pick, whole

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "ticket_id", "created_at", "channel", "product", "customer_name", "customer_email", "subject", "body", "intent",
    "answer", "resolution", "minutes",
)  # fmt: skip
RESOLUTIONS = tuple(sorted({kind.resolution for kind in words.KINDS.values()}))

_DRAWS = 64
_START = dt.datetime(2025, 1, 2, 6, tzinfo=dt.UTC)
_EVERY = 17 * 60  # seconds between tickets
_TWICE, _ODD, _VAGUE, _OTHERWISE = 0.02, 0.01, 0.07, 0.04


def generate(rows: int = 5000, seed: int = 7) -> pd.DataFrame:
    """Return made-up support tickets, the oldest first.

    Parameters
    ----------
    rows : int
        How many.
    seed : int
        Same seed, same tickets, on every machine.

    Returns
    -------
    pandas.DataFrame
        (rows, 12): `COLUMNS`. `answer` is what the agent wrote, `resolution` one of `RESOLUTIONS`, `minutes` what it
        took. Texts may hold anything, also HTML and control characters.

    Raises
    ------
    ParameterError
        When `rows` or `seed` is negative or not a whole number.

    Examples
    --------
    >>> generate(300).loc[1, ["product", "resolution"]].tolist()
    ['Pulse watch', 'trace_refund']
    """
    import pandas as pd

    return pd.DataFrame.from_records(list(_rows(rows, seed)), columns=list(COLUMNS))


def write(path: str | Path, rows: int = 5000, seed: int = 7) -> Path:
    """Write made-up tickets as CSV and return the path; the arguments are those of `generate`.

    The file is replaced whole: nobody ever reads half of it.
    """
    return _made.replace(path, to_csv(rows, seed))


def to_csv(rows: int = 5000, seed: int = 7) -> bytes:
    """Return made-up tickets as the bytes of a CSV file; the arguments are those of `generate`."""
    return _made.csv_bytes(COLUMNS, _rows(rows, seed))


def _rows(rows: int, seed: int) -> Iterator[tuple[Any, ...]]:
    recent: list[tuple[Any, ...]] = []
    for i, u in _made.streams("tickets", rows, seed, _DRAWS):
        twice, which = next(u), int(next(u) * 40)
        ticket = _ticket(i, u)
        if twice < _TWICE and which < len(recent):  # sent again: another number and time, the same words
            again = dict(zip(COLUMNS, recent[-1 - which], strict=True))
            again |= {"ticket_id": ticket[0], "created_at": ticket[1], "channel": ticket[2]}
            ticket = tuple(again.values())
        yield ticket
        recent = [*recent[-39:], ticket]


def _ticket(i: int, u: Iterator[float]) -> tuple[Any, ...]:
    at = _START + dt.timedelta(seconds=i * _EVERY + int(next(u) * _EVERY))
    first, last, line = pick(u, people.FIRST), pick(u, people.LAST), int(next(u) * 10_000)
    channel, product, boxed = pick(u, words.CHANNELS), pick(u, words.PRODUCTS), pick(u, words.BOXED)
    intent = pick(u, {name: kind.weight for name, kind in words.KINDS.items()})
    kind = words.KINDS[intent]
    product = boxed if kind.boxed and product not in words.BOXED else product
    fill = {
        "name": f"{first} {last}", "first": first, "email": f"{first}.{last}{line}@example.com".lower(),
        "phone": f"({212 + line % 700}) 555-01{line % 100:02d}", "thing": product, "order": f"AB-{whole(u, 10_000)}",
        "money": f"{4 + whole(u, 0, 40_000) / 100:.2f} EUR", "days": whole(u, 3, 30), "hours": whole(u, 2, 11),
        "few": whole(u, 2, 6), "percent": whole(u, 11, 91), "code": f"E{whole(u, 100, 1000)}",
    }  # fmt: skip
    said, more = pick(u, kind.says).format(**fill), pick(u, words.AROUND).format(**fill)
    opening, closing = pick(u, words.OPENINGS), pick(u, words.CLOSINGS).format(**fill)
    hostile, vague = (pick(u, says).format(**fill) for says in (words.HOSTILE, words.VAGUE))
    odd = next(u)
    if odd < _ODD:
        said, more = hostile, ""
    elif odd < _ODD + _VAGUE:
        said = vague
    plain = odd >= _ODD + _VAGUE
    subject = _subject(next(u), intent if plain else "Question", said, product)
    parts = (opening, _mistyped(u, said, next(u)), more, closing)
    body = (" " if channel == "chat" else "\n").join(p for p in parts if p)
    otherwise, other = next(u), pick(u, tuple(words.KINDS.values()))
    settled = other if otherwise < _OTHERWISE else kind
    greeting, agent = pick(u, words.GREETINGS).format(**fill), pick(u, words.AGENTS)
    answer = f"{greeting}\n{settled.answer.format(**fill)}\nKind regards, {agent}"
    minutes = max(1, round(settled.minutes * (0.6 + next(u))))
    return (
        f"T-{100_001 + i}", at.strftime("%Y-%m-%d %H:%M:%S"), channel, product, fill["name"], fill["email"], subject,
        body, intent, answer, settled.resolution, minutes,
    )  # fmt: skip


def _subject(x: float, intent: str, said: str, product: str) -> str:
    """Half of all subjects say something, some only the product, some nothing."""
    if x < 0.35:
        return f"{product}: {intent}"
    if x < 0.6:
        return " ".join(said.split()[:5])[:60]
    return product if x < 0.75 else "Question" if x < 0.85 else "Help!!" if x < 0.9 else ""


def _mistyped(u: Iterator[float], text: str, x: float) -> str:
    """Make up to three slips of the fingers: a letter lost, doubled, or swapped with the next."""
    slips = 0 if x < 0.45 else 1 if x < 0.75 else 2 if x < 0.9 else 3
    for n in range(3):
        where, how = next(u), next(u)  # drawn even when not used: each ticket takes the same number
        at = int(where * len(text))
        if n >= slips or at + 1 >= len(text) or not text[at : at + 2].isalpha():
            continue
        a, b = text[at], text[at + 1]
        text = text[:at] + (b if how < 0.34 else a + a + b if how < 0.67 else b + a) + text[at + 2 :]
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Write a CSV file; see the module's docstring."""
    return _made.command("tickets", "Made-up support tickets.", 5000, argv, to_csv)


if __name__ == "__main__":
    raise SystemExit(main())
