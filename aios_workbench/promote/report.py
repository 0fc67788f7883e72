"""What a job run leaves to read: a log that grows while it runs, and the executed notebook as a page."""

from __future__ import annotations

import datetime as dt
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LOG_LIMIT = 20 * 2**20
_NO_SOURCE = re.compile(r'<script src="">\s*</script>')
#: What a cell's output brings along may draw and compute, but neither fetch nor send.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data: blob:; font-src data:; '
    "media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'\">"
)


def plain(text: str) -> str:
    """Return text without terminal colours."""
    return _ANSI.sub("", text)


class Log:
    """The log file of a job run; attempts follow each other in it.

    A full disk does not stop the notebook: what cannot be written is left out, and the log says so once there is room.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._bytes = path.stat().st_size
        self._room = _LOG_LIMIT - self._bytes
        self._fresh_line = True
        self._lost = 0
        self._lock = threading.Lock()

    def place(self) -> int:
        """Return how many bytes the file has: what is written next begins there."""
        with self._lock:
            return self._bytes

    def say(self, text: str) -> None:
        """Write a line of our own, with the time (UTC)."""
        stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        with self._lock:
            start = "" if self._fresh_line else "\n"
            self._put(f"{start}[{stamp}] {text}\n")

    def write(self, text: str) -> None:
        """Write what a cell printed."""
        if not text or self._room <= 0:
            return
        self._room -= len(text)
        with self._lock:
            self._put(plain(text))
        if self._room <= 0:
            self.say(
                f"… more output than {_LOG_LIMIT // 2**20} MB; the rest is in the executed notebook only"
            )

    def _put(self, text: str) -> None:
        if self._lost:
            text = f"\n… {self._lost} characters are missing here: they could not be written, the disk was full\n{text}"
        blob = memoryview(text.encode("utf-8", "replace"))
        try:
            while blob:
                written = self._file.write(blob)
                self._bytes += written
                blob = blob[written:]
        except OSError:
            self._lost += len(text)
            return
        self._lost = 0
        self._fresh_line = text.endswith("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._file.close()


def write_html(book: Any, path: Path, title: str) -> None:
    """Write the executed notebook as one HTML file that asks the network for nothing.

    Outputs are shown as `text/html` first: a widget's static fallback is there, its model is not.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.NbConvertBase.display_data_priority = [
        "text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/latex", "text/plain",
    ]  # fmt: skip
    # Empty addresses switch off what would be fetched from a CDN: MathJax, RequireJS, Mermaid, widgets.
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        config=config, template_name="lab", embed_images=True, mathjax_url="", require_js_url="", jquery_url="",
        mermaid_js_url="", mermaid_layout_elk_js_url="", widget_renderer_url="", jupyter_widgets_base_url="",
    )  # fmt: skip
    body, _ = exporter.from_notebook_node(book, {"metadata": {"name": title}})
    body = _NO_SOURCE.sub("", body).replace("<head>", f"<head>{_POLICY}", 1)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(body, encoding="utf-8")
    temporary.replace(path)
