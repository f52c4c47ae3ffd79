"""The two processes of ``tests/http`` without a limit of forms, since all forms come from one address here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.every.sample import Sample
from tests.http.operator import Operator
from tests.http.serving import Server, served
from tests.logins import login_that_owns_nothing

SITE = Path(__file__).parent / "site"


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process that clients reach themselves. It logs in to the database as a role that owns nothing."""
    with served(
        login_that_owns_nothing(served_url), None, None, SITE, form_rate_limit="0", webhook_limit="0"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def proxied(served_url: str) -> Iterator[Server]:
    """Another process, behind a proxy on this machine."""
    given = {"form_rate_limit": "0", "webhook_limit": "0", "trusted_proxies": "127.0.0.0/8"}
    with served(served_url, None, None, SITE, **given) as running:
        yield running


@pytest.fixture(scope="module")
def sample(server: Server, operator: Operator) -> Sample:
    """A brokerage of the module's own."""
    return Sample(server, operator, operator.brokerage())
