"""A server as in ``tests/http``, and a visitor with a large screen and with a phone."""

from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from aureum.store.event_store import EventStore
from tests.browser.visitor import DESKTOP, PATIENCE_MS, PHONE, Visitor, chromium, visiting
from tests.http.conftest import served_url, server, tenant
from tests.http.operator import Operator, Result, Tenant
from tests.http.serving import Server

__all__ = ["served_url", "server", "tenant"]

# What a page shows may take as long as what a page loads: other tests share the machine.
expect.set_options(timeout=PATIENCE_MS)


class OfficeNextDoor(Operator):
    """An operator in a thread of its own: in that of the tests runs the event loop of Playwright."""

    def run(self, work: Callable[[EventStore], Awaitable[Result]]) -> Result:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(super().run, work).result()


@pytest.fixture(scope="session")
def operator(served_url: str) -> Iterator[Operator]:
    """The operator."""
    with OfficeNextDoor.opened(served_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser(operator: Operator) -> Iterator[Browser]:
    """One for all visitors. It starts after the operator has, and ends before."""
    with sync_playwright() as playwright, chromium(playwright) as running:
        yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def visitor(browser: Browser, server: Server, tenant: Tenant, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A visitor on the brokerage's domain."""
    with visiting(browser, f"http://{tenant.domain}:{server.port}", request.param) as visitor:
        yield visitor
