"""All that a brokerage has of one person, as one document: records with their histories, and mails. For the person, or
for another system; ``aureum person export`` writes it."""

from collections.abc import Callable, Collection, Mapping
from email import message_from_bytes, policy
from functools import partial
from typing import Any
from uuid import UUID

from aureum.commands.envelopes.of_person import envelopes_of
from aureum.commands.person import OF_PERSONS, Person
from aureum.domain.conversation import Conversation
from aureum.domain.emails import one_form
from aureum.domain.ids import aureum_time, now, to_wire
from aureum.http.api.mail.mail_fields import shown_text
from aureum.http.contract.history import entries, history_in, history_of
from aureum.mail.queue.mail_log import LoggedMail, logged
from aureum.projections import conversation_list
from aureum.store.event_store import EventStore, Stream

MAILS = """
SELECT m.mail_id, m.kind, m.state, m.attempt, m.due_at, m.error, m.recorded_at, m.ended_at, m.subject_id, k.wrapped,
       m.about, m.answer, m.message
  FROM mails m
  LEFT JOIN subject_keys k ON k.tenant_id = m.tenant_id AND k.subject_id = m.subject_id
 WHERE m.tenant_id = %(tenant)s AND (m.subject_id = ANY (%(subjects)s) OR m.also_about && %(subjects)s)
 ORDER BY m.mail_id
"""


def conversation_history(stream: Stream) -> list[dict[str, Any]]:
    """The entries of a conversation, with the text of each message: its row has counts alone."""
    conversation: Conversation = stream.aggregate()
    made = entries(conversation_list.LIST, stream, lambda row: row["doc"], lambda _: {})
    for one in made:
        message = conversation.messages.get(one["version"])
        if message is not None:
            said = conversation_list.message(conversation, message)
            one["changes"] = one["changes"] | {"message": {"from": None, "to": said}}
    return made


HISTORIES: Mapping[str, Callable[[Stream], list[dict[str, Any]]]] = {
    kind: partial(history_in, model) for kind, model in OF_PERSONS.items()
} | {"lead": history_of, "conversation": conversation_history}


async def everything(store: EventStore, tenant_id: UUID, person: Person) -> dict[str, Any]:
    """The document of *person*. Raises Unavailable."""
    records = []
    for stream_id, (kind, doc) in person.records.items():
        stream = await store.load(tenant_id, stream_id)
        records.append({"type": kind, "data": doc, "history": HISTORIES[kind](stream)})
    envelopes = await envelopes_of(store, tenant_id, person)
    for envelope_id, doc in {**envelopes.purged, **envelopes.kept, **envelopes.open}.items():
        acts = [one.event for one in (await store.load(tenant_id, envelope_id)).events]
        told = [{"type": event.TOPIC, "at": aureum_time(event.timestamp)} for event in acts]
        records.append({"type": "envelope", "data": own_part(doc, person.addresses), "history": told})
    tenant_key = await store.tenant_key(tenant_id)
    about = {"tenant": tenant_id, "subjects": list(person.records)}
    mails = [logged(tenant_key, row) for row in await store.database.rows(MAILS, about)]
    return {
        "exportedAt": aureum_time(now()),
        "addresses": sorted(person.addresses),
        "records": records,
        "mails": [mail_document(mail) for mail in mails],
    }


def own_part(doc: Mapping[str, Any], addresses: Collection[str]) -> dict[str, Any]:
    """An envelope without the names and addresses of its other parties."""
    hidden = dict.fromkeys(("name", "email", "contactId", "declinedReason"))
    people = [one if one_form(one["email"]) in addresses else one | hidden for one in doc["recipients"]]
    return {**doc, "recipients": people}


def mail_document(mail: LoggedMail) -> dict[str, Any]:
    """A mail with its text, but for what lets its recipient in."""
    message = None if mail.message is None else message_from_bytes(mail.message, policy=policy.default)
    text = None if message is None else shown_text(mail.kind, message)
    return {
        "id": to_wire(mail.mail_id),
        "kind": mail.kind,
        "status": mail.status,
        "at": aureum_time(mail.recorded_at),
        "to": mail.about and mail.about.address,
        "subject": mail.about and mail.about.subject,
        "text": text,
    }
