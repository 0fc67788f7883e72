"""A picture as a list of shapes, written as SVG or as PNG: the same shapes, the same bytes for the same data.

PNG is drawn by Pillow, which comes with lime, in the font that matplotlib brings: no browser, no server, no network.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.widgets.svg import FONT, fitted, text

#: Name of an ink -> colour on white, and on dark (4.5:1 at least where it is text).
INKS = {
    "paper": ("#ffffff", "#1b1f24"), "text": ("#1f2328", "#f0f3f6"), "quiet": ("#57606a", "#a9b3be"),
    "line": ("#d0d7de", "#5b636d"), "up": ("#b93a06", "#ff9e64"), "down": ("#0860ca", "#6cb6ff"),
    "lime": ("#6639ba", "#d2a8ff"), "ok": ("#116329", "#6fdd8b"), "warn": ("#8a4600", "#f0a35e"),
    "fail": ("#a40e26", "#ff9a94"), "skipped": ("#57606a", "#a9b3be"), "none": ("#8c959f", "#8c959f"),
    "size": ("#0f766e", "#4fd1c0"),
}  # fmt: skip
#: Shades of a value from low to high: ends and middle, on white and on dark.
_LOW, _MIDDLE, _HIGH = ("#3730a3", "#a5b4ff"), ("#9a8fa8", "#b3abbd"), ("#d97706", "#ffb454")
SHADES = 9
#: Colours of categories, which no form of colour-blindness confuses (Okabe and Ito).
_CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800")

Point = tuple[float, float]


@dataclass
class Canvas:
    """Shapes on a sheet of `width` by `height`; `title` is what a reader is told who cannot see it.

    Examples
    --------
    >>> c = Canvas(100, 20, "two bars")
    >>> c.rect(0, 0, 60, 8, "up")
    >>> c.svg().startswith("<svg"), c.png()[:4] == bytes([137]) + b"PNG"
    (True, True)
    """

    width: float
    height: float
    title: str
    shapes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def rect(
        self, x: float, y: float, w: float, h: float, ink: str, *, hollow: bool = False, faint: bool = False
    ) -> None:
        """Draw a bar."""
        self.shapes.append(
            ("rect", {"x": x, "y": y, "w": max(w, 0.0), "h": h, "ink": ink, "hollow": hollow, "faint": faint})
        )

    def line(self, points: Sequence[Point], ink: str, *, width: float = 1.0, dashed: bool = False) -> None:
        """Draw a line through points."""
        if len(points) > 1:
            self.shapes.append(
                ("line", {"points": list(points), "ink": ink, "width": width, "dashed": dashed})
            )

    def area(self, points: Sequence[Point], ink: str, *, faint: bool = False) -> None:
        """Draw a filled shape."""
        self.shapes.append(("area", {"points": list(points), "ink": ink, "faint": faint}))

    def dots(self, points: Sequence[Point], ink: str, *, size: float = 4.0) -> None:
        """Draw dots of one colour."""
        if points:
            self.shapes.append(("dots", {"points": list(points), "ink": ink, "size": size}))

    def text(
        self, x: float, y: float, said: str, letters: int = 200, *, ink: str = "text", anchor: str = "start",
        size: float = 12, bold: bool = False,
    ) -> None:  # fmt: skip
        """Write one line, cut to a width; `y` is its base line."""
        shown = fitted(" ".join(said.split()) or said.strip(), letters)
        if shown:
            self.shapes.append(
                (
                    "text",
                    {"x": x, "y": y, "said": shown, "ink": ink, "anchor": anchor, "size": size, "bold": bold},
                )
            )

    def put(self, other: Canvas, x: float, y: float) -> None:
        """Draw another canvas at a place on this one."""
        for kind, s in other.shapes:
            moved = dict(s)
            if "points" in s:
                moved["points"] = [(a + x, b + y) for a, b in s["points"]]
            else:
                moved["x"], moved["y"] = s["x"] + x, s["y"] + y
            self.shapes.append((kind, moved))

    # -- written

    def svg(self, *, dark: bool | None = False) -> str:
        """Return an `<svg>` element, self-contained, all text escaped; `dark` None: as the reader's page is."""
        names = dict.fromkeys(str(s["ink"]) for _, s in self.shapes)
        style = _css(list(names), dark=bool(dark))
        paper = "" if dark is None else '<rect width="100%" height="100%" rx="8" class="ex-paper"/>'
        if dark is None:
            style += f"@media (prefers-color-scheme: dark){{{_css(list(names), dark=True)}}}"
        inside = "".join(_SVG[kind](s) for kind, s in self.shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" role="img" font-family="{FONT}">'
            f"<title>{text(self.title)}</title><style>{style}</style>{paper}{inside}</svg>"
        )

    def png(self, *, dark: bool = False, scale: int = 2) -> bytes:
        """Return a PNG of `scale` times the size."""
        import io

        from PIL import Image, ImageDraw

        grown = 2 * scale  # drawn larger, then made smaller: Pillow's lines have no soft edges
        size = (round(self.width * grown), round(self.height * grown))
        image = Image.new("RGB", size, colour("paper", dark=dark))
        draw = ImageDraw.Draw(image)
        for kind, s in self.shapes:
            if kind != "text":
                _PNG[kind](draw, s, grown, dark)
        image = image.resize((size[0] // 2, size[1] // 2), Image.Resampling.BOX)
        draw = ImageDraw.Draw(image)
        for kind, s in self.shapes:  # letters have soft edges of their own
            if kind == "text":
                _write(draw, s, scale, dark)
        out = io.BytesIO()
        image.save(out, "PNG", optimize=True)
        return out.getvalue()


def shade(code: float, *, category: bool = False) -> str:
    """Return the ink of a value's code, 0 to 254; 255 is none.

    Examples
    --------
    >>> shade(0), shade(254), shade(255), shade(3, category=True), shade(40, category=True)
    ('shade0', 'shade8', 'none', 'category3', 'none')
    """
    if code >= 255:
        return "none"
    if category:
        return f"category{int(code)}" if code < len(_CATEGORIES) else "none"
    return f"shade{min(int(code / 255 * SHADES), SHADES - 1)}"


@functools.cache
def colour(ink: str, *, dark: bool) -> str:
    """Return an ink's colour as #rrggbb."""
    if ink.startswith("shade"):
        at = int(ink[5:]) / (SHADES - 1) * 2
        ends = (_LOW, _MIDDLE) if at <= 1 else (_MIDDLE, _HIGH)
        return _mixed(ends[0][dark], ends[1][dark], at if at <= 1 else at - 1)
    if ink.startswith("category"):
        return _CATEGORIES[int(ink[8:])]
    return INKS[ink][dark]


def _mixed(a: str, b: str, share: float) -> str:
    pairs = [(int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)


def _css(names: Sequence[str], *, dark: bool) -> str:
    return "".join(f".ex-{n}{{color:{colour(n, dark=dark)}}}" for n in names) + (
        f".ex-paper{{fill:{colour('paper', dark=dark)}}}"
    )


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _svg_rect(s: dict[str, Any]) -> str:
    look = 'fill="none" stroke="currentColor" stroke-width="1.5"' if s["hollow"] else 'fill="currentColor"'
    faint = ' fill-opacity=".3"' if s["faint"] else ""
    return (
        f'<rect class="ex-{s["ink"]}" x="{s["x"]:.1f}" y="{s["y"]:.1f}" width="{s["w"]:.1f}" height="{s["h"]:.1f}" '
        f"{look}{faint}/>"
    )


def _svg_line(s: dict[str, Any]) -> str:
    dash = ' stroke-dasharray="5 3"' if s["dashed"] else ""
    return (
        f'<path class="ex-{s["ink"]}" d="{_path(s["points"])}" fill="none" stroke="currentColor" '
        f'stroke-width="{s["width"]:g}"{dash}/>'
    )


def _svg_area(s: dict[str, Any]) -> str:
    faint = ' fill-opacity=".3"' if s["faint"] else ""
    return f'<path class="ex-{s["ink"]}" d="{_path(s["points"])}z" fill="currentColor"{faint}/>'


def _svg_dots(s: dict[str, Any]) -> str:
    # a line without length and with round ends is a dot in a third of the bytes of a circle
    d = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in s["points"])
    return (
        f'<path class="ex-{s["ink"]}" d="{d}" stroke="currentColor" stroke-width="{s["size"]:g}" '
        'stroke-linecap="round" fill="none"/>'
    )


def _svg_text(s: dict[str, Any]) -> str:
    anchor = "" if s["anchor"] == "start" else f' text-anchor="{s["anchor"]}"'
    bold = ' font-weight="600"' if s["bold"] else ""
    return (
        f'<text class="ex-{s["ink"]}" x="{s["x"]:.1f}" y="{s["y"]:.1f}" font-size="{s["size"]:g}" fill="currentColor"'
        f"{anchor}{bold}>{text(s['said'])}</text>"
    )


_SVG: dict[str, Callable[[dict[str, Any]], str]] = {
    "rect": _svg_rect, "line": _svg_line, "area": _svg_area, "dots": _svg_dots, "text": _svg_text,
}  # fmt: skip


def _ink(s: dict[str, Any], dark: bool) -> str:
    found = colour(s["ink"], dark=dark)
    return _mixed(colour("paper", dark=dark), found, 0.3) if s.get("faint") else found


def _png_rect(draw: Any, s: dict[str, Any], k: float, dark: bool) -> None:
    box = [s["x"] * k, s["y"] * k, (s["x"] + s["w"]) * k, (s["y"] + s["h"]) * k]
    if s["hollow"]:
        draw.rectangle(box, outline=_ink(s, dark), width=round(1.5 * k))
    else:
        draw.rectangle(box, fill=_ink(s, dark))


def _png_line(draw: Any, s: dict[str, Any], k: float, dark: bool) -> None:
    points = [(x * k, y * k) for x, y in s["points"]]
    width = max(1, round(s["width"] * k))
    if not s["dashed"]:
        draw.line(points, fill=_ink(s, dark), width=width, joint="curve")
        return
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-9)
        for i in range(int(length / (8 * k)) + 1):
            a, b = i * 8 * k / length, min((i * 8 + 5) * k / length, 1.0)
            ends = [(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t) for t in (a, b)]
            draw.line(ends, fill=_ink(s, dark), width=width)


def _png_area(draw: Any, s: dict[str, Any], k: float, dark: bool) -> None:
    draw.polygon([(x * k, y * k) for x, y in s["points"]], fill=_ink(s, dark))


def _png_dots(draw: Any, s: dict[str, Any], k: float, dark: bool) -> None:
    r, ink = s["size"] / 2 * k, _ink(s, dark)
    for x, y in s["points"]:
        draw.ellipse([x * k - r, y * k - r, x * k + r, y * k + r], fill=ink)


def _write(draw: Any, s: dict[str, Any], k: float, dark: bool) -> None:
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[s["anchor"]]
    font = _font(s["size"] * k, bold=s["bold"])
    draw.text(
        (s["x"] * k, s["y"] * k), s["said"].replace("\n", " "), fill=_ink(s, dark), font=font, anchor=anchor
    )


_PNG: dict[str, Callable[[Any, dict[str, Any], float, bool], None]] = {
    "rect": _png_rect, "line": _png_line, "area": _png_area, "dots": _png_dots,
}  # fmt: skip


@functools.cache
def _font(size: float, *, bold: bool) -> Any:
    from pathlib import Path

    import matplotlib as mpl
    from PIL import ImageFont

    # its letters are wider than those of the page's font
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size * 0.9)
