"""A brokerage with a contact, and its client, who signs in by the code of the mail."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.portal.client import Client, client_at
from tests.http.serving import Server, served
from tests.logins import login_that_owns_nothing


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process that browsers reach themselves, with a login of the database that owns nothing."""
    with served(login_that_owns_nothing(served_url)) as running:
        yield running


@pytest.fixture
def uncounted(operator: Operator) -> Iterator[None]:
    """All tests ask from one address."""
    yield
    operator.rows("DELETE FROM login_failures RETURNING 1")


@pytest.fixture
def contact(server: Server, tenant: Tenant) -> dict[str, Any]:
    """A contact that the brokerage's program has entered."""
    new = {"firstName": "Nora", "lastName": "Lindqvist", "email": f"nora@{tenant.slug}.example.net", "type": "BUYER"}
    answer = server.by_key(tenant, "POST", "/api/contacts", new)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


@pytest.fixture
def visitor(uncounted: None, server: Server, operator: Operator, tenant: Tenant, contact: dict[str, Any]) -> Client:
    """The contact's browser, before it asks."""
    return client_at(server, operator, tenant, contact["email"])


@pytest.fixture
def client(visitor: Client) -> Client:
    """The contact, signed in."""
    return visitor.signs_in()
