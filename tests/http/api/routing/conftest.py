"""A brokerage with an owner and three agents, and one of the two processes that take its forms."""

from collections.abc import Iterator

import pytest

from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server, served


@pytest.fixture(scope="module")
def server(served_url: str) -> Iterator[Server]:
    """Another process behind the same proxy: forms from many addresses come to either."""
    with served(served_url, trusted_proxies="127.0.0.0/8") as running:
        yield running


@pytest.fixture
def owner(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "brokerage_owner", "Olivia")


@pytest.fixture
def team(operator: Operator, tenant: Tenant) -> list[Staff]:
    return [operator.staff(tenant.id, "agent", name) for name in ("Ana", "Ben", "Cora")]
