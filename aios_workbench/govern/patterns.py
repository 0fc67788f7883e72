"""Where in a text personal data is: patterns with their check sums, and column names that give it away.

Only what has a form is found: a person's name in running text is not (see `redact`). Each pattern is
written to take time linear in the text, whatever the text.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Span(NamedTuple):
    """A piece of text and its normal form, in which spellings of one value agree."""

    start: int
    end: int
    normal: str


# Length by country: the IBAN registry (SWIFT, ISO 13616).
_IBAN_LENGTHS = {
    m[:2]: int(m[2:])
    for m in (  # noqa: SIM905 - reads as the registry's table
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 "
        "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 "
        "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 "
        "NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
        "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "
    ).split()
}

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]++@(?:[\w-]++\.)+(?:xn--[\w-]+|[^\W\d_]{2,}+)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_CARD = re.compile(r"(?<![\w.,+-])\d(?:[ -]?\d){11,18}(?![ -]?\d|\w)")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}(?![\w-])")
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w)")
_IP6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:]*[0-9A-Fa-f])(?:[0-9A-Fa-f]{0,4}:){2,7}"
    r"(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])"
)
_PHONES = (
    re.compile(r"(?<![\w+])(?:\+|00)(?!0)\d(?:[ ().\-/]{0,3}\d){6,14}(?![ -]?\d|\w)"),  # international
    # North America, then national numbers with a trunk 0
    re.compile(r"(?<![\w+.-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])\d{3}[-. ]\d{4}(?![\w-])"),
    re.compile(r"(?<![\w+.,-])(?:\(0(?!0)\d{1,4}\) ?|0(?!0)\d{1,4}[ /-])\d{3}(?:[ -]?\d){2,7}(?![ -]?\d|\w)"),
)


def digits(text: str) -> str:
    """Return the decimal digits, of whatever script, as ASCII."""
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def luhn(number: str) -> bool:
    """Return whether a string of ASCII digits ends in its Luhn check digit (ISO/IEC 7812-1).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for i, c in enumerate(reversed(number)):
        n = int(c) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def is_card(number: str) -> bool:
    """Return whether digits are a payment card's: an issuer's prefix with its length, and the check digit.

    The check digit alone lets one in ten random numbers pass; with prefix and length it is one in forty.
    """
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    n, head = len(number), int(number[:4])
    issued = (
        (number[0] == "4" and n in (13, 16, 19))  # Visa
        or ((51 <= head // 100 <= 55 or 2221 <= head <= 2720) and n == 16)  # Mastercard
        or (head // 100 in (34, 37) and n == 15)  # American Express
        or ((300 <= head // 10 <= 305 or head // 100 in (36, 38, 39)) and n == 14)  # Diners
        or ((head == 6011 or 644 <= head // 10 <= 659) and n in (16, 19))  # Discover
        or (3528 <= head <= 3589 and n == 16)  # JCB
        or (head // 100 == 62 and n in (16, 19))  # UnionPay
    )
    return issued and luhn(number)


def is_iban(text: str) -> bool:
    """Return whether upper-case text without spaces is an IBAN: its country's length and check digits."""
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not (text.isascii() and text.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for m in _EMAIL.finditer(text):
            yield Span(*m.span(), m.group().lower())


def _ibans(text: str) -> Iterator[Span]:
    # Words in capitals may follow an IBAN, so its country says where it ends, not the pattern.
    for m in _IBAN.finditer(text):
        length, taken = _IBAN_LENGTHS.get(m.group()[:2].upper(), 99), ""
        for i in range(m.start(), m.end()):
            taken += text[i].upper() if text[i].isalnum() else ""
            if len(taken) == length:
                if is_iban(taken) and not text[i + 1 : i + 2].isalnum():
                    yield Span(m.start(), i + 1, taken)
                break


def _cards(text: str) -> Iterator[Span]:
    for m in _CARD.finditer(text):
        number = digits(m.group())
        if is_card(number):
            yield Span(*m.span(), number)


def _ssns(text: str) -> Iterator[Span]:
    for m in _SSN.finditer(text):
        yield Span(*m.span(), digits(m.group()))


def _ips(text: str) -> Iterator[Span]:
    for pattern in (_IP4, _IP6) if ":" in text else (_IP4,):
        for m in pattern.finditer(text):
            normal = _ip(m.group())
            if normal:
                yield Span(*m.span(), normal)


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _phones(text: str) -> Iterator[Span]:
    end = 0
    for start, stop, found in sorted((*m.span(), m.group()) for p in _PHONES for m in p.finditer(text)):
        number = digits(found)
        if start >= end and 7 <= len(number) <= 17:
            end = stop
            yield Span(start, stop, normal_phone(found))


def normal_phone(text: str) -> str:
    """Return digits only; `00` and `+` prefixes agree, and so do North American numbers with and without 1.

    Examples
    --------
    >>> normal_phone("+1 (212) 555-0100") == normal_phone("212-555-0100")
    True
    """
    number = digits(text)
    number = number.removeprefix("00")
    return number[1:] if len(number) == 11 and number[0] == "1" else number


#: In the order they are looked for: a long form must not be taken for a shorter one inside it.
FINDERS: dict[str, Callable[[str], Iterator[Span]]] = {
    "email": _emails,
    "iban": _ibans,
    "card": _cards,
    "ssn": _ssns,
    "ip": _ips,
    "phone": _phones,
}

#: The normal form of a whole cell, for columns named as holding that kind.
NORMAL: dict[str, Callable[[str], str]] = {
    "email": lambda s: s.strip().lower(),
    "iban": lambda s: re.sub(r"[\s-]", "", s).upper(),
    "card": lambda s: digits(s) or s.strip(),
    "ssn": lambda s: digits(s) or s.strip(),
    "ip": lambda s: _ip(s.strip()) or s.strip(),
    "phone": lambda s: normal_phone(s) or s.strip(),
    "name": lambda s: " ".join(s.split()).casefold(),
}

_BY_NAME = (
    ("email", re.compile(r"(e_?)?mail(_?(address|addr|id))?")),
    ("phone", re.compile(
        r"(tele)?phone(_?(number|no|nr))?|mobile(_?(number|no|phone))?|cell_?phone|tel|fax(_?number)?|msisdn"
    )),
    ("iban", re.compile(r"iban|(bank_?)?account_?(number|no)")),
    ("card", re.compile(r"((credit|debit|payment)_?)?card_?(number|no)|pan|cc_?(number|num)")),
    ("ssn", re.compile(r"ssn|social_?security(_?(number|no))?|tax_?id|national_?id")),
    ("ip", re.compile(r"ip(v[46])?(_?addr(ess)?)?")),
    ("name", re.compile(
        r"name|(full|first|last|middle|maiden|given|family|birth|legal|display|nick|user|person|personal|patient|"
        r"employee|adjuster|agent|driver|witness|claimant|owner|beneficiary|(policy|card|account)_?holder)_?names?"
        r"|surname|forename|policy_?holder|card_?holder|claimant|vorname|nachname"
    )),
)  # fmt: skip
# Whose it is says nothing about what it is: customer_email is read as email.
_OWNER = re.compile(
    r"(customer|client|contact|insured|holder|home|work|private|business|primary|emergency)_+(?=.)"
)


def kind_of_column(name: object) -> str | None:
    """Return the kind of personal data a column's name says it holds, or None.

    Examples
    --------
    >>> kind_of_column("Contact E-Mail"), kind_of_column("file_name")
    ('email', None)
    """
    if not isinstance(name, str) or len(name) > 100:
        return None
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())
    plain = re.sub(r"\W+", "_", plain).strip("_").lower()
    owner = _OWNER.match(plain)
    for candidate in (plain, plain[owner.end() :] if owner else plain):
        for kind, pattern in _BY_NAME:
            if pattern.fullmatch(candidate):
                return kind
    return None
