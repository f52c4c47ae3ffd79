"""``POST /api/contact``: the contact form on a brokerage's own pages."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from aureum.commands.leads import CaptureLead, capture_lead
from aureum.domain.lead import Lead, LeadFields
from aureum.http.contract.answers import encoded
from aureum.http.contract.endpoint import Context
from aureum.http.contract.form_fields import Enquiry, Name, Page, Phone, Subject, Trap, Utm
from aureum.http.contract.form_page import FormWords, Input
from aureum.http.contract.forms import FormEndpoint, Submission, submit
from aureum.http.wire.fields import Email
from aureum.http.wire.shapes import Shape
from aureum.store.event_store import Appended

THANKS = "Thank you for your message! We'll get back to you within 24 hours."


class ContactForm(BaseModel):
    """A submission of the contact form."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "firstName": "John",
                "lastName": "Smith",
                "email": "john.smith@example.com",
                "phone": "208-555-0123",
                "subject": "Interested in property at 123 Main St",
                "message": "I'd like to learn more about this listing...",
                "source_page": "/property/202412345",
                "utm_source": "google",
                "utm_medium": "organic",
                "utm_campaign": "spring-2024",
            }
        },
    )

    first_name: Annotated[Name, Field(alias="firstName", description="Contact's first name")]
    last_name: Annotated[Name, Field(alias="lastName", description="Contact's last name")]
    email: Annotated[Email, Field(description="Valid email address")]
    phone: Annotated[Phone, Field(description="Phone number")] = None
    subject: Annotated[Subject, Field(description="Message subject")]
    message: Annotated[Enquiry, Field(description="Full message content")]
    source_page: Annotated[Page, Field(description="Page URL where form was submitted")] = None
    utm_source: Annotated[Utm, Field(description="UTM tracking: source")] = None
    utm_medium: Annotated[Utm, Field(description="UTM tracking: medium")] = None
    utm_campaign: Annotated[Utm, Field(description="UTM tracking: campaign")] = None
    suspect: Annotated[
        Trap,
        Field(
            alias="_gotcha",
            description="A honeypot field, hidden from visitors. If it is filled in, the form is treated as spam.",
        ),
    ] = False


class Thanks(Shape):
    """The response to a stored contact form."""

    success: Literal[True]
    message: str
    lead_id: int


def thanks(lead: Lead) -> bytes:
    """The body that thanks the visitor."""
    return encoded({"success": True, "message": THANKS, "lead_id": lead.number})


async def submit_contact_form(context: Context, form: ContactForm) -> Response:
    """Stores a lead and routes it to an agent. Besides JSON, the endpoint accepts
    ``application/x-www-form-urlencoded``, ``multipart/form-data``, and JSON as ``text/plain``. A browser that prefers
    HTML gets a page."""
    # One append, so that the first webhook names the agent. The document shows JSON alone: of a body with several media
    # types, generators make clients that send the last of them.

    async def capture(submission: Submission) -> tuple[Lead, Appended]:
        caller = submission.site.visitor
        return await capture_lead(
            context.app.store,
            CaptureLead(
                tenant_id=caller.tenant_id,
                country=caller.country,
                fields=LeadFields(
                    first_name=form.first_name,
                    last_name=form.last_name,
                    email=form.email,
                    phone=form.phone,
                    subject=form.subject,
                    message=form.message,
                    notes=None,
                    source="website",
                    source_domain=submission.host,
                    source_page=form.source_page,
                    utm_source=form.utm_source,
                    utm_medium=form.utm_medium,
                    utm_campaign=form.utm_campaign,
                ),
                suspect=form.suspect,
            ),
            submission.origin,
            team=submission.site.team,
            idempotency=submission.idempotency,
            guards=submission.guards,
        )

    return await submit(context, form, thanks, capture, once=True)


WORDS = FormWords(
    THANKS,
    (
        Input("firstName", "First name", required=True, autocomplete="given-name"),
        Input("lastName", "Last name", required=True, autocomplete="family-name"),
        Input("email", "Email", "email", required=True, autocomplete="email"),
        Input("phone", "Phone", "tel", autocomplete="tel"),
        Input("subject", "Subject", required=True),
        Input("message", "Message", "long", required=True),
        *(Input(name, "") for name in ("source_page", "utm_source", "utm_medium", "utm_campaign")),
    ),
)

ENDPOINTS = (
    FormEndpoint(
        "POST",
        "/api/contact",
        submit_contact_form,
        "Submit a contact form",
        body=ContactForm,
        answers=Thanks,
        words=WORDS,
    ),
)
