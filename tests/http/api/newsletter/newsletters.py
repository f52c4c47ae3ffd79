"""Subscribers of a brokerage's newsletter, and what the log and the read model know of them."""

from typing import Any

from aureum.commands.newsletter import subscribed
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.serving import Answer, Server

EMAIL = "subscriber@example.com"
SUBSCRIBE = "/api/newsletter/subscribe"
UNSUBSCRIBE = "/api/newsletter/unsubscribe"

TYPES = """
SELECT stream_id, type FROM events WHERE tenant_id = %(tenant)s AND type LIKE 'subscriber.%%' ORDER BY position
"""
DOCS = "SELECT doc::json FROM subscriber_list WHERE tenant_id = %(tenant)s ORDER BY subscriber_id"
ERASE = "DELETE FROM subject_keys WHERE tenant_id = %(tenant)s AND subject_id = %(subscriber)s"


def subscribe(server: Server, tenant: Tenant, email: str = EMAIL, **fields: Any) -> Answer:
    """The form with only what is needed, and *fields*."""
    return server.ask("POST", SUBSCRIBE, {"email": email} | fields, host=tenant.domain)


def types(operator: Operator, tenant: Tenant) -> list[str]:
    """What happened to all subscribers, oldest first."""
    return [name.removeprefix("subscriber.") for _, name in operator.rows(TYPES, tenant=tenant.id)]


def docs(operator: Operator, tenant: Tenant) -> list[dict[str, Any]]:
    """The read model."""
    return [doc for (doc,) in operator.rows(DOCS, tenant=tenant.id)]


def links(operator: Operator, tenant: Tenant) -> dict[str, str]:
    """A new link for everybody who is subscribed, by address."""

    async def made(store: EventStore) -> dict[str, str]:
        return {doc["email"]: f"{UNSUBSCRIBE}?token={token}" async for doc, token in subscribed(store, tenant.id)}

    return operator.run(made)


def link(server: Server, operator: Operator, tenant: Tenant, email: str = EMAIL) -> str:
    """The link of a new subscriber."""
    assert subscribe(server, tenant, email).status == 200
    return links(operator, tenant)[email]
