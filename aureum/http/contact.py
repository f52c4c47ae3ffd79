"""``POST /api/contact``: the contact form on a brokerage's own pages."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aureum.commands.leads import CaptureLead, capture_lead
from aureum.domain.errors import Busy, SiteChanged, TooMany
from aureum.domain.lead import Lead
from aureum.http.access import NO_BROKERAGE, named_host, origin, too_many
from aureum.http.answers import answer, encoded
from aureum.http.bodies import json_object, read_body
from aureum.http.cors import allow_origin
from aureum.http.errors import HttpError
from aureum.http.fields import Email, Enquiry, Name, Page, Phone, Subject, Utm
from aureum.http.hosts import client_address
from aureum.http.idempotency import idempotency
from aureum.http.sites import Site
from aureum.http.validation import validate
from aureum.store.event_store import Form

if TYPE_CHECKING:
    from aureum.app import Aureum

LOOKS = 3
"""How often a brokerage is looked up again that changes while a form comes in."""

THANKS = "Thank you for your message! We'll get back to you within 24 hours."


class ContactForm(BaseModel):
    """The document's fields. A bad phone never refuses a lead."""

    model_config = ConfigDict(frozen=True)

    first_name: Annotated[Name, Field(alias="firstName")]
    last_name: Annotated[Name, Field(alias="lastName")]
    email: Email
    phone: Phone = None
    subject: Subject
    message: Enquiry
    source_page: Page | None = None
    utm_source: Utm | None = None
    utm_medium: Utm | None = None
    utm_campaign: Utm | None = None


def thanks(lead: Lead) -> bytes:
    """What the visitor's page gets."""
    return encoded({"success": True, "message": THANKS, "lead_id": lead.number})


async def post_contact(request: Request) -> Response:
    """Stored and routed to an agent in one append, so that the first webhook names the agent.

    That append is the only round trip: it counts the form against its limit, and refuses what this process remembers
    of the brokerage if it is stale. Then the brokerage is looked up again.
    """
    app: Aureum = request.app.state.aureum
    host, slug = named_host(request)
    site = await site_of(app, host, slug)
    allow_origin(request, site)
    body = await read_body(request.receive, request.scope["headers"])
    form = validate(ContactForm, json_object(body, request.scope["headers"]))
    client = client_address(request.scope, app.settings.trusted_proxies)
    for _ in range(LOOKS):
        about = site.brokerage
        command = CaptureLead(
            tenant_id=about.tenant_id, country=about.country, source="website", source_domain=host, **vars(form)
        )
        try:
            lead, appended = await capture_lead(
                app.store,
                command,
                origin(request, about),
                agents=site.agents,
                idempotency=idempotency(request, about, body, thanks),
                form=Form(about.site_version, client),
            )
        except SiteChanged:
            app.sites.forget(host, slug)
            site = await site_of(app, host, slug)
            continue
        except TooMany as error:
            raise too_many(app.settings.form_rate_limit, error.retry_at) from error
        if appended.remembered is not None:
            return answer(request, appended.remembered, headers={"Idempotent-Replayed": "true"})
        return answer(request, thanks(lead))
    raise Busy()


async def site_of(app: "Aureum", host: str, slug: str) -> Site:
    """Raises HttpError 404."""
    site = await app.sites.find(host, slug)
    if site is None:
        raise HttpError(404, NO_BROKERAGE)
    return site
