"""What a lead says, as routing reads it."""

from aureum.domain.lead import Lead, LeadFields
from aureum.domain.people import recognized_by
from aureum.domain.routing.enquiry import Enquiry


def said_of_lead(lead: LeadFields | Lead | Lead.Captured) -> Enquiry:
    """What a visitor wrote, by which an agent is found."""
    return Enquiry(
        subject=lead.subject or "",
        message=lead.message or "",
        page=lead.source_page or "",
        sources=tuple(source for source in (lead.source, lead.utm_source) if source),
        names=(lead.first_name, lead.last_name),
        person=recognized_by(lead.email, lead.first_name, lead.last_name),
    )
