"""``POST /api/contact``: the contact form on a brokerage's own pages."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aureum.commands.leads import CaptureLead, capture_lead
from aureum.domain.lead import Lead
from aureum.http.access import by_host, origin
from aureum.http.answers import answer, encoded
from aureum.http.bodies import json_object, read_body
from aureum.http.fields import Email, Name, NonBlank, Page, Phone, Subject, Utm
from aureum.http.idempotency import idempotency
from aureum.http.validation import validate

THANKS = "Thank you for your message! We'll get back to you within 24 hours."


class ContactForm(BaseModel):
    """The document's fields. A bad phone never refuses a lead."""

    model_config = ConfigDict(frozen=True)

    first_name: Annotated[Name, Field(alias="firstName")]
    last_name: Annotated[Name, Field(alias="lastName")]
    email: Email
    phone: Phone = None
    subject: Subject
    message: NonBlank
    source_page: Page | None = None
    utm_source: Utm | None = None
    utm_medium: Utm | None = None
    utm_campaign: Utm | None = None


def thanks(lead: Lead) -> bytes:
    """What the visitor's page gets."""
    return encoded({"success": True, "message": THANKS, "lead_id": lead.number})


async def post_contact(request: Request) -> Response:
    """Stored and routed to an agent in one append, so that the first webhook names the agent."""
    app = request.app.state.aureum
    passage = await by_host(request)
    body = await read_body(request.receive, request.scope["headers"])
    form = validate(ContactForm, json_object(body, request.scope["headers"]))
    about = passage.brokerage
    command = CaptureLead(
        tenant_id=about.tenant_id,
        country=about.country,
        source="website",
        source_domain=request.state.host,
        **vars(form),
    )
    agents = await app.lead_takers.of(app.database, about.tenant_id, about.staff_version)
    lead, appended = await capture_lead(
        app.store,
        command,
        origin(request, passage),
        agents=agents,
        idempotency=idempotency(request, passage, body, thanks),
    )
    if appended.remembered is not None:
        return answer(request, appended.remembered, headers={"Idempotent-Replayed": "true"})
    return answer(request, thanks(lead))
