"""A server as in ``tests/http``, and a stage on it for every test."""

import pytest

from tests.documents.stage import Cast, Stage
from tests.http.conftest import operator, served_url, server, tenant
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

__all__ = ["operator", "served_url", "server", "tenant"]


@pytest.fixture(scope="session")
def cast(server: Server, operator: Operator) -> Cast:
    """The staff that log in at that server."""
    return Cast(server, operator)


@pytest.fixture
def stage(cast: Cast, tenant: Tenant) -> Stage:
    """A brokerage of the test's own."""
    return Stage(cast, tenant)
