"""Webhooks for tests, as a brokerage registers them."""

import re
from typing import Any

from aureum.domain.ids import from_wire
from aureum.domain.webhook_endpoint import WebhookEndpoint
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

PATH = "/api/webhooks"
NEW = {"url": "https://example.com/hooks", "events": ["lead.created", "task.*"]}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


FAILING = """
INSERT INTO webhook_lanes (tenant_id, endpoint_id, failing_since) VALUES (%(tenant)s, %(endpoint)s, '2026-01-02 03:04')
ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET failing_since = excluded.failing_since
"""


def made(server: Server, tenant: Tenant, **fields: Any) -> dict[str, Any]:
    """A new webhook, as it was answered."""
    answer = server.by_key(tenant, "POST", PATH, NEW | fields)
    assert answer.status == 201, answer.body
    webhook: dict[str, Any] = answer.json
    return webhook


def changed(server: Server, tenant: Tenant, webhook: dict[str, Any], **fields: Any) -> Answer:
    return server.by_key(tenant, "PATCH", f"{PATH}/{webhook['id']}", fields)


def aggregate(operator: Operator, tenant: Tenant, webhook: dict[str, Any]) -> WebhookEndpoint:
    endpoint_id = from_wire(webhook["id"])
    assert endpoint_id is not None
    found: WebhookEndpoint = operator.run(lambda store: store.load(tenant.id, endpoint_id)).aggregate()
    return found
