"""The icons of the pages: Heroicons, drawn within the page. Each stands beside a word that says the same, so that
screen readers skip it."""

from functools import lru_cache

from heroicons.jinja import heroicon_mini, heroicon_outline
from markupsafe import Markup

MOST = 512


@lru_cache(MOST)
def drawn(name: str, size: int, attributes: tuple[tuple[str, object], ...]) -> Markup:
    """An icon with its attributes, on one line."""
    shown = {"class": "icon", "aria-hidden": "true"} | dict(attributes)
    svg = heroicon_mini(name, size=size, **shown) if size == 20 else heroicon_outline(name, size=size, **shown)
    return Markup("".join(line.strip() for line in svg.splitlines()))  # noqa: S704 - the package's own drawing


def icon(name: str, **attributes: object) -> Markup:
    """An icon of 24 pixels, in outline."""
    return drawn(name, 24, tuple(attributes.items()))


def small_icon(name: str, **attributes: object) -> Markup:
    """An icon of 20 pixels, filled, to stand in a line of text."""
    return drawn(name, 20, tuple(attributes.items()))
