"""An envelope as DocuSign wants it: documents, recipients who sign inside our portal, and the places of their fields.

All values of DocuSign's JSON are strings, numbers and flags too. Signers are "embedded": their ``clientUserId`` is our
recipient's id, and DocuSign mails them nothing. DocuSign is not told of those who only get a copy.
"""

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

SUBJECT_LONGEST = 100
BLURB_LONGEST = 10_000
NAME_LONGEST = 100

EXPIRE_DAYS = 120
"""Until when DocuSign would keep the envelope open: our own deadline comes before, and may be extended."""

TABS = {
    "signature": "signHereTabs",
    "initials": "initialHereTabs",
    "date": "dateSignedTabs",
    "name": "fullNameTabs",
    "text": "textTabs",
    "checkbox": "checkboxTabs",
}
"""By kind of field, what DocuSign calls it."""

FILLED = ("text", "checkbox")
"""Kinds that are filled in: they say ``required``, and others that may be left out ``optional``."""

PIECE = 3 * 64 * 1024
"""Bytes that are encoded at a time: base64 of threes can be joined."""


@dataclass(frozen=True, slots=True)
class OutgoingDocument:
    """A PDF. ``read`` opens its bytes anew each time: a request may be sent twice."""

    name: str
    size: int
    read: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class OutgoingSigner:
    """``id`` is our recipient's wire id; signers of the same ``order`` may sign at the same time."""

    id: str
    name: str
    email: str
    order: int


@dataclass(frozen=True, slots=True)
class OutgoingField:
    """``signer`` and ``document`` count from 0; the place is in points from the top left of the page."""

    id: str
    signer: int
    document: int
    kind: str
    required: bool
    label: str
    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class OutgoingEnvelope:
    """What is sent. ``id`` is our envelope's wire id, by which DocuSign knows a request that came before."""

    id: str
    subject: str
    message: str
    documents: Sequence[OutgoingDocument]
    signers: Sequence[OutgoingSigner]
    fields: Sequence[OutgoingField]


def definition(envelope: OutgoingEnvelope, contents: Sequence[str]) -> dict[str, Any]:
    """The body of the create call; *contents* are the documents in base64."""
    return {
        "transactionId": envelope.id,
        "status": "sent",
        "emailSubject": shortened(envelope.subject, SUBJECT_LONGEST),
        "emailBlurb": shortened(envelope.message, BLURB_LONGEST),
        "allowReassign": "false",
        "enableWetSign": "false",
        "notification": {
            "useAccountDefaults": "false",
            "reminders": {"reminderEnabled": "false"},
            "expirations": {
                "expireEnabled": "true",
                "expireAfter": str(EXPIRE_DAYS),
                "expireWarn": "0",
            },
        },
        "documents": [
            {
                "documentId": str(number),
                "name": shortened(document.name, NAME_LONGEST),
                "fileExtension": "pdf",
                "documentBase64": content,
            }
            for number, (document, content) in enumerate(zip(envelope.documents, contents, strict=True), 1)
        ],
        "recipients": {"signers": [signer_of(envelope, index) for index in range(len(envelope.signers))]},
    }


def signer_of(envelope: OutgoingEnvelope, index: int) -> dict[str, Any]:
    """A signer with the tabs that are to be filled in."""
    signer = envelope.signers[index]
    tabs: dict[str, list[dict[str, str]]] = {}
    for field in envelope.fields:
        if field.signer == index:
            tabs.setdefault(TABS[field.kind], []).append(tab(field, index))
    return {
        "recipientId": str(index + 1),
        "clientUserId": signer.id,
        "name": shortened(signer.name, NAME_LONGEST),
        "email": signer.email,
        "routingOrder": str(signer.order),
        "tabs": tabs,
    }


def tab(field: OutgoingField, index: int) -> dict[str, str]:
    """One field. DocuSign counts in pixels of 1/72 inch, which are points."""
    made = {
        "documentId": str(field.document + 1),
        "recipientId": str(index + 1),
        "tabLabel": field.id,
        "pageNumber": str(field.page),
        "xPosition": str(round(field.x)),
        "yPosition": str(round(field.y)),
    }
    if field.kind in FILLED:
        made |= {"required": "true" if field.required else "false"}
        if field.label:
            made |= {"tooltip": field.label}
    elif field.kind in ("signature", "initials"):
        made |= {"optional": "false" if field.required else "true"}
    if field.kind == "text":
        made |= {"width": str(round(field.width)), "height": str(round(field.height))}
    return made


def shortened(text: str, limit: int) -> str:
    """*text* with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Body:
    """The create call's body in pieces: the documents are read while it is sent, and never all in memory."""

    envelope: OutgoingEnvelope
    fixed: Sequence[bytes]
    """The JSON before, between and after the documents."""

    @property
    def length(self) -> int:
        return sum(map(len, self.fixed)) + sum(-(-one.size // 3) * 4 for one in self.envelope.documents)

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self.fixed[0]
        for document, after in zip(self.envelope.documents, self.fixed[1:], strict=True):
            async for piece in encoded(document.read()):
                yield piece
            yield after


def body_of(envelope: OutgoingEnvelope) -> Body:
    """The JSON of *envelope*, cut where its documents belong."""
    # A mark is only found where it stands for a document: quotes inside a value are escaped.
    marks = [f"document-{number}" for number in range(len(envelope.documents))]
    rest = orjson.dumps(definition(envelope, marks))
    fixed = []
    for mark in marks:
        before, _, rest = rest.partition(f'"documentBase64":"{mark}'.encode())
        fixed.append(before + b'"documentBase64":"')
    return Body(envelope, (*fixed, rest))


async def encoded(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The base64 of all *parts* together, in pieces."""
    held = b""
    async for part in parts:
        held += part
        whole = len(held) // 3 * 3
        if whole >= PIECE:
            yield base64.b64encode(held[:whole])
            held = held[whole:]
    if held:
        yield base64.b64encode(held)
