"""``/api/v1/admin/people/erase``: forgets a person. For owners and platform admins."""

from typing import Annotated, Any
from uuid import UUID

import structlog
from pydantic import ConfigDict, Field, StrictBool
from starlette.responses import Response

from aureum.commands.erasing import Erased, ErasePerson, erase_person, rehearse_erasing
from aureum.commands.erasures import carry_out
from aureum.domain.errors import Busy, Conflict, Invalid
from aureum.domain.ids import to_wire
from aureum.http.access import named_brokerage
from aureum.http.access.callers import origin
from aureum.http.access.security import note_of
from aureum.http.api.staff.managed import managed_brokerage
from aureum.http.contract.answers import answer, encoded
from aureum.http.contract.endpoint import STAFF, Context, Endpoint
from aureum.http.contract.idempotency import Replayed
from aureum.http.contract.resource import once, reference
from aureum.http.wire.fields import Email, WireId
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import Number
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Wire
from aureum.settings.mail import mail_directory

log = structlog.get_logger()

PATH = "/api/v1/admin/people/erase"

ONE_OF_THREE = "Send exactly one of email, contact_id and lead_id."


class PersonNamed(Body):
    """The person: exactly one of `email`, `contact_id` and `lead_id`."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"email": "jane@example.com"}})

    email: Annotated[Email | None, Field(description="The person's address, in any spelling.")] = None
    contact_id: Annotated[WireId | None, Field(description="A contact of the person.")] = None
    lead_id: Annotated[Number | None, Field(description="The number of a lead of the person.")] = None
    dry_run: Annotated[StrictBool, NULL_IS_ABSENT, Field(description="Only report what would be erased and kept.")] = (
        False
    )
    brokerage_id: Annotated[
        named_brokerage.InBody | None,
        Field(description="For platform admins only: the brokerage. Default: their own. Ignored for all other users."),
    ] = None


class KeptResponse(Shape):
    """What is kept, and why."""

    what: Annotated[
        str,
        Field(
            description="What is kept: `history`, `backups` or `tasks`, or a `user`, `lead`, `contact` or `envelope`."
        ),
    ]
    id: Annotated[str | None, Field(description="The id of the user, lead, contact or envelope.")]
    why: Annotated[str, Field(description="Why it is kept, and what you can do about it.")]


class ErasureResponse(Shape):
    """The result of an erasure."""

    id: Annotated[Wire | None, Field(description="The id of the erasure. `null` if nothing was erased.")]
    erased: Annotated[int, Field(description="The number of records that were erased.")]
    records: Annotated[dict[str, int], Field(description="The records by kind. Empty if the person was erased before.")]
    kept: Annotated[list[KeptResponse], Field(description="What is kept, and why.")]


async def post_erase(context: Context, named: PersonNamed) -> Response:
    """Erases a person: all leads, contacts, showings, subscribers and tasks with this email address, and the records
    related to them, with messages, listings, key dates and drafts of documents. Documents that were sent to be signed
    stop the erasure. Documents that all have signed are kept for the other parties. The personal fields of what is
    erased can never be read again, not even in histories. Webhooks receive `lead.updated`, `contact.updated` and
    `showing.updated` with `erased: true`. This cannot be undone."""
    tenant_id, _ = await managed_brokerage(context, named.brokerage_id)
    if sum(one is not None for one in (named.email, named.contact_id, named.lead_id)) != 1:
        raise Invalid("email", ONE_OF_THREE)
    command = ErasePerson(
        tenant_id=tenant_id,
        email=named.email,
        contact_id=reference(named.contact_id),
        number=named.lead_id,
    )
    remember = await once(context, body, tagged=False, tenant_id=tenant_id)
    if named.dry_run:
        return answer(body(await rehearse_erasing(context.app.store, command)), status=202)
    erased = await erase_person(
        context.app.store, command, origin(context.request, context.caller), idempotency=remember
    )
    if erased.remembered is not None:
        raise Replayed(erased.remembered)
    note_of(context.request, context.caller, "erasure", tenant_id=tenant_id)
    if erased.id is not None:
        await at_once(context, tenant_id, erased.id)
    return answer(body(erased), status=202)


async def at_once(context: Context, tenant_id: UUID, erasure_id: UUID) -> None:
    """Carry out the erasure. If that cannot be finished now, the worker finishes it."""
    try:
        await carry_out(context.app.store, tenant_id, erasure_id, mail_directory(context.app.settings))
    except (Busy, Conflict, OSError) as error:
        log.warning("erasure_left_to_worker", tenant=str(tenant_id), error=type(error).__name__)


def body(erased: Erased) -> bytes:
    """As the Leads API says it."""
    return encoded(document(erased))


def document(erased: Erased) -> dict[str, Any]:
    """The same, as the command line says it, too."""
    return {
        "id": None if erased.id is None else to_wire(erased.id),
        "erased": erased.erased,
        "records": dict(erased.records),
        "kept": [one.as_dict() for one in erased.kept],
    }


ENDPOINTS = (
    Endpoint(
        "POST",
        PATH,
        post_erase,
        "Erase a person",
        access=STAFF,
        dialect="leads",
        body=PersonNamed,
        answers=ErasureResponse,
        status=202,
        refusals=(400, 403, 404, 409),
    ),
)
