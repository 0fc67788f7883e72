"""What speaks against a new version, as e-values: they may be looked at after every run.

An e-value has an expectation of at most 1 while the new version is no worse, and so has the process of them however it
is stopped: the chance that it ever reaches 1/alpha is at most alpha (Ville's inequality; [1]_). A p-value that is
looked at again and again gives no such promise.

References
----------
.. [1] A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference",
   Statistical Science 38(4), 2023.
.. [2] R. Turner, A. Ly, P. Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for optional
   stopping", Journal of Statistical Planning and Inference 230, 2024.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

#: Shares of bad runs of the new version that are reckoned with, all the same likely beforehand.
_RIVALS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99)


def above_share(bad: int, runs: int, share: float) -> float:
    """Return the e-value against "at most `share` of the runs are bad".

    The beta-binomial Bayes factor with a uniform prior on (share, 1): the integral of p^k (1-p)^(n-k) over it, divided
    by 1 - share and by share^k (1-share)^(n-k). Every factor has an expectation of at most 1 for any smaller true
    share too, as it grows with each bad run.

    Parameters
    ----------
    share : float
        0 to 1, 1 excluded; with 0 a single bad run settles it.

    Examples
    --------
    >>> above_share(0, 20, 0.1) < 1 < above_share(8, 20, 0.1), above_share(1, 1, 0.0)
    (True, inf)
    """
    log = _log_above(bad, runs, share)
    return math.inf if log > 700 else math.exp(log)


def _log_above(bad: int, runs: int, share: float) -> float:
    from scipy.special import betaincc, betaln

    if share == 0:
        return math.inf if bad else -math.log(runs + 1)
    tail = float(betaincc(bad + 1, runs - bad + 1, share))
    if tail == 0:
        return -math.inf
    mixture = float(betaln(bad + 1, runs - bad + 1)) + math.log(tail) - math.log1p(-share)
    return mixture - bad * math.log(share) - (runs - bad) * math.log1p(-share)


def worse_than(runs: Iterable[tuple[str, bool]], prior: tuple[int, int] = (0, 0)) -> Iterator[float]:
    """Yield, after every run, the e-value against "the new version has no larger share of bad runs than the base".

    Runs fall into blocks, each as short as one that holds runs of both: n of the new version, k of the base. For one
    and a supposed share q of the new version above q0, the base's as estimated before the block,

        e = P(new; q) P(base; q0) / (P(new; m) P(base; m)),   m = (n q + k q0) / (n + k),

    which is the likelihood ratio of [2]_ for one 2 x 2 table. With x = (p - m) / (m (1 - m)) its expectation is at most
    (1 + (q - m) x)^n (1 + (q0 - m) x)^k <= exp(0) for any share p of the base and any smaller one of the new version.
    The blocks are multiplied for each q, and the products averaged over some q.

    Parameters
    ----------
    runs : iterable of (str, bool)
        In the order in which they ended: "base" or "new", and whether the run was bad.
    prior : tuple of int
        Bad and all runs of the base from before, to estimate q0 with.

    Examples
    --------
    >>> good, bad = ("base", False), ("new", True)
    >>> list(worse_than([good, bad] * 6))[-1] > 20 > list(worse_than([good, ("new", False)] * 6))[-1]
    True
    """
    failed, count = prior[0] + 0.5, prior[1] + 1.0
    products = [0.0] * len(_RIVALS)  # logarithms
    new: list[bool] = []
    base: list[bool] = []
    value = 1.0
    for kind, bad in runs:
        (new if kind == "new" else base).append(bad)
        if new and base:
            known = failed / count
            for i, rival in enumerate(_RIVALS):
                if rival > known:
                    products[i] += _log_block(new, base, rival, known)
            failed, count = failed + sum(base), count + len(base)
            new, base = [], []
            value = _mean_of_exp(products)
        yield value


def _log_block(new: list[bool], base: list[bool], rival: float, known: float) -> float:
    middle = (len(new) * rival + len(base) * known) / (len(new) + len(base))
    total = sum(_log_ratio(bad, rival, middle) for bad in new)
    return total + sum(_log_ratio(bad, known, middle) for bad in base)


def worse_than_before(bad: int, runs: int, before: tuple[int, int], alpha: float) -> float:
    """Return an e-value against "no worse than the base was", where no run of the base goes on beside.

    The base's share is at most the upper limit of Clopper and Pearson at alpha / 2, but for a chance of alpha / 2; the
    e-value against that limit is halved, so that both together err with a chance of alpha at most.

    Parameters
    ----------
    before : tuple of int
        Bad and all runs of the base from before; with none there is nothing to compare with.

    Examples
    --------
    >>> worse_than_before(6, 6, (0, 50), 0.05) > 20 > worse_than_before(6, 6, (3, 5), 0.05)
    True
    """
    from scipy.special import betaincinv

    failed, count = before
    if failed >= count:
        return 0.5
    limit = float(betaincinv(failed + 1, count - failed, 1 - alpha / 2))
    return above_share(bad, runs, limit) / 2


def _log_ratio(bad: bool, one: float, other: float) -> float:
    return math.log(one / other) if bad else math.log1p(-one) - math.log1p(-other)


def _mean_of_exp(logs: list[float]) -> float:
    top = max(logs)
    if top > 700:
        return math.inf
    return math.exp(top) * sum(math.exp(log - top) for log in logs) / len(logs)


def worse_pairs(only_new: int, only_base: int) -> float:
    """Return the e-value against "in a pair of runs, the new version is bad alone no more often than the base alone".

    Pairs in which both were good or both bad say nothing; of the others at most half go against a version that is no
    worse (McNemar), whatever the two runs have in common.
    """
    return above_share(only_new, only_new + only_base, 0.5)
