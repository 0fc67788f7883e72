"""What reports as HTML files share: a page that needs nothing else, no kernel, no network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aios_workbench.widgets.svg import text

_CSS = """
:root { color-scheme: light dark }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  background: Canvas; color: CanvasText }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { margin-top: 2rem; font-size: 1.15rem; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: 3px 10px; border-bottom: 1px solid #8886; text-align: left; vertical-align: top }
td:not(:first-child) { white-space: nowrap } td.wide { white-space: normal }
div.scroll { overflow-x: auto }
pre { padding: 10px 12px; border: 1px solid #8886; border-radius: 6px; overflow-x: auto }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px } dd { margin: 0; overflow-wrap: anywhere }
dt { opacity: .75 } tr[data-chosen] { font-weight: 650 }
"""


def document(title: str, *body: str, css: str = "") -> str:
    """Return a whole page; `title` is plain text, `body` HTML that is escaped already."""
    name = text(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_CSS}{css}</style></head><body><h1>{name}</h1>{''.join(body)}</body></html>\n"
    )


def facts(*items: tuple[str, str]) -> str:
    """Return names and values; what has no value is left out."""
    return f"<dl>{''.join(f'<dt>{text(n)}</dt><dd>{text(v)}</dd>' for n, v in items if v)}</dl>"


def listed(said: Iterable[str]) -> str:
    """Return sentences as a list; nothing where there are none."""
    items = "".join(f"<li>{text(n)}</li>" for n in said)
    return f"<ul>{items}</ul>" if items else ""


def table(
    title: str,
    heads: Iterable[str],
    rows: Sequence[Sequence[str]],
    chosen: list[bool] | None = None,
    wide: set[int] | None = None,
    *,
    level: int = 2,
) -> str:
    """Return a table below its title; nothing where it has no rows. The cells of the `wide` columns wrap."""
    if not rows:
        return ""
    body = "".join(
        f"<tr{' data-chosen' if chosen and chosen[i] else ''}>"
        + "".join(
            f"<td{' class=wide' if j in (wide or ()) else ''}>{text(c)}</td>" for j, c in enumerate(row)
        )
        + "</tr>"
        for i, row in enumerate(rows)
    )
    head = "".join(f"<th>{text(h)}</th>" for h in heads)
    name = text(title)
    return (
        f'<h{level}>{name}</h{level}><div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
