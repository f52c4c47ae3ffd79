"""Leads one at a time, in the Aureum API: create, read, change, and the history of each."""

from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from aureum.commands.leads import CaptureLead, ChangeLead, capture_lead, change_lead
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire
from aureum.domain.lead import Lead
from aureum.http.access import by_key, origin
from aureum.http.answers import RESOURCE_ETAG, answer, encoded, not_modified, resource_etag
from aureum.http.bodies import json_object, read_body
from aureum.http.fields import (
    NULL_IS_ABSENT,
    Email,
    Message,
    Name,
    NonBlank,
    Page,
    PhoneText,
    Source,
    Subject,
    Time,
    Utm,
)
from aureum.http.headers import header
from aureum.http.history import history_of
from aureum.http.idempotency import idempotency
from aureum.http.validation import validate
from aureum.projections import lead_list
from aureum.store.event_store import Stream

if TYPE_CHECKING:
    from aureum.app import Aureum

Status = Literal["new", "contacted", "qualified", "showing", "offer", "converted", "lost"]
NO_LEAD = "There is no such lead."


class UtmFields(BaseModel):
    """Where the visitor came from."""

    model_config = ConfigDict(frozen=True)

    source: Utm | None = None
    medium: Utm | None = None
    campaign: Utm | None = None


class NewLead(BaseModel):
    """``name``, or ``firstName`` with ``lastName``; ``email`` or ``phone``."""

    model_config = ConfigDict(frozen=True)

    name: Name | None = None
    first_name: Annotated[Name | None, Field(alias="firstName")] = None
    last_name: Annotated[Name | None, Field(alias="lastName")] = None
    email: Email | None = None
    phone: PhoneText | None = None
    source: Annotated[Source, NULL_IS_ABSENT] = "api"
    status: Annotated[Status, NULL_IS_ABSENT] = "new"
    subject: Subject | None = None
    message: Message | None = None
    assigned_to: Annotated[NonBlank | None, Field(alias="assignedToId")] = None
    source_page: Annotated[Page | None, Field(alias="sourcePage")] = None
    utm: Annotated[UtmFields, NULL_IS_ABSENT] = UtmFields()

    @model_validator(mode="after")
    def whole(self) -> "NewLead":
        if self.name is None and (self.first_name is None or self.last_name is None):
            raise ValueError("name is required, or firstName and lastName.")
        if not self.email and not (self.phone or "").strip():
            raise ValueError("email or phone is required.")
        return self


class LeadChange(BaseModel):
    """What may be set; ``null`` empties what may be empty."""

    model_config = ConfigDict(frozen=True)

    status: Status | None = None
    assigned_to: Annotated[NonBlank | None, Field(alias="assignedToId")] = None
    name: Name | None = None
    first_name: Annotated[Name | None, Field(alias="firstName")] = None
    last_name: Annotated[Name | None, Field(alias="lastName")] = None
    email: Email | None = None
    phone: PhoneText | None = None
    subject: Subject | None = None
    message: Message | None = None

    @model_validator(mode="after")
    def nothing_required_is_emptied(self) -> "LeadChange":
        for field, shown in REQUIRED:
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{shown} must not be null; leave it out to keep it as it is.")
        return self


REQUIRED = (("status", "status"), ("name", "name"), ("first_name", "firstName"), ("last_name", "lastName"))


def split_name(name: str) -> tuple[str, str]:
    """At its last space: ``Mary Jane Doe`` → ``Mary Jane``, ``Doe``; one word is a first name."""
    first, _, last = name.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, "")


def user_id(text: str | None) -> UUID | None:
    """The user that ``assignedToId`` names; an id that never was one is nobody's."""
    return None if text is None else from_wire(text) or UUID(int=0)


async def post_lead(request: Request) -> Response:
    """201 with the whole lead. Nobody is chosen for it: a program that knows an agent names one."""
    app: Aureum = request.app.state.aureum
    passage = await by_key(request)
    body = await read_body(request.receive, request.scope["headers"])
    new = validate(NewLead, json_object(body, request.scope["headers"]))
    first_name, last_name = split_name(new.name) if new.name is not None else (new.first_name, new.last_name)
    command = CaptureLead(
        tenant_id=passage.brokerage.tenant_id,
        country=passage.brokerage.country,
        first_name=first_name or "",
        last_name=last_name or "",
        email=new.email,
        phone=new.phone,
        subject=new.subject,
        message=new.message,
        source=new.source,
        status=new.status,
        source_page=new.source_page,
        utm_source=new.utm.source,
        utm_medium=new.utm.medium,
        utm_campaign=new.utm.campaign,
        assigned_to=user_id(new.assigned_to),
    )
    remember = idempotency(request, passage.brokerage, body, shown)
    lead, appended = await capture_lead(app.store, command, origin(request, passage.brokerage), idempotency=remember)
    headers = {"ETag": resource_etag(1)}
    if appended.remembered is not None:
        return answer(request, appended.remembered, status=201, headers=headers | {"Idempotent-Replayed": "true"})
    return answer(request, shown(lead), status=201, headers=headers)


async def get_lead(request: Request) -> Response:
    """The lead as it is; with ``asOf`` as it was."""
    app: Aureum = request.app.state.aureum
    about = (await by_key(request)).brokerage
    lead_id = lead_of(request)
    as_of = validate(AsOf, dict(request.query_params), "query").as_of
    if as_of is not None:
        lead = (await load(app, about.tenant_id, lead_id)).aggregate(as_of)
        if lead is None:
            raise NotFound("There was no such lead at that time.")
        return unless_known(request, shown(lead), lead.version)
    rows = await app.database.tenant_rows(about.tenant_id, lead_list.ONE, {"tenant": about.tenant_id, "lead": lead_id})
    if not rows:
        raise NotFound(NO_LEAD)
    doc, version = rows[0]
    return unless_known(request, doc.encode(), version)


class AsOf(BaseModel):
    """``?asOf=``: a moment, itself included."""

    as_of: Annotated[Time | None, Field(alias="asOf")] = None


async def patch_lead(request: Request) -> Response:
    """The lead as it is afterwards. ``If-Match`` takes the ETag that the caller has seen."""
    app: Aureum = request.app.state.aureum
    passage = await by_key(request)
    lead_id = lead_of(request)
    body = await read_body(request.receive, request.scope["headers"])
    change = validate(LeadChange, json_object(body, request.scope["headers"]))
    given = change.model_fields_set
    details = {name: getattr(change, name) for name in DETAILS if name in given}
    if change.name is not None:
        details["first_name"], details["last_name"] = split_name(change.name)
    command = ChangeLead(
        tenant_id=passage.brokerage.tenant_id,
        country=passage.brokerage.country,
        lead_id=lead_id,
        status=change.status,
        assign="assigned_to" in given,
        assigned_to=user_id(change.assigned_to),
        details=details,
        expected_versions=expected_versions(request),
    )
    lead = await change_lead(app.store, command, origin(request, passage.brokerage))
    return answer(request, shown(lead), headers={"ETag": resource_etag(lead.version)})


DETAILS = ("first_name", "last_name", "email", "phone", "subject", "message")


async def get_lead_history(request: Request) -> Response:
    """Every event of the lead, oldest first: who, what, when, and from what to what."""
    app: Aureum = request.app.state.aureum
    about = (await by_key(request)).brokerage
    stream = await load(app, about.tenant_id, lead_of(request))
    return unless_known(request, encoded(history_of(stream)), stream.events[-1].event.originator_version)


async def load(app: "Aureum", tenant_id: UUID, lead_id: UUID) -> Stream:
    """The lead's stream. Raises NotFound, also for the stream of something else."""
    stream = await app.store.load(tenant_id, lead_id)
    if not stream.events or not isinstance(stream.events[0].event, Lead.Captured):
        raise NotFound(NO_LEAD)
    return stream


def lead_of(request: Request) -> UUID:
    """The lead that the path names. Raises NotFound for what never was an id."""
    lead_id = from_wire(request.path_params["id"])
    if lead_id is None:
        raise NotFound(NO_LEAD)
    return lead_id


def expected_versions(request: Request) -> frozenset[int] | None:
    """The versions that ``If-Match`` allows; None without it or for ``*``. Compared strongly (RFC 9110, 13.1.1)."""
    listed = header(request.scope, b"if-match")
    if listed is None or listed.strip() == "*":
        return None
    tags = (RESOURCE_ETAG.fullmatch(tag.strip()) for tag in listed.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


def shown(lead: Lead) -> bytes:
    """A lead as the Aureum API shows it, in the same words as the list."""
    return encoded(lead_list.document(lead, lead.id, lead.created_on, lead.modified_on))


def unless_known(request: Request, body: bytes, version: int) -> Response:
    """*body* with its ETag, or 304."""
    etag: Any = resource_etag(version)
    return not_modified(request, etag) or answer(request, body, headers={"ETag": etag})
