"""What is put into the sealed documents of an envelope: the stamps of all signers, and the certificate page, which
tells from the envelope's own events what happened."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aureum.domain.consent_texts import TEXTS
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Field, Recipient, Signature
from aureum.domain.ids import to_wire
from aureum.pdf import certificate_page
from aureum.pdf.anchors import Anchor
from aureum.pdf.certificate_page import Act, CertificatePage, Person
from aureum.pdf.fonts import missing_letters
from aureum.pdf.places import places_of
from aureum.pdf.stamping import Kind, Stamp

YES = "true"
"""The value of a checkbox that was checked."""


def stamps_of(
    envelope: Envelope, document: Document, anchors: Sequence[Anchor], pictures: Mapping[UUID, bytes]
) -> list[Stamp]:
    """What all signers have filled in on one document. *pictures* are drawn signatures by their ids."""
    return [
        stamp
        for field in envelope.fields
        if field.document_id == document.id
        for stamp in stamps_at(field, envelope.recipients[field.recipient_id], document, anchors, pictures)
    ]


def stamps_at(
    field: Field, signer: Recipient, document: Document, anchors: Sequence[Anchor], pictures: Mapping[UUID, bytes]
) -> Iterator[Stamp]:
    """The stamps of one field: at each of its places."""
    if signer.signature is None or signer.signed_at is None:
        return
    if field.kind in ("signature", "initials") and not field.required and not (signer.values or {}).get(field.id.hex):
        return  # the signer has left it out
    kind: Kind = field.kind  # type: ignore[assignment]  # the aggregate takes no other
    text, picture, caption = filled_in(field, signer, signer.signature, signer.signed_at, pictures)
    for place in places_of(field, anchors, document.sizes):
        yield Stamp(kind, *place, text=text, picture=picture, caption=caption)


def filled_in(
    field: Field, signer: Recipient, signature: Signature, at: datetime, pictures: Mapping[UUID, bytes]
) -> tuple[str, bytes | None, str]:
    """The text, picture and caption of a field."""
    value = (signer.values or {}).get(field.id.hex, "").strip()
    picture = None if signature.image_id is None else pictures.get(signature.image_id)
    if field.kind == "signature":
        return value or signature.typed or signer.name, picture, f"{signer.name} · {moment(at)}"
    if field.kind == "initials":
        # They are written, with a drawn signature too, unless there are no letters for them.
        text = value or initials(signature.typed or signer.name)
        return text, picture if missing_letters(text) else None, ""
    if field.kind == "checkbox":
        return "x" if value == YES else "", None, ""
    made = {"date": f"{at.astimezone(UTC):%Y-%m-%d}", "name": signer.name}
    return value or made.get(field.kind, ""), None, ""


def initials(name: str) -> str:
    """The first letter of each word."""
    return "".join(word[0] for word in name.split())[:6]


def moment(at: datetime) -> str:
    """A time as the certificate page has it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def certificate_page_of(brokerage: str, envelope: Envelope, events: Sequence[Any]) -> CertificatePage:
    """The page about an envelope. *events* are all of its stream, oldest first."""
    documents = [certificate_page.Document(one.name, one.sha256, one.pages) for one in envelope.documents.values()]
    versions = dict.fromkeys(
        one.consent_version for one in envelope.recipients.values() if one.consent_version is not None
    )
    return CertificatePage(
        brokerage=brokerage,
        subject=envelope.subject,
        envelope=to_wire(envelope.id),
        documents=documents,
        people=[person(one) for one in envelope.recipients.values()],
        acts=list(acts_of(brokerage, events)),
        consents=[(version, TEXTS[version].text if version in TEXTS else version) for version in versions],
    )


def person(one: Recipient) -> Person:
    """A recipient, and how the signature was made."""
    if one.state == "reassigned":
        return Person(one.name, one.email, "replaced by another person")
    if one.signature is None or one.signed_at is None:
        return Person(one.name, one.email, "gets a copy")
    made = "drawn" if one.signature.method == "drawn" else "typed"
    about = [f"Signed {moment(one.signed_at)}, with a {made} signature"]
    if one.signature.image_sha256 is not None:
        about.append(f"SHA-256 of the drawing {one.signature.image_sha256}")
    if one.consent_version is not None:
        about.append(f"Agreed to electronic records, version {one.consent_version} of the text")
    return Person(one.name, one.email, "signer", about)


def acts_of(brokerage: str, events: Sequence[Any]) -> Iterator[Act]:
    """What happened, in its order, in the words of a person who was there."""
    names: dict[UUID, str] = {}
    for event in events:
        at = event.timestamp.astimezone(UTC)
        match event:
            case Envelope.RecipientAdded():
                names[event.recipient_id] = event.name
            case Envelope.RecipientReassigned():
                names[event.new_id] = event.name
                yield Act(at, brokerage, f"put {event.name} in the place of {names[event.recipient_id]}")
            case Envelope.DocumentAttached():
                yield Act(at, brokerage, f"attached {event.name}", f"SHA-256 {event.sha256}")
            case Envelope.Sent():
                yield Act(at, brokerage, "sent the documents")
            case Envelope.RecipientInvited():
                yield Act(at, brokerage, f"invited {names[event.recipient_id]} to sign")
            case Envelope.RecipientReminded():
                yield Act(at, brokerage, f"reminded {names[event.recipient_id]}")
            case Envelope.DeadlineExtended():
                yield Act(at, brokerage, f"extended the deadline to {event.deadline}")
            case Envelope.Viewed():
                yield Act(at, names[event.recipient_id], "opened the documents", whereabouts(event))
            case Envelope.Consented():
                said = f"agreed to electronic records (version {event.text_version})"
                yield Act(at, names[event.recipient_id], said, whereabouts(event))
            case Envelope.Signed():
                proved = "" if event.signed_in_at is None else f". The address was proved at {event.signed_in_at}"
                yield Act(at, names[event.recipient_id], "signed all documents", whereabouts(event) + proved)


def whereabouts(event: Envelope.Viewed | Envelope.Consented | Envelope.Signed) -> str:
    """Where a recipient was when it acted."""
    known = (("From", event.address), ("with", event.program))
    return " ".join(f"{word} {value}" for word, value in known if value)
