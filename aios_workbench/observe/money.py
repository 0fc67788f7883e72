"""Which of a run's figures are its cost."""

from __future__ import annotations

#: ISO 4217: the currencies in use.
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY
TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


def is_cost(name: str, unit: str | None, *, kpi: bool = False) -> bool:
    """Tell whether a figure is what a run cost: no KPI, and in a currency or named so.

    Examples
    --------
    >>> is_cost("tokens", "USD"), is_cost("llm_cost", None), is_cost("recovered", "EUR", kpi=True)
    (True, True, False)
    """
    low = name.lower()
    return not kpi and (
        unit in CURRENCIES or low == "cost" or low.startswith("cost_") or low.endswith("_cost")
    )
