"""What of the panel is looked at, and how: by which role, on which screen, in which colours, with or without script.

``.ci/run`` sees each page in three of them, so that each page meets both screens, both schemes, and a browser that runs
no script, and each role meets each of these. ``make test-browser`` sees each page in all.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from playwright.sync_api import ViewportSize

from aureum.http.panel.page import Page
from aureum.http.panel.pages import PAGES
from tests.browser.visitor import DESKTOP, PHONE, Scheme

ALL = bool(os.environ.get("AUREUM_ALL_COMBINATIONS"))

NO_PAGES = (".csv", ".ics", ":path}", "/pick", "/settings/logo", "/{documentId}", "/pages")
"""What ends like these is a file, nothing, or a part of a page."""

SHOWN: Sequence[Page] = [one for one in PAGES if one.show is not None and not one.path.endswith(NO_PAGES)]
"""The pages that show something."""

SCREENS = (DESKTOP, PHONE)
SCHEMES: Sequence[Scheme] = ("light", "dark")


class Combination(NamedTuple):
    """One way to look at a page."""

    role: str
    screen: ViewportSize
    scheme: Scheme
    script: bool

    def __str__(self) -> str:
        return f"{self.role} {self.screen['width']} {self.scheme} {'script' if self.script else 'no script'}"


def ways(place: int, roles: Sequence[str]) -> Iterator[Combination]:
    """How the page at *place* of all is looked at, by roles that may open it."""
    if ALL:
        for role, screen, scheme, script in product(roles, SCREENS, SCHEMES, (True, False)):
            yield Combination(role, screen, scheme, script)
        return
    turned = place % 2
    yield Combination(roles[place % len(roles)], DESKTOP, SCHEMES[turned], True)
    yield Combination(roles[(place + 1) % len(roles)], PHONE, SCHEMES[1 - turned], True)
    yield Combination(roles[(place + 2) % len(roles)], SCREENS[1 - turned], SCHEMES[place // 2 % 2], False)
