"""Reads HTML that must run nothing and ask nobody."""

from __future__ import annotations

from html.parser import HTMLParser


class Tags(HTMLParser):
    """Collects the tags of a document, and refuses what runs."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert tag not in {"script", "iframe", "object", "link", "base"}
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"href", "src"} or (value or "").startswith("data:image/svg+xml;base64,")
