"""A visitor of a brokerage's pages, and what the browser complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, ViewportSize

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without the parts that only a window needs. It takes two thirds of the CPU of the whole browser."""

FLAGS = (
    "--no-sandbox",  # it does not start without as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP *.example.com 127.0.0.1",
    # A page that a test makes up came from no address; it may ask the loopback address nonetheless.
    "--ip-address-space-overrides=127.0.0.0/8=public",
)
PATIENCE_MS = 60_000

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)


Scheme = Literal["light", "dark"]


SKIPPED = "Transition was "
"""What Chromium says of a transition between two pages that it gave up, because the machine was busy: no script asked
for one, and the page is shown without."""


@dataclass(frozen=True)
class Visitor:
    """A page in a profile of its own on ``site``; the ``errors`` on its console, and the ``hosts`` that it asked."""

    page: Page
    site: str
    errors: list[str]
    hosts: set[str]

    def go(self, path: str) -> None:
        """Open a page of the site."""
        answer = self.page.goto(self.site + path)
        assert answer is not None and answer.status == 200, path

    def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        held: bool = self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        return held

    def is_content(self) -> bool:
        """Whether no page has complained, nor asked any host but its own. What a policy forbids is a complaint."""
        return self.errors == [] and self.hosts == {urlsplit(self.site).netloc}


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own, without a window."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@contextmanager
def visiting(
    browser: Browser,
    site: str,
    screen: ViewportSize,
    scheme: Scheme = "light",
    *,
    script: bool = True,
    movement: bool = False,
) -> Iterator[Visitor]:
    """A visitor of *site*, which is ``http://`` and a host; with another colour *scheme*, or without *script*. One who
    likes *movement* sees each page fade into the next, which takes as much CPU as all else that the browser does."""
    context = browser.new_context(
        viewport=screen,
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="no-preference" if movement else "reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    visitor = Visitor(context.new_page(), site, [], set())

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            visitor.errors.append(message.text)

    def failed(error: Error) -> None:
        if not str(error).startswith(SKIPPED):
            visitor.errors.append(str(error))

    visitor.page.on("console", heard)
    visitor.page.on("pageerror", failed)
    visitor.page.on("request", lambda request: visitor.hosts.add(urlsplit(request.url).netloc))
    yield visitor
    context.close()
