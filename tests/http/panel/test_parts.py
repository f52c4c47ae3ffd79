"""The page of the documentation that shows every part of the panel is as the templates make it now; the modules are
small."""

import re

from aureum.http.panel.assets import modules
from tests.browser.parts import FILE, parts_page

STYLE_SHEET = re.compile("<link[^>]*>\\n")
"""They are linked, and so never old."""


def test_the_page_of_parts_is_current() -> None:
    written, made = (STYLE_SHEET.sub("", text) for text in (FILE.read_text(), parts_page() + "\n"))
    assert written == made, "Make it again: .venv/bin/python -m tests.browser.parts"


def test_it_shows_every_part() -> None:
    parts = (FILE.parents[1] / "aureum" / "http" / "panel" / "templates" / "parts.html").read_text()
    names = re.findall(r"{% macro (\w+)", parts.partition("{% macro once_field")[0])
    shown = (FILE.parents[1] / "tests" / "browser" / "parts_page.html").read_text()
    assert len(names) >= 10 and [name for name in names if not re.search(rf"{{[{{%].*\b{name}\(", shown)] == []


def test_all_modules_together_are_small() -> None:
    assert sum(len(module.content) for module in modules().values()) < 30_000
