"""Envelopes in the words of a broker: the acts of their history, those in the timeline of a lead or contact, and their
fields."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aureum.http.panel.history_words import Entry, actor_words
from aureum.http.panel.statuses import status_of

ACTS: Mapping[str, str] = {
    "drafted": "Began a draft",
    "draft_changed": "Changed the draft",
    "assigned": "The lead's agent changed",
    "contact_changed": "The contact was merged",
    "document_attached": "Added a document",
    "document_removed": "Removed a document",
    "recipient_added": "Added {name}",
    "recipient_removed": "Removed a recipient",
    "fields_placed": "Placed the fields",
    "sent": "Sent the documents",
    "recipient_invited": "{name} was invited to sign",
    "recipient_reminded": "{name} was reminded",
    "recipient_reassigned": "{name} was replaced",
    "deadline_extended": "Gave more time",
    "viewed": "{name} opened the documents",
    "consented": "{name} agreed to sign electronically",
    "signed": "{name} signed",
    "declined": "{name} declined to sign",
    "completed": "All documents are signed and sealed",
    "voided": "Withdrew the documents",
    "expired": "The deadline passed",
    "purge_announced": "Asked for the documents to be deleted early",
    "purged": "The documents were deleted",
    "provider_linked": "Handed the documents to DocuSign",
}
"""By the type of the event, without what it is of."""

KINDS: Mapping[str, str] = {
    "signature": "Signature",
    "initials": "Initials",
    "date": "Date of signing",
    "name": "Name",
    "text": "Text",
    "checkbox": "Checkbox",
}

A_RECIPIENT = "A recipient"

TEMPLATE_ACTS: Mapping[str, str] = {
    "added": "Created the template",
    "changed": "Changed the mail",
    "roles_changed": "Changed who signs",
    "document_attached": "Added a document",
    "document_removed": "Removed a document",
    "fields_placed": "Placed the fields",
    "removed": "Removed the template",
}
"""The same, of a template."""


class Act(NamedTuple):
    """One act of a history: what happened, when, and who did it, where that is staff or a program."""

    what: str
    at: str
    by: str


def acts(history: Sequence[Mapping[str, Any]], envelope: Mapping[str, Any]) -> list[Act]:
    """The acts of an envelope, newest first."""
    names = {one["id"]: one["name"] for one in envelope["recipients"]}
    return [act(event, names) for event in reversed(history)]


def template_acts(history: Sequence[Mapping[str, Any]]) -> list[Act]:
    """The acts of a template, newest first."""
    return [
        Act(TEMPLATE_ACTS[one["type"].partition(".")[2]], one["at"], actor_words(one["actor"]))
        for one in reversed(history)
    ]


def act(event: Mapping[str, Any], names: Mapping[str, str]) -> Act:
    """One of them."""
    kind = event["type"].partition(".")[2]
    recipient = event["changes"].get("recipientId", {}).get("to")
    name = names.get(recipient, "") or added(event) or A_RECIPIENT
    words = ACTS.get(kind, kind.replace("_", " ").capitalize())
    by = actor_words(event["actor"]) if event["actor"]["type"] in ("user", "key") else ""
    return Act(words.format(name=name), event["at"], by)


def added(event: Mapping[str, Any]) -> str:
    """The recipient whom an event added."""
    change = event["changes"].get("recipients")
    people = change["to"] if isinstance(change, Mapping) else None
    last = people[-1] if isinstance(people, list) and people else None
    return str(last["name"]) if isinstance(last, Mapping) and "name" in last else ""


def entries_of(envelope: Mapping[str, Any]) -> Iterator[Entry]:
    """The acts of an envelope, in the timeline of its lead or contact."""
    page, subject = f"/admin/envelopes/{envelope['id']}", envelope["subject"]
    acts = [
        (envelope["sentAt"], f"Sent to be signed: {subject}"),
        (envelope["completedAt"], f"Signed by all: {subject}"),
    ]
    for one in envelope["recipients"]:
        acts += [
            (one["viewedAt"], f"{one['name']} opened {subject}"),
            (one["signedAt"], f"{one['name']} signed {subject}"),
        ]
    if envelope["state"] in ("declined", "voided", "expired"):
        acts.append((envelope["updatedAt"], f"{status_of('envelope', envelope['state']).word}: {subject}"))
    return (Entry(0, at, what, "", "work", page=page) for at, what in acts if at is not None)


def field_words(field: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    """``Signature of Jane Doe, page 2 of Offer.pdf``."""
    names = {one["id"]: one["name"] for one in envelope["recipients"]}
    return placed_words(field, envelope, names.get(field["recipientId"], A_RECIPIENT))


def template_field_words(field: Mapping[str, Any], template: Mapping[str, Any]) -> str:
    """``Signature of buyer, at /sig:buyer/ in Offer.pdf``."""
    return placed_words(field, template, field["role"])


def placed_words(field: Mapping[str, Any], of: Mapping[str, Any], who: str) -> str:
    """What the field is, whose, and where in the documents *of* an envelope or a template."""
    files = {one["id"]: one["name"] for one in of["documents"]}
    kind = KINDS[field["kind"]] + (f" “{field['label']}”" if field["label"] else "")
    file = files.get(field["documentId"], "a document")
    place = f"at {field['anchor']} in {file}" if field["anchor"] else f"page {field['page']} of {file}"
    return f"{kind} of {who}, {place}"
