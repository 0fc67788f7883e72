"""A model card as Markdown: a head in the format of huggingface_hub, then a section for each question."""

from __future__ import annotations

import base64
import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from aios_workbench.explain.card_models import SECTIONS, CardData, Findings, Picture, Section
from aios_workbench.explain.names import SCALES, TASKS
from aios_workbench.explain.summary import MARKS, graver_first

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
#: The hub's names of what a model does.
_TASKS = {
    "binary": "tabular-classification", "multiclass": "tabular-classification", "regression": "tabular-regression",
    "anomaly": "other",
}  # fmt: skip


def plain(text: str) -> str:
    r"""Return any text so that Markdown and HTML show it as it is, on one line.

    Examples
    --------
    >>> plain("a|b <i> *c*")
    'a\\|b &lt;i&gt; \\*c\\*'
    """
    flat = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in str(text)).strip()
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", flat)


def markdown(data: CardData, missing: Sequence[Section], red: str, folder: str | None = None) -> str:
    """Return a card as Markdown.

    Parameters
    ----------
    missing : sequence of str
        Required sections that are empty: named at the top, and where they should be.
    red : str
        Which checks failed.
    folder : str, optional
        Where the pictures are, from the card; None: they are in the text.
    """
    lines = ["---", head(data).strip(), "---", "", f"# {plain(data.name) or 'Model'}", ""]
    if missing:
        named = ", ".join(SECTIONS[s].lower() for s in missing)
        lines += [f"> **Incomplete:** nothing is said of {named}.", ""]
    if red:
        lines += [f"> **{plain(red)}.** See What it leans on.", ""]
    bodies = {
        "purpose": [plain(p) for p in data.purpose.splitlines() if p.strip()],
        "data": _data(data),
        "metrics": _metrics(data),
        "slices": _findings(data.slices),
        "fairness": [x for f in data.fairness for x in [*_findings(f), ""]],
        "calibration": _findings(data.calibration),
        "explanation": _explanation(data, folder),
        "drift": _drift(data),
        "limits": [f"- {plain(x)}" for x in data.limits],
        "approvals": [f"- {_approval(a)}" for a in data.approvals],
        "lineage": _lineage(data),
    }
    for section, title in SECTIONS.items():
        body = bodies[section]
        if body:
            lines += [f"## {title}", "", *body, ""]
        elif section in missing:
            lines += [f"## {title}", "", "**Missing.**", ""]
    return "\n".join(lines).rstrip() + "\n"


def head(data: CardData) -> str:
    """Return the card's head as YAML, written by huggingface_hub where it is installed."""
    fields: dict[str, Any] = {"tags": data.tags, "license": data.license, "library_name": _library(data)}
    task = _TASKS[data.task] if data.task else "other"
    results = [m for m in data.metrics if m.value == m.value]
    dataset = data.data[0].name if data.data else "data"
    try:
        from huggingface_hub import EvalResult, ModelCardData
    except ImportError:
        return _head_without(data, fields)
    made = ModelCardData(
        model_name=data.name or "model", **{k: v for k, v in fields.items() if v},
        eval_results=[
            EvalResult(task_type=task, dataset_type=m.dataset or dataset, dataset_name=m.dataset or dataset,
                       metric_type=m.name, metric_value=m.value, metric_name=m.name)
            for m in results
        ] or None,
    )  # fmt: skip
    return str(made.to_yaml())


def _head_without(data: CardData, fields: dict[str, Any]) -> str:
    import yaml

    content = {k: v for k, v in fields.items() if v} | {"model_name": data.name or "model"}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def _library(data: CardData) -> str | None:
    return data.model.type.partition(".")[0] if data.model and "." in data.model.type else None


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    line = "| " + " | ".join(titles) + " |"
    return [line, "|" + " --- |" * len(titles), *("| " + " | ".join(r) + " |" for r in rows)]


def _data(data: CardData) -> list[str]:
    if not data.data:
        return []
    rows = [
        [plain(d.name), "" if d.rows is None else f"{d.rows:,}", str(len(d.columns) or ""), plain(d.words),
         f"`{d.hash}`" if d.hash and d.hash.replace(":", "").isalnum() else ""]
        for d in data.data
    ]  # fmt: skip
    return _table(["Data", "Rows", "Columns", "What it is", "Hash"], rows)


def _metrics(data: CardData) -> list[str]:
    if not data.metrics:
        return []
    rows = []
    for m in data.metrics:
        known = m.low is not None and m.high is not None
        interval = f"{m.low:.4g} to {m.high:.4g}" if known else "not known"
        count = "" if m.rows is None else f"{m.rows:,}"
        rows.append([plain(m.name), f"{m.value:.4g}", interval, count, plain(m.dataset or "")])
    return _table(["Metric", "Value", "95 % interval", "Rows", "Data"], rows)


def _findings(found: Findings | None) -> list[str]:
    if found is None:
        return []
    lines = [plain(found.words), *(f"- {plain(n)}" for n in found.notes)]
    if found.slices:
        rows = [
            [
                plain(s.words),
                f"{s.rows:,}",
                f"{s.loss:.4g}",
                f"{s.difference:+.4g} ({s.low:+.4g} to {s.high:+.4g})",
            ]
            for s in found.slices
        ]
        lines += ["", *_table(["Rows where", "Rows", "Loss", "More than elsewhere"], rows)]
    return lines


def _explanation(data: CardData, folder: str | None) -> list[str]:
    e = data.explanation
    if e is None:
        return []
    of = f"Of {e.rows:,} rows, output {plain(e.output)}, in {SCALES[e.scale]}, by {plain(e.method.title)}."
    lines = [f"{plain(e.words)}. {of} {plain(e.method.why)}", ""]
    lines += [f"- **{MARKS[c.level]}** {plain(c.title)}: {plain(c.words)}" for c in graver_first(e.checks)]
    lines.append("")
    rows = [
        [str(i.rank), plain(i.column), f"{i.value:.4g}", "" if i.error is None else f"{i.error:.2g}",
         "" if i.lime is None else f"{i.lime:.4g}"]
        for i in e.importance
    ]  # fmt: skip
    lines += _table(["", "Column", "Mean absolute SHAP", "Standard error", "LIME"], rows)
    lines += [x for p in data.pictures for x in ("", f"![{plain(p.title)}]({address(p, folder)})")]
    return lines + [f"- {plain(n)}" for n in e.notes]


def address(picture: Picture, folder: str | None) -> str:
    """Return where a picture is: beside the card, or in it."""
    if folder is not None:
        return f"{folder}/{picture.name}.svg"
    return "data:image/svg+xml;base64," + base64.b64encode(picture.svg.encode()).decode()


def _drift(data: CardData) -> list[str]:
    d = data.drift
    if d is None:
        return []
    verdict = {True: "**Drifted.** ", False: "Not drifted. ", None: ""}[d.drifted]
    sides = f" ({plain(d.current)} against {plain(d.reference)})" if d.reference or d.current else ""
    when = f", {_day(d.created_at)}" if d.created_at is not None else ""
    return [f"{verdict}{plain(d.words)}{sides}{when}", *(f"- {plain(r)}" for r in d.reasons)]


def _approval(a: Any) -> str:
    when = f" on {_day(a.at)}" if a.at is not None else ""
    return f"{plain(a.decision)} by {plain(a.by)}{when}" + "".join(
        f": {plain(x)}" for x in (a.what, a.reason) if x
    )


def _lineage(data: CardData) -> list[str]:
    found = data.lineage
    if found is None:
        return []
    named = {
        "Workflow": found.workflow, "Run": found.run_id, "Code": found.code_hash, "Model": found.model_uri,
        "Model's fingerprint": found.model_hash, "Explained rows": found.data_hash,
        "Background rows": found.background_hash,
        "Made with": ", ".join(f"{k} {v}" for k, v in found.versions.items()),
    }  # fmt: skip
    lines = [f"- {title}: {plain(value)}" for title, value in named.items() if value]
    if data.task:
        lines.insert(0, f"- Task: {TASKS[data.task]}")
    if data.owner:
        lines.insert(0, f"- Owner: {plain(data.owner)}")
    return [
        *lines,
        f"- This card: {_day(data.created_at)}"
        + (f", version {plain(data.version)}" if data.version else ""),
    ]


def _day(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
