"""Merging contacts, undoing a merge, and the history of a contact."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field
from starlette.responses import Response

from aureum.commands.contacts import NO_CONTACT
from aureum.commands.merging import Merge, merge_contacts, unmerge_contacts
from aureum.domain.contact import Contact
from aureum.http.api.contacts.contact_fields import ContactResponse
from aureum.http.api.contacts.contacts import contact_body
from aureum.http.contract.endpoint import Context, Endpoint, Id
from aureum.http.contract.history import entries, get_history
from aureum.http.contract.resource import NO_ONE, AsOf, reference, run_once
from aureum.http.contract.undoing import undo_endpoint
from aureum.http.wire.fields import WireId
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import EventResponse
from aureum.projections import contact_list
from aureum.store.event_store import Stream

EXAMPLE = "c0000000000000000000000000"


class MergeBody(Body):
    """The contact that is the same person."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"with": EXAMPLE}})

    other: Annotated[WireId, Field(alias="with", description="The contact that is merged into the one in the path.")]


class UnmergeBody(Body):
    """The merge to undo."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"merge": EXAMPLE}})

    other: Annotated[WireId, Field(alias="merge", description="The contact that was merged into the one in the path.")]


async def post_merge(context: Context, contact_id: UUID, merge: MergeBody) -> Response:
    """Merges another contact into this one, and returns this one. Empty fields are filled from the other contact, tags
    are combined, the higher score counts, and further names, addresses and phones are kept. Leads and tasks of the
    other contact become this one's. Its id returns this contact from now on. Merging it again has no further effect."""
    command = Merge(context.tenant_id, contact_id, reference(merge.other) or NO_ONE)
    return await run_once(context, partial(merge_contacts, context.app.store, command), contact_body)


async def post_unmerge(context: Context, contact_id: UUID, merge: UnmergeBody) -> Response:
    """Undoes a merge, and returns this contact. The other contact is restored, and its leads and tasks go back to it.
    This contact loses what came only from the merge. Fields that were changed since the merge keep their values, and
    leads and tasks that were added since stay. Undoing it again has no further effect."""
    command = Merge(context.tenant_id, contact_id, reference(merge.other) or NO_ONE)
    return await run_once(context, partial(unmerge_contacts, context.app.store, command), contact_body)


async def get_contact_history(context: Context, contact_id: UUID, as_of: AsOf) -> Response:
    """Lists every event of the contact, oldest first: who changed what, when, from which value to which. With ``asOf``
    it ends at that moment. The id of a contact that was merged into another one returns the history of that id."""
    return await get_history(context, contact_list.OWN, contact_id, NO_CONTACT, as_of, contact_entries)


def contact_entries(stream: Stream) -> list[dict[str, Any]]:
    """The entries of a contact's stream, oldest first."""
    return entries(contact_list.LIST, stream, lambda row: row["doc"], contact_list.unseen)


one = partial(Endpoint, id=Id(NO_CONTACT))

ENDPOINTS = (
    one(
        method="POST",
        path="/api/contacts/{id}/merge",
        run=post_merge,
        summary="Merge contacts",
        body=MergeBody,
        answers=ContactResponse,
    ),
    one(
        method="POST",
        path="/api/contacts/{id}/unmerge",
        run=post_unmerge,
        summary="Undo a merge",
        body=UnmergeBody,
        answers=ContactResponse,
    ),
    one(
        method="GET",
        path="/api/contacts/{id}/history",
        run=get_contact_history,
        summary="Get a contact's history",
        query=AsOf,
        answers=list[EventResponse],
    ),
    undo_endpoint("/api/contacts", Contact, NO_CONTACT, "contact"),
)
