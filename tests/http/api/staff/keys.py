"""API keys for tests: what a key opens, and the number of its brokerage."""

from tests.http.operator import Operator, Tenant
from tests.http.serving import Server


def number_of(operator: Operator, tenant: Tenant) -> int:
    ((number,),) = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(t)s", t=tenant.id)
    return int(number)


def opens(server: Server, key: str) -> int:
    return server.ask("GET", "/api/me", headers={"Authorization": f"Bearer {key}"}).status
