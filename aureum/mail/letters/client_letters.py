"""Letters around a client: what staff wrote or sent goes to the client, what the client wrote to the agent who serves
the contact, or else to owners and brokers. The address that a client has replaced learns of it.

A client's letter is in the language in which the client last signed in, else in that of the words that it brings.

A client's letter leads to the portal and opens nothing by itself: it may be read by other people than the client.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.commands.portal.languages import Spoken, languages_of
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.of_contact import CLIENT
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters import links, recipients
from aureum.mail.letters.about import About
from aureum.mail.letters.client_occasions import AddressReplaced, ListingSent, OfClient, Written
from aureum.mail.letters.confirming import given_name
from aureum.mail.letters.headers import usable
from aureum.mail.letters.recipients import MANAGERS, Member, letter_to, wish
from aureum.mail.letters.texts import LANGUAGES, language_for
from aureum.projections import related
from aureum.store.cipher import TenantKey

CONTACTS = """
SELECT y.contact_id, x.contact_id, x.doc
  FROM heads h
  JOIN contact_list y ON y.tenant_id = h.tenant_id AND y.read_version = h.contact_list_version
  JOIN contact_list x ON x.tenant_id = h.tenant_id AND x.read_version = h.contact_list_version
                     AND x.contact_id = coalesce(y.merged_into, y.contact_id)
 WHERE h.tenant_id = %(tenant)s AND y.contact_id = ANY (%(contacts)s::uuid[])
"""
"""By the contact that is asked for, the one that answers for it. A person who was erased has none."""

PROPERTIES = """
SELECT x.property_id, x.doc FROM property_list x
 WHERE x.tenant_id = %(tenant)s AND x.property_id = ANY (%(properties)s::uuid[])
   AND x.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

Doc = Mapping[str, Any]


async def client_letters(
    connection: AsyncConnection[Any], tenant_key: TenantKey, occasions: Sequence[OfClient], about: About
) -> list[Letter]:
    """The letters of *occasions*."""
    if not occasions:
        return []
    tenant_id = tenant_key.tenant_id
    asked: dict[str, Any] = {"tenant": tenant_id, "contacts": list({one.contact_id for one in occasions})}
    rows = await (await connection.execute(CONTACTS, asked)).fetchall()
    contacts: dict[UUID, Doc] = {own: orjson.loads(doc) for own, _, doc in rows}
    standing = list({contact_id for _, contact_id, _ in rows})
    served = await (
        await connection.execute(related.SERVING, {"tenant": tenant_id, "visible_to": None, "contacts": standing})
    ).fetchall()
    agents = {to_wire(contact_id): agent for contact_id, agent, _ in served}
    wanted = [one.property_id for one in occasions if isinstance(one, ListingSent)]
    found = await (await connection.execute(PROPERTIES, asked | {"properties": wanted})).fetchall() if wanted else []
    homes: dict[UUID, Doc] = {property_id: orjson.loads(doc) for property_id, doc in found}
    addresses = {contact["email"] for contact in contacts.values() if contact["email"]}
    addresses |= {one.former for one in occasions if isinstance(one, AddressReplaced)}
    languages = await languages_of(connection, tenant_key, addresses)
    letters: list[Letter] = []
    for one in occasions:
        contact = contacts.get(one.contact_id)
        if contact is None:
            continue
        if isinstance(one, AddressReplaced):
            letters += to_former(one, contact, languages, about)
        elif isinstance(one, Written) and one.sender == CLIENT:
            letters += to_staff(one, contact, agents.get(contact["id"]), about)
        else:
            letters += to_client(one, contact, homes, languages, about)
    return letters


def to_former(one: AddressReplaced, contact: Doc, languages: Mapping[str, Spoken], about: About) -> list[Letter]:
    """The letter to the address that the client has replaced. A reply goes to the brokerage."""
    address, name = usable(one.former), given_name(contact["firstName"])
    if address is None:
        return []
    recipient = Recipient(address, name or "", None, one.stream_id)
    spoken = languages.get(one.former)
    language = LANGUAGES[0] if spoken is None else spoken.language
    return [Letter("address_changed", recipient, usable(about.reply_to), language, {"first_name": name}, one.position)]


def to_client(
    one: Written | ListingSent,
    contact: Doc,
    homes: Mapping[UUID, Doc],
    languages: Mapping[str, Spoken],
    about: About,
) -> list[Letter]:
    """The letter of what staff wrote or sent; none to a client without an address. A reply goes to the user who wrote,
    else to the brokerage."""
    address = usable(contact["email"])
    if address is None:
        return []
    author = one.author if isinstance(one, Written) else one.sent_by
    agent = None if author is None else about.staff.get(author)
    name = given_name(contact["firstName"])
    fields: dict[str, object] = {"first_name": name, "by": None if agent is None else agent.name}
    if isinstance(one, Written):
        kind, words, path = "client_message", one.text, "messages"
        fields["message"] = one.text
    else:
        home = homes.get(one.property_id)
        if home is None:
            return []
        kind, words, path = "client_listing", one.note or "", "listings"
        fields |= {"home": home["title"], "address": f"{home['address']}, {home['city']}", "note": one.note}
    fields["link"] = links.to_portal(about.link, path)
    spoken = languages.get(contact["email"])
    return [
        Letter(
            kind,
            Recipient(address, name or "", None, one.stream_id),
            usable(about.reply_to if agent is None else agent.address),
            language_for(words) if spoken is None else spoken.language,
            fields,
            one.position,
            also_about=also_about(one, contact),
        )
    ]


def to_staff(one: Written, contact: Doc, agent: UUID | None, about: About) -> list[Letter]:
    """The letters of what a client wrote, at once to those who want any."""
    name = f"{contact['firstName']} {contact['lastName']}".strip()
    fields = {"lead": name, "message": one.text, "link": links.page(about.link, f"contacts/{contact['id']}#messages")}
    members: list[Member] = [member for member in about.staff.values() if member.role in MANAGERS]
    if agent in about.staff:
        members = [about.staff[agent]]
    return [
        replace(
            letter_to(member, "message_received", fields, one.position, subject_id=one.stream_id),
            also_about=also_about(one, contact),
        )
        for member in members
        if wish(member, "message_received") == recipients.AT_ONCE
    ]


def also_about(one: Written | ListingSent, contact: Doc) -> tuple[UUID, ...]:
    """The contacts whose person the letter is about: once one of them is erased, so is the letter."""
    answering = from_wire(contact["id"])
    return tuple({one.contact_id, *(() if answering is None else (answering,))})
