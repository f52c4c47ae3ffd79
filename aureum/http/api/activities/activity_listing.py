"""The lists of activities: those of a lead, and those of a contact with all that were merged into it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.commands.leads import NO_LEAD
from aureum.domain.activities import Activity, HasActivities
from aureum.domain.clock import EPOCH
from aureum.domain.contact import Contact
from aureum.domain.ids import MILLISECOND
from aureum.http.api.activities.activity_fields import ActivityFilters
from aureum.http.contract.answers import answer, encoded, living_etag, not_modified
from aureum.http.contract.endpoint import Context
from aureum.http.contract.paging import Place, link, opened_cursor, write_cursor
from aureum.http.contract.resource import loaded
from aureum.projections import activity_list, contact_list, lead_list

LOW_BITS = 64


class Listed(NamedTuple):
    """An activity in a list, and what it belongs to."""

    of: HasActivities
    activity: Activity

    @property
    def place(self) -> int:
        """The sort key, which fits into a cursor: when it happened, then the number, then the id of the contact."""
        since = datetime.fromisoformat(self.activity.happened_at) - EPOCH
        own = self.of.id.int % (1 << LOW_BITS)
        return ((since // MILLISECOND << 20) + self.activity.number << LOW_BITS) + own


async def get_lead_activities(context: Context, lead_id: UUID, filters: ActivityFilters) -> Response:
    """Lists the lead's activities, newest first by ``at``. Removed activities are not listed."""
    lead = (await loaded(context, lead_list.LIST, lead_id, NO_LEAD)).aggregate()
    return listed(context, [lead], filters)


async def get_contact_activities(context: Context, contact_id: UUID, filters: ActivityFilters) -> Response:
    """Lists the activities of the contact and of the contacts that were merged into it, newest first by ``at``. Removed
    activities are not listed."""
    store, tenant_id = context.app.store, context.tenant_id
    contact: Contact = (await loaded(context, contact_list.LIST, contact_id, NO_CONTACT)).aggregate()
    if contact.merged_into is not None:
        contact = (await store.load(tenant_id, contact.merged_into)).aggregate()
    merged = [(await store.load(tenant_id, one)).aggregate() for one in contact.merged_with]
    return listed(context, [contact, *merged], filters)


def listed(context: Context, ofs: list[HasActivities], filters: ActivityFilters) -> Response:
    """The list or a page of it, with its ``Link``. Raises InvalidRequest."""
    path, query = context.request.url.path, context.request.query_params
    bound = (path, context.tenant_id.int, filters.type)
    found = newest(ofs, filters.type)
    if filters.cursor is not None:
        before = opened_cursor(filters.cursor, bound, context.caller.head).after.int
        found = [one for one in found if one.place < before]
    page = found if filters.limit is None else found[: filters.limit]
    others = [(one.id, one.version) for one in ofs[1:]]
    headers = {"ETag": living_etag(ofs[0].version, context.caller.read_version or None, *others)}
    if len(page) < len(found):
        cursor = write_cursor(bound, Place(UUID(int=page[-1].place), 0))
        kept = {name: query[name] for name in ("type",) if name in query}
        headers["Link"] = link(path, {**kept, "limit": filters.limit, "cursor": cursor}, "next")
    body = encoded([activity_list.document(one.of, one.activity) for one in page])
    return not_modified(context.request, headers["ETag"]) or answer(body, headers=headers)


def newest(ofs: Iterable[HasActivities], type: str | None = None) -> list[Listed]:
    """Those that were not removed, newest first."""
    found = (Listed(of, one) for of in ofs for one in of.activities.values() if type in (None, one.type))
    return sorted(found, key=lambda one: one.place, reverse=True)
