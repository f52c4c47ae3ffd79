"""Two HTTP processes on one database, for all tests that leave nothing behind but brokerages of their own."""

from collections.abc import Iterator

import pytest

from tests.conftest import fresh_database
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served


@pytest.fixture(scope="session")
def served_url(server_url: str, template: str) -> Iterator[str]:
    """The database of both processes."""
    with fresh_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process that clients reach themselves."""
    with served(served_url) as running:
        yield running


@pytest.fixture(scope="session")
def proxied(served_url: str) -> Iterator[Server]:
    """Another process, behind a proxy on this machine."""
    with served(served_url, trusted_proxies="127.0.0.0/8") as running:
        yield running


@pytest.fixture(scope="session")
def operator(served_url: str) -> Iterator[Operator]:
    """The operator."""
    with Operator.opened(served_url) as opened:
        yield opened


@pytest.fixture
def tenant(operator: Operator) -> Tenant:
    """A brokerage of the test's own, on the Elite plan, with a key that may ask often."""
    return operator.brokerage()
