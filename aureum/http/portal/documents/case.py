"""An envelope as the client who asks stands to it. Every page and every byte of the ceremony begins here.

The client is the recipient whose address the session has proved; for all others there is no such envelope.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import BinaryIO, TypedDict
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.responses import Response

from aureum.commands.envelopes.signing import SigningClient
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Document, Recipient
from aureum.domain.errors import NotFound
from aureum.http.access.callers import request_id
from aureum.http.access.portal_cookie import chosen_language
from aureum.http.portal.catalogue import LANGUAGES
from aureum.http.portal.documents.page_pictures import page_of
from aureum.http.portal.documents.standing import Standing, standing
from aureum.http.portal.visit import PortalVisit
from aureum.pdf.rendering import ShownPage
from aureum.store.blobs import DocumentLost
from aureum.store.blobs.chunks import Measured
from aureum.store.event_store import Stream


class About(TypedDict):
    """The fields of ``ClientCommand``."""

    tenant_id: UUID
    envelope_id: UUID
    client: SigningClient
    request_id: str | None


@dataclass(frozen=True)
class Case:
    """*envelope* as *recipient* may see it at the moment *at*; ``key`` opens its bytes."""

    visit: PortalVisit
    envelope: Envelope
    recipient: Recipient
    key: AESGCM
    at: datetime

    @property
    def standing(self) -> Standing:
        """Which page comes next."""
        return standing(self.envelope, self.recipient, self.at)

    @property
    def path(self) -> str:
        """The address of the envelope's first page."""
        return f"/portal/documents/{ids.to_wire(self.envelope.id)}"

    @property
    def documents(self) -> list[Document]:
        """In the order in which they were attached; pages call them by their numbers."""
        return list(self.envelope.documents.values())

    @property
    def may_read(self) -> bool:
        """Whether the client may have the documents: in the own turn, once the client has opened them."""
        return self.standing != "open" and self.envelope.may_read(self.recipient)

    def document(self) -> tuple[int, Document]:
        """The document that the path names, with its number. Raises NotFound, also where it may not be read."""
        number = int(self.visit.request.path_params["number"])
        if not self.may_read or not 1 <= number <= len(self.documents):
            raise NotFound
        return number, self.documents[number - 1]

    def parts(self, bytes_id: UUID) -> AsyncIterator[bytes]:
        """Bytes of the envelope, as they are read. Their iteration raises DocumentLost, BucketUnavailable,
        Unavailable."""
        return self.visit.app.blobs.get(self.visit.client.tenant_id, bytes_id, self.key)

    async def checked(self, bytes_id: UUID, sha256: str) -> int:
        """How many bytes there are. Raises DocumentLost unless they have the hash of an event: a signer must see what
        is signed."""
        measured = Measured(self.parts(bytes_id))
        async for _ in measured:
            pass
        if measured.stored().sha256 != sha256:
            raise DocumentLost
        return measured.bytes

    @asynccontextmanager
    async def file(self, document: Document) -> AsyncIterator[BinaryIO]:
        """The document as it was sent, in a file without a name: however many wait to have theirs looked at, none is in
        memory. Raises DocumentLost, BucketUnavailable, Unavailable."""
        measured = Measured(self.parts(document.id))
        with tempfile.TemporaryFile() as file:
            async for part in measured:
                file.write(part)
            if measured.stored().sha256 != document.sha256:
                raise DocumentLost
            file.seek(0)
            yield file

    async def page(self, document: Document, number: int) -> ShownPage:
        """A page of a document. Raises NotFound, DocumentLost, Busy, Unavailable."""
        return await page_of(self.visit.client.tenant_id, document, number, partial(self.file, document))

    def about(self, signed_in_at: datetime | None = None) -> About:
        """What each command of a client begins with. *signed_in_at* is of a session that has just begun."""
        client, request = self.visit.client, self.visit.request
        return {
            "tenant_id": client.tenant_id,
            "envelope_id": self.envelope.id,
            "client": SigningClient(
                address=client.address,
                signed_in_at=signed_in_at or client.signed_in_at,
                ip=self.visit.counted_as,
                program=request.headers.get("user-agent"),
            ),
            "request_id": request_id(request),
        }

    def to_first_page(self) -> Response:
        """The page that says how things stand now."""
        return self.visit.go(self.path)


async def case_of(visit: PortalVisit) -> Case:
    """The envelope of the path. Its pages are in the language that the client chose, else in the one that the sender
    named, else in the browser's. Raises NotFound, Unavailable."""
    envelope_id = ids.from_wire(str(visit.request.path_params["id"]))
    if envelope_id is None:
        raise NotFound
    stream: Stream = await visit.app.store.load(visit.client.tenant_id, envelope_id)
    envelope = stream.aggregate()
    if not isinstance(envelope, Envelope) or envelope.erased or stream.subject_key is None:
        raise NotFound
    recipient = envelope.recipient_of(visit.client.address)
    if recipient.language is not None and chosen_language(visit.request.scope) not in LANGUAGES:
        visit = replace(visit, locale=recipient.language)
    return Case(visit, envelope, recipient, stream.subject_key, ids.now())
