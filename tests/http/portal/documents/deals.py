"""A deal as staff begin it: an envelope with a contract, sent to its signers."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_draft import EnvelopeFields
from aureum.domain.envelope_parts import Document, Field, Recipient
from aureum.pdf.inspecting import inspect
from aureum.settings import Settings
from aureum.store.blobs.opening import open_blobs
from aureum.store.event_store import NO_STREAM, EventStore
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.pdf.papers import contract

KINDS = ("initials", "date", "name", "text", "checkbox")

Decision = Callable[[Envelope, datetime], None]


@dataclass(frozen=True)
class Deal:
    """An envelope, as the operator sees it."""

    operator: Operator
    tenant: Tenant
    id: UUID

    @property
    def path(self) -> str:
        """Of its page in the portal."""
        return f"/portal/documents/{ids.to_wire(self.id)}"

    @property
    def now(self) -> Envelope:
        """The envelope as its events make it."""

        async def loaded(store: EventStore) -> Envelope:
            envelope = (await store.load(self.tenant.id, self.id)).aggregate()
            assert isinstance(envelope, Envelope)
            return envelope

        return self.operator.run(loaded)

    @property
    def states(self) -> list[str]:
        """Of the recipients, in their order."""
        return [one.state for one in self.now.recipients.values()]

    @property
    def hashes(self) -> dict[str, str]:
        """What the page of the form names of its documents."""
        return {f"shown-{number}": one.sha256 for number, one in enumerate(self.now.documents.values(), 1)}

    @property
    def events(self) -> int:
        """How many there are."""
        return self.now.version

    def decide(self, decision: Decision, at: datetime | None = None) -> None:
        """What happens to it otherwise."""

        async def decided(store: EventStore) -> None:
            stream = await store.load(self.tenant.id, self.id)
            envelope = stream.aggregate()
            decision(envelope, at or ids.now())
            await store.append(self.tenant.id, envelope, stream, command="Test", origin=ORIGIN)

        self.operator.run(decided)

    def void(self, reason: str) -> None:
        """Staff withdraw it."""
        self.decide(lambda envelope, at: envelope.void(reason, at))

    def attach(self, paper: bytes, name: str, at: datetime) -> UUID:
        """A PDF, whose bytes are kept; the document's id."""
        document_id, sha256 = ids.new_id(), hashlib.sha256(paper).hexdigest()
        self.keep(document_id, paper)
        found = inspect(paper)
        anchors = tuple(dict.fromkeys(one.text for one in found.anchors))
        document = Document(document_id, name, sha256, len(paper), found.pages, anchors, found.sizes)
        self.decide(lambda envelope, now: envelope.attach(document, now), at)
        return document_id

    def keep(self, document_id: UUID, data: bytes) -> None:
        """Bytes of the envelope."""

        async def parts() -> AsyncIterator[bytes]:
            yield data

        async def put(store: EventStore) -> None:
            key = (await store.load(self.tenant.id, self.id)).subject_key
            assert key is not None
            blobs = open_blobs(Settings(), store.database)
            await blobs.put(self.tenant.id, document_id, key, parts(), of=self.id)

        self.operator.run(put)


def fields_of(recipient: UUID, document: UUID, place: int, kinds: Sequence[str]) -> list[Field]:
    """Fields of one recipient, beside those of the others: the last is a signature at an anchor of the last page."""
    found = []
    for row, kind in enumerate(kinds):
        at: dict[str, Any] = {"page": 1, "x": 60.0 + 250 * (place - 1), "y": 200.0 + 60 * row}
        size: dict[str, Any] = {"width": 180.0, "height": 40.0}
        new = Field(ids.new_id(), recipient, document, kind, kind != "text", label=f"The {kind}", **at, **size)
        found.append(new)
    return [*found, Field(ids.new_id(), recipient, document, "signature", anchor=f"/sig:signer{place}/")]


def deal(
    operator: Operator,
    tenant: Tenant,
    signers: Sequence[tuple[str, str]],
    *,
    kinds: Sequence[str] = KINDS,
    pages: int = 2,
    copies: Sequence[tuple[str, str]] = (),
    language: str | None = None,
    at: datetime | None = None,
    then: Decision | None = None,
    **fields: Any,
) -> Deal:
    """An envelope that was sent to these *signers*, one after the other, and *copies*: each a name and an address. It
    was sent *at* another time, and *then* more was decided at that time."""
    moment = at or ids.now()
    given: dict[str, Any] = dict.fromkeys(("contact_id", "lead_id", "template_id", "assigned_to", "created_by"))
    given |= {"subject": "Purchase of 12 Oak Lane", "message": "Please sign by Friday.", "provider": "built_in"}
    given |= {"in_order": True, "deadline_days": 30}
    envelope = Envelope.draft(ids.new_id(), moment, EnvelopeFields(**given | fields))
    operator.run(lambda store: store.append(tenant.id, envelope, NO_STREAM, command="Test", origin=ORIGIN))
    begun = Deal(operator, tenant, envelope.id)
    anchors = [f"/sig:signer{place}/" for place in range(1, len(signers) + 1)]
    document = begun.attach(contract(pages, anchors=anchors), "Contract.pdf", moment)

    def sent(envelope: Envelope, at: datetime) -> None:
        placed: list[Field] = []
        for order, (name, email) in enumerate(signers, 1):
            one = Recipient(ids.new_id(), "signer", name, email, None, order, language=language)
            envelope.add_recipient(one, at)
            placed += fields_of(one.id, document, order, kinds)
        for name, email in copies:
            envelope.add_recipient(Recipient(ids.new_id(), "copy", name, email, None, 1), at)
        envelope.place_fields(placed, at)
        envelope.send(at)
        if then is not None:
            then(envelope, at)

    begun.decide(sent, moment)
    return begun
