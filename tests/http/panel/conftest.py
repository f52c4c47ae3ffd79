"""An owner who has logged in."""

import pytest

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff
from tests.http.serving import Server


@pytest.fixture
def owner(server: Server, operator: Operator, tenant: Tenant) -> Reader:
    return as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olivia Owner"))
