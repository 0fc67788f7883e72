"""What no column shows alone: the domain classifier, reconstruction from components, embeddings, correlations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from aios_workbench.drift.classifier import domain_classifier
from aios_workbench.drift.correlations import changes
from aios_workbench.drift.embedding import cloud
from aios_workbench.drift.encode import comparable, encode, vectors
from aios_workbench.drift.models import (
    CorrelationChange,
    Discrepancy,
    DomainClassifier,
    Kind,
    Multivariate,
    Reconstruction,
    Rules,
)
from aios_workbench.drift.reconstruction import reconstruction

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.models import Verdict

#: Parts of `alpha` the tests may spend, so that all together raise no more false alarms than it allows; the
#: correlations take theirs themselves.
SHARES = {"classifier": 0.4, "pca": 0.2, "embeddings": 0.2}
#: Changes named in the reasons.
_NAMED = 3


def multivariate(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    kinds: Mapping[str, Kind],
    *,
    classifier: bool = True,
    pca: bool = True,
    embeddings: Sequence[str] | Mapping[str, Sequence[str]] = (),
    rules: Rules | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
) -> Multivariate:
    """Compare two samples in all their columns at once.

    Datetimes, texts and ids are not looked at: a time tells any two periods apart, the others have comparisons of their
    own. All tests together spend no more than `rules.alpha` on false alarms.

    Parameters
    ----------
    reference, current : DataFrame
        Samples of the two sides.
    kinds : mapping of str to Kind
        Which columns to look at, and as what.
    classifier, pca : bool
        Whether to train the domain classifier, and to rebuild rows from principal components.
    embeddings : sequence of str or mapping
        Columns of vectors; or names, each with the columns that hold its dimensions.
    progress : callable, optional
        Called with the part that is done and what is going on.

    Raises
    ------
    DriftInputError
        When a column is not there or holds no vectors.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> x, y, z = np.random.default_rng(0).normal(size=(3, 500))
    >>> a, b = pd.DataFrame({"x": x, "y": y}), pd.DataFrame({"x": x, "y": 0.8 * x + 0.6 * z})
    >>> multivariate(a, b, {"x": "numeric", "y": "numeric"}, classifier=False, pca=False).reasons
    ['x and y hang together differently: correlation 0.00 before, 0.79 now']
    """
    rules = rules or Rules()

    def tell(part: float, words: str) -> None:
        if progress is not None:
            progress(part, words)

    tell(0.0, "comparing correlations")
    names = comparable(reference, current, kinds)
    few = min(len(reference), len(current)) < rules.min_rows
    correlations = changes(reference, current, names, rules)
    classified = rebuilt = None
    if classifier or pca:
        both = encode(reference, current, kinds)
        names = list(both.names)
    if classifier:
        classified = domain_classifier(
            both, rules=rules, share=SHARES["classifier"], seed=seed,
            progress=None if progress is None else lambda done, words: tell(0.05 + 0.6 * done, words),
        )  # fmt: skip
    if pca:
        tell(0.65, "rebuilding rows from principal components")
        rebuilt = reconstruction(both, rules=rules, share=SHARES["pca"], seed=seed)
    clouds = []
    named = embeddings if isinstance(embeddings, Mapping) else {name: name for name in embeddings}
    for k, (name, of) in enumerate(named.items()):
        tell(0.75 + 0.25 * k / len(named), f"comparing the vectors of {name}")
        a, b = vectors(reference, of), vectors(current, of)
        clouds.append(cloud(name, a, b, rules=rules, share=SHARES["embeddings"] / len(named), seed=seed))
    tell(1.0, "compared")
    verdicts = [p.verdict for p in (classified, rebuilt, *clouds, *correlations) if p is not None]
    return Multivariate(
        verdict=_worst(verdicts, few=few),
        reasons=_reasons(classified, rebuilt, clouds, correlations, len(names)),
        classifier=classified,
        reconstruction=rebuilt,
        embeddings=clouds,
        correlations=correlations,
    )


def _worst(verdicts: Sequence[Verdict], *, few: bool) -> Verdict:
    for verdict in ("drifted", "small"):
        if verdict in verdicts:
            return verdict
    return "few" if few or (verdicts and all(v == "few" for v in verdicts)) else "stable"


def _reasons(
    classified: DomainClassifier | None,
    rebuilt: Reconstruction | None,
    clouds: Sequence[Discrepancy],
    correlations: Sequence[CorrelationChange],
    columns: int,
) -> list[str]:
    said = []
    if classified is not None and classified.verdict == "drifted":
        most = max((i.importance for i in classified.importances), default=0.0)
        telling = [i.column for i in classified.importances if i.importance > most / 10][:_NAMED]
        by = f", most by {', '.join(telling)}" if telling else ""
        said.append(
            f"a model tells current rows from reference rows: area {classified.auc:.2f} "
            f"({classified.low:.2f} to {classified.high:.2f}){by}"
        )
    changed = [c for c in correlations if c.verdict == "drifted"]
    said += [
        f"{c.a} and {c.b} hang together differently: correlation {c.reference:.2f} before, {c.current:.2f} now"
        for c in changed[:_NAMED]
    ]
    if len(changed) > _NAMED:
        said.append(f"{len(changed) - _NAMED} more pairs hang together differently")
    if rebuilt is not None and rebuilt.verdict == "drifted":
        said.append(
            f"rows are rebuilt with an error of {rebuilt.current:.2f} from {rebuilt.components} components of "
            f"{columns}; the reference's with {rebuilt.reference:.2f}"
        )
    said += [
        f"the vectors of {c.column} lie elsewhere: discrepancy {c.mmd:.2f}"
        for c in clouds
        if c.verdict == "drifted"
    ]
    return said
