"""An owner who has logged in."""

import pytest

from tests.http.office import Office, Tenant
from tests.http.panel.reader import Reader, as_staff
from tests.http.serving import Server


@pytest.fixture
def owner(server: Server, office: Office, tenant: Tenant) -> Reader:
    return as_staff(server, office.staff(tenant.id, "brokerage_owner", "Olivia Owner"))
