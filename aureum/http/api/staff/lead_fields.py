"""A lead's fields on the admin's side of the Leads API: what may be sent, and what is shown."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from aureum.http.access import named_brokerage
from aureum.http.api.leads.lead_fields import LOST_NOTE, LOST_REASON, LostNote, LostReason, Status
from aureum.http.contract.form_fields import Cleared
from aureum.http.contract.lists import CHANGED_AFTER, Search
from aureum.http.contract.numbered_pages import Numbered
from aureum.http.contract.paging import Cursor, Token
from aureum.http.contract.past import AS_OF
from aureum.http.contract.routing import Route
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import Email, Enquiry, Message, Name, PhoneText, Source, Subject
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Number, NumberText
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import ActorResponse, ChangeResponse, ClientAddress, LeadsTimestamp, RequestId, Shape, Wire
from aureum.http.wire.times import Time


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return value


StatusText = Annotated[Status, BeforeValidator(_string)]
"""A string, as the document has it: another type is refused like that of its other strings."""
LostReasonText = Annotated[LostReason, BeforeValidator(_string)]

Domain = Annotated[str, Characters(limit=255)]


class AdminLeadCreate(Body):
    """A new lead that staff enter."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "first_name": "Jane",
                "last_name": "Doe",
                "email": "jane@example.com",
                "phone": "208-555-0123",
                "subject": "Walk-in: interested in downtown condos",
                "message": "Came into the office. Pre-approved up to $450k. "
                "Wants something within walking distance of the river.",
                "assigned_agent_id": 42,
                "status": "contacted",
                "notes": "Followed up by phone same day.",
                "brokerage_id": 2,
            }
        },
    )

    first_name: Annotated[Name, Field(description="Lead's first name")]
    last_name: Annotated[Name, Field(description="Lead's last name")]
    email: Annotated[Email, Field(description="Valid email address")]
    phone: Annotated[PhoneText | None, Field(description="Phone number")] = None
    subject: Annotated[Subject, Field(description="Short summary")]
    message: Annotated[Enquiry, Field(description="Full notes from intake")]
    assigned_agent_id: Annotated[
        Number | None, Field(description="Agent to assign — must belong to the resolved brokerage")
    ] = None
    status: Annotated[
        StatusText,
        NULL_IS_ABSENT,
        Field(description='Defaults to "new". Set to e.g. "contacted" for already-underway intakes'),
    ] = "new"
    notes: Annotated[Message | None, Field(description="Internal staff notes")] = None
    route: Annotated[Route, NULL_IS_ABSENT] = False
    brokerage_id: Annotated[
        named_brokerage.InBody | None, Field(description="Admin only. Target brokerage. Ignored for non-admin users")
    ] = None


class AdminLeadChange(Body):
    """The fields to change. ``null`` clears an optional field, and unassigns the lead. Fields that are left out keep
    their value."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"status": "qualified", "notes": "Viewing on Saturday."}}
    )

    first_name: Annotated[Name, NOT_NULL]
    last_name: Annotated[Name, NOT_NULL]
    email: Email | None = None
    phone: PhoneText | None = None
    subject: Subject | None = None
    message: Message | None = None
    assigned_agent_id: Annotated[Number | None, Field(description="A user of the lead's brokerage.")] = None
    status: Annotated[StatusText, NOT_NULL]
    lost_reason: Annotated[LostReasonText | None, Field(description=LOST_REASON)] = None
    lost_note: Annotated[LostNote | None, Field(description=LOST_NOTE)] = None
    notes: Message | None = None
    suspect: Annotated[Cleared, NOT_NULL]


class AdminLeadFilters(Numbered):
    """The contract's filters."""

    status: Annotated[Status | None, Field(description="Filter by status.")] = None
    source: Annotated[Source | None, Field(description="Filter by source.")] = None
    source_domain: Annotated[
        Domain | None,
        Field(
            description="Filter by the domain where the form was submitted. `admin-manual` finds leads that staff "
            "entered."
        ),
    ] = None
    lost_reason: Annotated[LostReason | None, Field(description="Filter by why leads are lost.")] = None
    assigned_agent_id: Annotated[
        NumberText | None,
        Field(description="Filter by assigned agent."),
    ] = None
    brokerage_id: Annotated[
        named_brokerage.InQuery | None,
        Field(
            description="For platform admins only: the leads of this brokerage instead of all. Ignored for all "
            "other users."
        ),
    ] = None
    changed_after: Annotated[
        Token | None,
        Field(
            alias="changedAfter",
            description=CHANGED_AFTER + " Available for one brokerage at a time. `Link` has the next page.",
        ),
    ] = None
    cursor: Annotated[
        Cursor | None,
        Field(
            description="With `changedAfter`: the position of the page, from the `Link` header of the previous page."
        ),
    ] = None
    as_of: Annotated[
        Time | None, Field(alias="asOf", description=AS_OF + " Available for one brokerage at a time.")
    ] = None
    q: Search = None


class OfferResponse(Shape):
    """The agents who may claim the lead first, and until when. If none of them claims it, it goes on to the next
    rule."""

    group: str
    until: LeadsTimestamp
    agents: list[int]


class AdminLeadResponse(Shape):
    """A lead with all its details."""

    id: int
    brokerage_id: int
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    subject: str | None
    message: str | None
    assigned_agent_id: int | None
    status: Status
    lost_reason: Annotated[LostReason | None, Field(description=LOST_REASON)]
    lost_note: Annotated[str | None, Field(description=LOST_NOTE)]
    notes: str | None
    source: str
    source_domain: str | None
    source_page: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    routing: Annotated[
        dict[str, Any] | None, Field(description="Why the lead was routed to this agent. `null` if it was not routed.")
    ]
    offer: Annotated[
        OfferResponse | None,
        Field(description="The agents to whom a rule offers the lead. `null` if it is not offered now."),
    ]
    contact_id: Annotated[Wire | None, Field(description="The contact that the lead was converted to.")]
    suspect: Annotated[bool, Field(description="Whether the lead is suspected spam.")]
    created_at: LeadsTimestamp
    updated_at: LeadsTimestamp


class RemovedAdminLead(Shape):
    """With `changedAfter`: a lead that is no longer in the list, or no longer visible to the caller."""

    id: int
    removed: Literal[True]


class AdminEventResponse(Shape):
    """One event of a lead's history."""

    version: int
    type: str
    at: LeadsTimestamp
    actor: ActorResponse
    request: RequestId
    address: ClientAddress
    changes: dict[str, ChangeResponse]
