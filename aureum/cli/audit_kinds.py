"""What ``aureum audit`` can replay: how each kind of resource is found, and what its history and its state tell.

Nothing here is kept: it reads the log, where the fields of an erased person read as erased.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aureum.domain import ids

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.domain.aggregate import Aggregate
    from aureum.projections.document_list import DocumentList
    from aureum.store.event_store import Stream
    from aureum.store.postgres.database import Database


@dataclass(frozen=True)
class Reading:
    """The *aggregate* of a kind, its *entries* and its *state*; *by_text* finds the tenant and the stream of what is
    neither a wire id nor unknown, such as a number."""

    aggregate: type[Aggregate]
    entries: Callable[[Stream], list[dict[str, Any]]]
    state: Callable[[Stream], dict[str, Any]]
    by_text: str | None = None


STREAM_OF_ID = "SELECT tenant_id, stream_id FROM events WHERE stream_id = %(id)s AND version = 1"

SHOWING_OF_NUMBER = "SELECT tenant_id, tour_id FROM tour_list WHERE number = %(number)s LIMIT 1"

BROKERAGE_OF_NUMBER = """
SELECT '00000000-0000-0000-0000-000000000000'::uuid, tenant_id FROM brokerages WHERE number = %(number)s
"""
"""Its stream is the platform's."""


async def find(database: Database, reading: Reading, text: str) -> tuple[UUID, UUID] | None:
    """(tenant, stream) by wire id or number; over all tenants, as the owner."""
    stream_id = ids.from_wire(text)
    rows: list[Any] = []
    if stream_id is not None:
        rows = await database.rows(STREAM_OF_ID, {"id": stream_id})
    elif reading.by_text is not None and text.isascii() and text.isdigit() and len(text) <= 18:
        rows = await database.rows(reading.by_text, {"number": int(text)})
    return rows[0] if rows else None


def of_lead() -> Reading:
    """A lead, as its history in the API tells it, and with what only staff see."""
    from aureum.domain.lead import Lead
    from aureum.domain.routing import reasons
    from aureum.http.contract.history import history_of
    from aureum.projections import lead_list

    def state(stream: Stream) -> dict[str, Any]:
        lead = stream.aggregate()
        shown = lead_list.document(lead, lead.id, lead.created_on, lead.modified_on)
        return shown | {
            "number": lead.number,
            "version": lead.version,
            "phoneE164": lead.phone_e164,
            "notes": lead.notes,
            "sourceDomain": lead.source_domain,
            "routing": reasons.shown(lead_list.routed_of(lead), ids.to_wire, whole=True),
            **({"erased": True} if lead.erased else {}),
        }

    return Reading(Lead, history_of, state, lead_list.TENANT_OF_NUMBER)


def of_list(model: DocumentList, by_text: str | None = None) -> Reading:
    """What a list shows."""
    from functools import partial

    from aureum.http.contract.history import history_in

    def state(stream: Stream) -> dict[str, Any]:
        row: dict[str, Any] | None = None
        for recorded in stream.events:
            row = model.step(row, recorded.event)
        assert row is not None
        return {**row["doc"], "version": row["stream_version"]}

    return Reading(model.aggregate, partial(history_in, model), state, by_text)


def of_contact() -> Reading:
    """A contact."""
    from aureum.projections import contact_list

    return of_list(contact_list.LIST)


def of_property() -> Reading:
    """A property."""
    from aureum.projections import property_list

    return of_list(property_list.LIST)


def of_task() -> Reading:
    """A task."""
    from aureum.projections import task_list

    return of_list(task_list.LIST)


def of_showing() -> Reading:
    """A showing, which is a tour."""
    from aureum.projections import tour_list

    return of_list(tour_list.LIST, SHOWING_OF_NUMBER)


def of_states(
    aggregate: type[Aggregate], shown: Callable[[Any], dict[str, Any]], by_text: str | None = None
) -> Reading:
    """What has no list of the log."""
    from functools import partial

    from aureum.http.contract.state_history import states

    def state(stream: Stream) -> dict[str, Any]:
        now = stream.aggregate()
        return {"id": ids.to_wire(now.id), **shown(now), "version": now.version}

    return Reading(aggregate, partial(states, shown=shown), state, by_text)


def of_user() -> Reading:
    """A user, without the password and codes."""
    from aureum.domain.user import User
    from aureum.http.api.staff.managed_users import in_history
    from aureum.projections import users

    return of_states(User, in_history, users.DIRECTORY)


def of_api_key() -> Reading:
    """An API key, without the key."""
    from aureum.domain.api_key import ApiKey
    from aureum.http.api.staff.api_keys import in_history

    return of_states(ApiKey, in_history)


def of_webhook() -> Reading:
    """A webhook, without its secret."""
    from aureum.domain.webhook_endpoint import WebhookEndpoint
    from aureum.http.api.webhooks.endpoints import in_history

    return of_states(WebhookEndpoint, in_history)


def of_brokerage() -> Reading:
    """A brokerage with its routing settings, in which agents are named by their ids."""
    from aureum.domain.brokerage import Brokerage
    from aureum.domain.routing.settings import to_json
    from aureum.http.api.brokerages.brokerages import in_history

    return of_states(
        Brokerage,
        lambda brokerage: in_history(brokerage) | {"routing": to_json(brokerage.routing)},
        BROKERAGE_OF_NUMBER,
    )
