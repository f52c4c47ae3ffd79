"""Contacts: the people whom the brokerage knows."""

from typing import Any, get_args

from aureum.http.api.contacts.contact_fields import Type
from aureum.http.panel.activities import log_page
from aureum.http.panel.around import around_contact, served
from aureum.http.panel.duplicates import DONE, like_new, of_contact
from aureum.http.panel.envelope_words import entries_of
from aureum.http.panel.erasing import pages_for
from aureum.http.panel.fields import Field
from aureum.http.panel.history_words import Entry
from aureum.http.panel.resource import Column, Resource
from aureum.http.panel.resource_page import pages_of
from aureum.http.panel.visit import Doc, Visit


def acts_beside(beside: Doc) -> list[Entry]:
    """What stands in the timeline besides the activities: acts of envelopes, and what passed in the client portal."""
    of_envelopes = [one for envelope in beside["envelopes"] or () for one in entries_of(envelope)]
    return [*of_envelopes, *(beside["client"] or {"acts": ()})["acts"]]


FIRST_NAME = Field("firstName", "First name", required=True)
NEW_NAME = (FIRST_NAME, Field("lastName", "Last name", required=True))
NAME = (FIRST_NAME, Field("lastName", "Last name"))
"""A lead with only one name becomes a contact without a last name."""

REST = (
    Field("email", "Email", "email"),
    Field("phone", "Phone", "tel"),
    Field("type", "Type", "choice", get_args(Type), required=True),
    Field("tags", "Tags", "words", hint="Separate with commas."),
    Field("score", "Score", "number", hint="From 0 to 100."),
)

CONTACTS = Resource(
    path="/admin/contacts",
    api="/api/contacts",
    one="contact",
    many="Contacts",
    title=lambda contact: f"{contact['firstName']} {contact['lastName']}".strip(),
    # Their list has a template of its own: contacts.html.
    columns=(),
    filters=(
        Field("search", "Search"),
        Field("type", "Type", "choice", get_args(Type)),
        Field("tag", "Tag"),
    ),
    new=(*NEW_NAME, *REST),
    change=(*NAME, *REST),
    activities=True,
    history=True,
    same=of_contact,
    like_new=like_new,
    chips="type",
    template="contact.html",
    list_template="contacts.html",
    beside=around_contact,
    acts=acts_beside,
    beside_list=served,
    told=DONE,
    facts=(
        Column("phoneE164", "Phone, international"),
        Column("otherNames", "Other names", "words"),
        Column("otherEmails", "Other addresses", "words"),
        Column("otherPhones", "Other phones", "phones"),
        Column("createdAt", "Created", "time"),
        Column("updatedAt", "Last changed", "time"),
    ),
)


async def erasable(visit: Visit) -> dict[str, Any]:
    """How the API names the contact of the page, to erase its person. Raises NotFound."""
    return {"contact_id": (await visit.ask("GET", "/api/contacts/{id}", id=visit.id())).body["id"]}


PAGES = (*pages_of(CONTACTS), log_page(CONTACTS), *pages_for(CONTACTS.path, erasable))
