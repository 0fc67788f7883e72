"""The local model of LIME: weighted ridge regression, with a standard error for every coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aios_workbench.explain.asking import Floats

#: Penalty of the local model, as lime has it.
ALPHA = 1.0


class Fit(NamedTuple):
    """A local model: `coefficients`, `errors` (M, K); `intercept`, `r2` (K,)."""

    coefficients: Floats
    errors: Floats
    intercept: Floats
    r2: Floats


def kernel(squared: Floats, width: float) -> Floats:
    """Weigh samples by their squared distance, as lime does: the square root of an exponential kernel."""
    import numpy as np

    return np.exp(squared / (-2.0 * width**2))


def ridge(design: Floats, answers: Floats, weights: Floats) -> Fit:
    """Fit a weighted ridge regression with an intercept.

    Standard errors are how far the coefficients would move with other draws: the sandwich with leverages taken out
    (HC2: MacKinnon and White, Journal of Econometrics 29, 1985), which holds whatever the model's shape.

    Parameters
    ----------
    design : (S, M) float64
    answers : (S, K) float64
    weights : (S,) float64

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.default_rng(0).normal(size=(4000, 2))
    >>> fit = ridge(z, z @ np.array([[2.0], [0.0]]), np.ones(4000))
    >>> (fit.coefficients.ravel().round(2) + 0.0).tolist(), fit.r2.round(3).tolist()
    ([2.0, 0.0], [1.0])
    """
    import numpy as np

    total = weights.sum()
    if not total > 0:
        # a row so far from all samples that none bears any weight: there is no local model
        none = np.full((design.shape[1], answers.shape[1]), np.nan)
        return Fit(none, none, none[0], none[0])
    shares = weights / total
    center, level = shares @ design, shares @ answers
    apart, away = design - center, answers - level
    weighted = apart * weights[:, None]
    inverse = np.linalg.inv(weighted.T @ apart + ALPHA * np.eye(design.shape[1]))
    coefficients = inverse @ (weighted.T @ away)
    left = away - apart @ coefficients
    # inverse @ (weighted * e)' (weighted * e) @ inverse: only its diagonal is wanted
    pulls = weighted @ inverse
    leverage = np.einsum("sm,sm->s", pulls, apart) + shares
    blown = left**2 / np.maximum(1.0 - leverage, 1e-6)[:, None]
    np.square(pulls, out=pulls)
    errors = np.sqrt(pulls.T @ blown)
    spread, misfit = weights @ away**2, weights @ left**2
    flat = spread <= 1e-24 * np.maximum(level**2, 1e-300) * total
    r2 = np.where(flat, 1.0, 1.0 - misfit / np.where(flat, 1.0, spread))
    return Fit(coefficients, errors, level - center @ coefficients, r2)
