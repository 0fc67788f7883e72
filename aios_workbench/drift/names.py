"""What statistics are called: by us, by people, by evidently."""

from __future__ import annotations

from typing import Literal, cast, get_args

from aios_workbench.errors import DriftInputError, hint

StatisticName = Literal[
    "psi",
    "jensenshannon",
    "ks",
    "wasserstein",
    "chisquare",
    "total_variation",
    "hellinger",
    "kl_div",
    "anderson",
    "cramer_von_mises",
    "cramers_v",
    "quantile_shift",
    "null_shift",
    "new_share",
    "mmd",
    "domain_auc",
    "chisquare_one_sample",
    "z",
]

#: evidently's own forms of two tests, for `rules="evidently"`: of no interest where they decide nothing.
THEIRS: tuple[StatisticName, ...] = ("z", "chisquare_one_sample")

#: What a person reads.
WORDS: dict[StatisticName, str] = {
    "psi": "PSI",
    "jensenshannon": "Jensen-Shannon distance",
    "ks": "Kolmogorov-Smirnov",
    "wasserstein": "Wasserstein distance / std",
    "chisquare": "chi-square",
    "total_variation": "total variation",
    "hellinger": "Hellinger distance",
    "kl_div": "Kullback-Leibler divergence",
    "anderson": "Anderson-Darling",
    "cramer_von_mises": "Cramér-von Mises",
    "cramers_v": "Cramér's V",
    "quantile_shift": "quantile shift",
    "null_shift": "null shift",
    "new_share": "share of new values",
    "mmd": "MMD",
    "domain_auc": "domain classifier AUC",
    "chisquare_one_sample": "one-sample chi-square",
    "z": "z test",
}

#: Other names, in lower case without signs: evidently's names of its methods, and what people write.
_ALIASES: dict[str, StatisticName] = {
    "tvd": "total_variation",
    "totalvariationdistance": "total_variation",
    "js": "jensenshannon",
    "jsd": "jensenshannon",
    "jensenshannondistance": "jensenshannon",
    "kolmogorovsmirnov": "ks",
    "kspvalue": "ks",
    "chisquarepvalue": "chisquare",
    "ztestpvalue": "z",
    "andersonpvalue": "anderson",
    "wassersteindistance": "wasserstein",
    "wassersteinnormed": "wasserstein",
    "wassersteindistancenormed": "wasserstein",
    "earthmover": "wasserstein",
    "emd": "wasserstein",
    "w1": "wasserstein",
    "chi2": "chisquare",
    "chisquared": "chisquare",
    "hellingerdistance": "hellinger",
    "kl": "kl_div",
    "kullbackleibler": "kl_div",
    "kullbackleiblerdivergence": "kl_div",
    "andersondarling": "anderson",
    "cvm": "cramer_von_mises",
    "empiricalmmd": "mmd",
    "populationstabilityindex": "psi",
    "ztest": "z",
    "nulls": "null_shift",
    "nullshare": "null_shift",
    "missing": "null_shift",
}

#: Methods that evidently has and we have not.
_THEIRS = ("mannw", "ed", "es", "t_test", "g_test", "fisher_exact")


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


_PLAIN: dict[str, StatisticName] = {_plain(n): n for n in get_args(StatisticName)} | _ALIASES


def statistic_name(name: str) -> StatisticName:
    """Return our name of a statistic, whatever of its names it was called by.

    Raises
    ------
    DriftInputError
        When there is no such statistic.

    Examples
    --------
    >>> statistic_name("TVD"), statistic_name("Wasserstein distance (normed)")
    ('total_variation', 'wasserstein')
    """
    found = _PLAIN.get(_plain(str(name)))
    if found is not None:
        return found
    if name in _THEIRS:
        raise DriftInputError(
            f"the statistic {name!r} is evidently's alone; compare with engine='evidently', or choose one of "
            f"{', '.join(get_args(StatisticName))}"
        )
    known = get_args(StatisticName)
    near = hint(str(name).lower(), [*known, *_ALIASES])
    raise DriftInputError(f"there is no statistic {name!r}{near}; there are {', '.join(known)}")


def words(name: str) -> str:
    """Return what a person reads for a statistic's name."""
    return WORDS.get(cast("StatisticName", name), name)
