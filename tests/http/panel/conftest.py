"""A process whose passwords cost little, and an owner who has logged in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff
from tests.http.serving import Server, served
from tests.logins import login_that_owns_nothing


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process that browsers reach themselves. It logs in to the database as a role that owns nothing."""
    with served(login_that_owns_nothing(served_url), None, None, Path(__file__).parent / "site") as running:
        yield running


@pytest.fixture
def owner(server: Server, operator: Operator, tenant: Tenant) -> Reader:
    return as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olivia Owner"))
