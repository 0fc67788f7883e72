"""Model cards: what a model is for, how good it is and where not, what it leans on, and who let it pass."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench import _util
from aios_workbench.errors import (
    CardIncomplete,
    CorruptExplanationError,
    ExplainError,
    ExplainInputError,
    hint,
)
from aios_workbench.explain import card_parts, card_text, files, summary
from aios_workbench.explain.card_models import REQUIRED, SECTIONS, CardData, Section
from aios_workbench.explain.models import ModelInfo

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation

FORMAT, VERSION = "aios-model-card", 1


class ModelCard:
    """A model card.

    Parameters
    ----------
    data : CardData
        All that is on it; `card.json` holds the same.
    """

    def __init__(self, data: CardData) -> None:
        self.data = data

    @property
    def missing(self) -> list[Section]:
        """Required sections of which nothing is said, in the card's order.

        Metrics without a single interval are missing: a figure alone does not say what it is worth.
        """
        d = self.data
        empty: dict[Section, bool] = {
            "purpose": not d.purpose.strip(), "data": not d.data, "slices": d.slices is None,
            "metrics": not any(m.low is not None and m.high is not None for m in d.metrics),
            "fairness": not d.fairness, "calibration": d.calibration is None,
            "explanation": d.explanation is None, "drift": d.drift is None,
            "limits": not any(x.strip() for x in d.limits), "approvals": not d.approvals, "lineage": d.lineage is None,
        }  # fmt: skip
        return [s for s in SECTIONS if s in d.required and empty[s]]

    @property
    def red(self) -> str:
        """Which checks of the explanation failed, in words; empty where none did."""
        return summary.red_words(self.data.explanation.checks) if self.data.explanation else ""

    def require(self) -> None:
        """Raise when a required section is missing.

        Raises
        ------
        CardIncomplete
            `sections` names them.
        """
        missing = self.missing
        if missing:
            words = {"metrics": "metrics (with intervals)"}
            raise CardIncomplete(
                f"the card of {self.data.name!r} says nothing of {', '.join(words.get(s, s) for s in missing)}; give "
                f"aios.model_card({', '.join(_ARGUMENT.get(s, s) + '=…' for s in missing)})",
                sections=missing,
            )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict, with format, version and checksum."""
        content = _util.plain(self.data.model_dump(mode="json"))
        return {"format": FORMAT, "version": VERSION, "sha256": _util.sealed(content), "card": content}

    def to_json(self) -> str:
        """Return the JSON twin."""
        return _util.strict(self.to_dict()) + "\n"

    def to_markdown(self, folder: str | None = None) -> str:
        """Return the card as Markdown; its pictures are in `folder`, or in the text itself."""
        return card_text.markdown(self.data, self.missing, self.red, folder)

    def save(self, path: str | Path) -> Path:
        """Write the card, its JSON twin beside it, and its pictures into a folder: card.md, card.json, card_pictures/.

        An incomplete card is written as well and says so; it does not pass the promotion gate.

        Raises
        ------
        ExplainError
            When a file cannot be written.
        """
        path = Path(path).expanduser()
        if path.suffix.lower() == ".json":
            path = path.with_suffix(".md")
        folder = f"{path.stem}_pictures"
        for picture in self.data.pictures:
            _util.write_whole(path.parent / folder / f"{picture.name}.svg", picture.svg, ExplainError)
        _util.write_whole(path, _encodable(self.to_markdown(folder.replace(" ", "%20"))), ExplainError)
        _util.write_whole(path.with_suffix(".json"), self.to_json(), ExplainError)
        return path

    def log(self, run_id: str | None = None, *, prefix: str = "card") -> str:
        """Log the card, its twin and its pictures to an MLflow run; return the run's id.

        Raises
        ------
        ExplainError
            When mlflow is not installed, or the tracking server refused.
        """
        from aios_workbench.explain import mlflow_log

        return mlflow_log.log_card(self, run_id, prefix=prefix)

    def _repr_markdown_(self) -> str:
        return _encodable(self.to_markdown())

    def __repr__(self) -> str:
        missing = self.missing
        state = f"incomplete: {', '.join(missing)}" if missing else "complete"
        return f"<ModelCard {self.data.name!r}: {state}{'; ' + self.red if self.red else ''}>"


#: Sections that are called something else as an argument.
_ARGUMENT = {"lineage": "run"}


def model_card(
    model: Any = None, *, name: str | None = None, version: str | None = None, owner: str = "",
    license: str | None = None,  # noqa: A002 - the hub's own name of it
    tags: Iterable[str] = (), purpose: str = "", data: Any = None, metrics: Any = None, slices: Any = None,
    fairness: Any = None, calibration: Any = None, explanation: Explanation | None = None, drift: Any = None,
    limits: str | Sequence[str] = (), approvals: Any = None, run: Any = None,
    pictures: Sequence[str] = ("importance", "beeswarm", "compare"), required: Sequence[Section] = REQUIRED,
    redact: Callable[[str], str] | None = None, workspace: Any = None, **unknown: Any,
) -> ModelCard:  # fmt: skip
    """Write a model's card.

    Parameters
    ----------
    model
        The model, or its address; by itself the one that was explained. Its type is told, nothing else.
    purpose : str
        What it is for, and what not.
    data
        A sentence, a frame (rows, columns and hash are kept, no value), or several by name: ``{"training": X, …}``.
    metrics
        ``{"auc": (0.91, 0.89, 0.93)}`` or ``(y, predicted)`` or ``(y, predicted, scores)``, of which figures with their
        95 % intervals are computed.
    slices, fairness, calibration
        Answers of ``explanation.slices(…)``, ``.fairness(…)`` (or several) and ``.calibration(…)``, or a sentence.
    explanation : Explanation
        What it leans on, with every check; a red one stands at the top of the card. No row of it is on the card.
    drift
        A report of `aios.drift.compare`, or a sentence.
    limits : str or sequence of str
        Where it must not be used, what it cannot do.
    approvals
        Names, or mappings with `by`, `decision`, `at`, `what`, `reason`; those at the gates of `run` are added.
    run : Run or str, optional
        The run that made the model: its code, data and approvals are named.
    pictures : sequence of str
        Pictures of the explanation, after those pinned in its widget.
    required : sequence of str
        Sections without which the card is incomplete.
    redact : callable, optional
        Cleans every text: ``lambda text: govern.redact(text).data``.

    Returns
    -------
    ModelCard

    Raises
    ------
    ExplainInputError
        For what does not fit, naming it.

    Examples
    --------
    >>> card = model_card(name="claims", purpose="Sorts claims by urgency.", metrics={"auc": (0.91, 0.89, 0.93)})
    >>> card.missing
    ['data', 'slices', 'explanation', 'drift', 'limits', 'lineage']
    >>> card.to_markdown().splitlines()[-1]
    '**Missing.**'
    """
    known = [k for k in model_card.__annotations__ if k not in ("unknown", "return")]
    for option in unknown:
        raise ExplainInputError(
            f"a model card has no {option!r}{hint(option, known)}; it has {', '.join(known)}"
        )
    odd = [s for s in required if s not in SECTIONS]
    if odd:
        raise ExplainInputError(
            f"a card has no section {odd[0]!r}{hint(str(odd[0]), SECTIONS)}; there are {', '.join(SECTIONS)}"
        )
    of = None if run is None else str(getattr(run, "id", run))
    told = [limits] if isinstance(limits, str) else list(limits)
    notes: list[str] = []
    drawn = card_parts.pictures(explanation, pictures, notes) if explanation is not None else []
    info = _model(model, explanation)
    sets = card_parts.datasets(data)
    groups = [fairness] if isinstance(fairness, str) or hasattr(fairness, "words") else list(fairness or [])
    made = CardData(
        name=name or (info.title if info else "model"), version=version, created_at=time.time(), owner=owner,
        license=license, tags=[str(t) for t in tags], task=explanation.data.task if explanation is not None else None,
        model=info, purpose=purpose, data=sets, metrics=card_parts.metrics(metrics),
        slices=card_parts.findings(slices, "slices"),
        fairness=[f for g in groups if (f := card_parts.findings(g, "fairness")) is not None],
        calibration=card_parts.findings(calibration, "calibration"),
        explanation=None if explanation is None else card_parts.explained(explanation), pictures=drawn,
        drift=card_parts.drift_state(drift), limits=[str(x) for x in told if str(x).strip()],
        approvals=card_parts.approvals(approvals, of, workspace),
        lineage=card_parts.lineage(explanation, of, sets, workspace), required=list(required),
    )  # fmt: skip
    if made.explanation is not None:
        made.explanation.notes = [*made.explanation.notes, *notes]
    return ModelCard(made if redact is None else _cleaned(made, redact))


def load_card(path: str | Path) -> ModelCard:
    """Read a card's JSON twin; of ``card.md`` the ``card.json`` beside it.

    Raises
    ------
    NotFoundError
        When it is not there.
    CorruptExplanationError
        When it is something else, damaged or changed by hand, or of a newer version.
    """
    path = Path(path).expanduser().with_suffix(".json")
    remedy = "Make it again with card.save(path)"
    try:
        found = json.loads(files.read(path))
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise CorruptExplanationError(f"{path} is no model card. {remedy}")
        if found.get("version") != VERSION:
            raise CorruptExplanationError(
                f"{path} has version {found.get('version')!r} of its format, this aios-workbench reads {VERSION}; "
                "upgrade aios-workbench, or make it again"
            )
        if _util.sealed(found.get("card")) != found.get("sha256"):
            raise CorruptExplanationError(f"{path} was changed after it was written. {remedy}")
        return ModelCard(CardData.model_validate(found["card"]))
    except (ValueError, RecursionError) as e:
        first = str(e).splitlines()[0][:200]
        raise CorruptExplanationError(f"{path} holds no model card ({first}). {remedy}") from e


def _model(model: Any, explanation: Explanation | None) -> ModelInfo | None:
    if model is None:
        return explanation.data.model if explanation is not None else None
    if isinstance(model, ModelInfo):
        return model
    if isinstance(model, str):
        known = explanation.data.model if explanation is not None else ModelInfo(type="", title=model)
        return known.model_copy(update={"uri": model})
    if explanation is not None:
        return explanation.data.model
    kind = type(model)
    return ModelInfo(type=f"{kind.__module__}.{kind.__qualname__}", title=kind.__name__)


def _cleaned(data: CardData, redact: Callable[[str], str]) -> CardData:
    kept = {
        "hash", "model_hash", "data_hash", "background_hash", "code_hash", "svg", "level", "scale", "task", "required",
        "stopped", "fingerprint", "id",
    }  # fmt: skip
    content = data.model_dump(mode="json")

    def clean(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, Mapping):
            return {k: clean(v, (*path, k)) for k, v in value.items()}
        if isinstance(value, list):
            return [clean(v, path) for v in value]
        fixed = path[-1] in kept or path[-2:] in (
            ("method", "name"),
            ("checks", "name"),
            ("pictures", "name"),
        )
        return str(redact(value)) if isinstance(value, str) and not fixed else value

    return CardData.model_validate(clean(content, ("card",)))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
