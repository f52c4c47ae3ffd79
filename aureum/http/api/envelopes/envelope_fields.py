"""An envelope's fields in the Aureum API: what may be sent, and what is shown."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StrictBool, model_validator

from aureum.commands.envelopes.drafting import NewRecipient
from aureum.domain.envelope_parts import (
    LONGEST_NAME,
    LONGEST_ORDER,
    MOST_FIELDS,
    MOST_RECIPIENTS,
)
from aureum.domain.envelope_parts import Field as Place
from aureum.domain.envelope_rules import (
    DEADLINE_DAYS,
    LONGEST_MESSAGE,
    LONGEST_REASON,
    LONGEST_SUBJECT,
    MOST_DAYS,
)
from aureum.domain.template_roles import LONGEST_ROLE
from aureum.http.api.envelopes.field_place import Kind, PlaceOfField
from aureum.http.contract.resource import reference
from aureum.http.wire.characters import NOT_BLANK, Characters
from aureum.http.wire.fields import Email, WireId
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire
from aureum.http.wire.times import Time
from aureum.http.wire.validation import BreaksRule

State = Literal["draft", "sent", "completing", "completed", "declined", "voided", "expired"]
EveryState = Literal["draft", "sent", "completing", "completed", "declined", "voided", "expired", "purged"]
Provider = Literal["built_in", "docusign"]
RecipientRole = Literal["signer", "copy"]
RecipientState = Literal["waiting", "invited", "viewed", "consented", "signed", "declined", "reassigned", "expired"]

PROVIDER = "How it is signed: in the portal (`built_in`), or with the brokerage's DocuSign account (`docusign`, Elite)."


Subject = Annotated[str, Characters(limit=LONGEST_SUBJECT, blank=False, lines=False)]
Message = Annotated[str, Characters(limit=LONGEST_MESSAGE)]
PersonName = Annotated[str, Characters(limit=LONGEST_NAME, blank=False, lines=False)]
Days = Annotated[
    int,
    Whole(1, MOST_DAYS),
    Field(description=f"How many days the recipients have, 1 to {MOST_DAYS}. {DEADLINE_DAYS} by default."),
]
Contact = Annotated[WireId | None, Field(alias="contactId", description="A contact of the brokerage.")]
LeadId = Annotated[WireId | None, Field(alias="leadId", description="A lead of the brokerage.")]
Language = Annotated[
    Literal["en", "es"] | None,
    Field(
        description="The language of the recipient's mails and of the pages of the documents, until the recipient "
        "chooses one in the portal. Without it, mails are in the language of the subject and message."
    ),
]
VISIBLE: JsonValue = {"type": "string", "pattern": NOT_BLANK}
NEEDED: list[JsonValue] = [
    {"required": ["subject"], "properties": {"subject": VISIBLE}},
    {"required": ["templateId"], "properties": {"templateId": VISIBLE}},
]
"""A new envelope has one of them."""

RECIPIENT: dict[str, JsonValue] = {"name": "Jane Doe", "email": "jane@example.com", "order": 1}
EXAMPLE: dict[str, JsonValue] = {
    "subject": "Offer for 12 Oak Street",
    "message": "Please sign by Friday.",
    "recipients": [RECIPIENT],
}


class RecipientCreate(Body):
    """A person who signs, or gets a copy once all have signed."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": RECIPIENT})

    role: Annotated[RecipientRole, NULL_IS_ABSENT] = "signer"
    name: PersonName
    email: Annotated[Email, Field(description="Each recipient of an envelope needs a different address.")]
    contact_id: Contact = None
    order: Annotated[
        int,
        Whole(1, LONGEST_ORDER),
        NULL_IS_ABSENT,
        Field(description="Recipients with a lower number sign first. Several may have the same."),
    ] = 1
    language: Language = None

    def recipient(self, recipient_id: UUID | None = None) -> NewRecipient:
        """As the command takes it."""
        return NewRecipient(
            id=recipient_id,
            role=self.role,
            name=self.name,
            email=self.email,
            contact_id=reference(self.contact_id),
            order=self.order,
            language=self.language,
        )


class RecipientDraft(RecipientCreate):
    """A recipient of a new envelope. With ``templateRole`` the person plays that role of the template, which says
    whether the person signs, and in which turn."""

    template_role: Annotated[
        Annotated[str, Characters(limit=LONGEST_ROLE, lines=False)] | None,
        Field(alias="templateRole", description="A role of the template that `templateId` names."),
    ] = None

    def cast(self) -> NewRecipient:
        """As the command takes it."""
        return self.recipient().model_copy(update={"template_role": self.template_role})


class RecipientChange(RecipientCreate):
    """A recipient of the draft. With ``id`` it is one that the draft has already, and keeps its fields."""

    id: Annotated[WireId | None, Field(description="A recipient of the draft. Without it, a new one.")] = None

    def as_sent(self) -> NewRecipient:
        """As the command takes it."""
        return self.recipient(reference(self.id))


class FieldPlace(PlaceOfField):
    """A place that a signer fills in: at an ``anchor``, or on a ``page``."""

    recipient_id: Annotated[WireId, Field(alias="recipientId", description="A signer of the envelope.")]

    def place(self) -> Place:
        """As the aggregate takes it."""
        recipient = reference(self.recipient_id)
        assert recipient is not None
        return self.of(recipient)


class EnvelopeCreate(Body):
    """A new envelope, which is a draft until it is sent. Documents are uploaded to it, then fields are placed. With
    ``templateId`` it has the documents and fields of the template, and a person for each of its roles."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": EXAMPLE,
            "anyOf": NEEDED,
        },
    )

    template_id: Annotated[
        WireId | None,
        Field(alias="templateId", description="A template of the brokerage. What is not sent comes from it."),
    ] = None
    subject: Annotated[Subject | None, Field(description="Required without `templateId`.")] = None
    message: Message | None = None
    contact_id: Contact = None
    lead_id: LeadId = None
    provider: Annotated[Provider, NULL_IS_ABSENT, Field(description=PROVIDER)] = "built_in"
    in_order: Annotated[
        StrictBool | None,
        Field(
            alias="inOrder",
            description="Whether signers sign one after the other, by their `order`. `true` by default.",
        ),
    ] = None
    deadline_days: Annotated[Days | None, Field(alias="deadlineDays")] = None
    recipients: Annotated[list[RecipientDraft], Field(max_length=MOST_RECIPIENTS), NULL_IS_ABSENT] = Field([])

    @model_validator(mode="after")
    def whole(self) -> "EnvelopeCreate":
        if self.template_id is not None:
            return self
        if self.subject is None:
            raise BreaksRule("subject", "subject is required, or templateId.")
        if any(one.template_role is not None for one in self.recipients):
            raise BreaksRule("templateRole", "templateRole is a role of a template: name the template by templateId.")
        return self


class EnvelopeChange(Body):
    """The fields of a draft to change. ``recipients`` and ``fields`` replace the whole lists."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"subject": "Counter-offer for 12 Oak Street"}}
    )

    subject: Annotated[Subject, NOT_NULL]
    message: Message | None = None
    contact_id: Contact = None
    lead_id: LeadId = None
    provider: Annotated[Provider, NOT_NULL, Field(description=PROVIDER)]
    in_order: Annotated[
        StrictBool,
        NOT_NULL,
        Field(alias="inOrder", description="Whether signers sign one after the other, by their `order`."),
    ]
    deadline_days: Annotated[Days, NOT_NULL, Field(alias="deadlineDays")]
    recipients: Annotated[list[RecipientChange], Field(max_length=MOST_RECIPIENTS), NOT_NULL]
    fields: Annotated[list[FieldPlace], Field(max_length=MOST_FIELDS), NOT_NULL]

    def changes(self) -> dict[str, Any]:
        """What is sent, by the names of the aggregate."""
        values = {
            "subject": self.subject,
            "message": self.message,
            "contact_id": reference(self.contact_id),
            "lead_id": reference(self.lead_id),
            "provider": self.provider,
            "in_order": self.in_order,
            "deadline_days": self.deadline_days,
        }
        return {name: value for name, value in values.items() if name in self.model_fields_set}


class VoidReason(Body):
    """Why the envelope is withdrawn."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"reason": "The price has changed."}})

    reason: Annotated[
        Annotated[str, Characters(limit=LONGEST_REASON, lines=False)] | None,
        Field(description="The recipients read it."),
    ] = None


class Deadline(Body):
    """Until when the recipients may sign."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"deadline": "2026-12-31T23:00:00Z"}})

    deadline: Annotated[
        Time,
        Field(description=f"Later than the present deadline, at most {MOST_DAYS} days after the envelope was sent."),
    ]


class OtherPerson(Body):
    """The person who takes the recipient's place."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"example": {"name": "John Doe", "email": "john@example.com"}}
    )

    name: PersonName
    email: Email
    contact_id: Contact = None
    language: Language = None


class EnvelopeDocument(Shape):
    """A document of an envelope."""

    id: Wire
    name: str
    bytes: int
    pages: int
    sha256: Annotated[str, Field(description="The SHA-256 of the file as it was uploaded.")]
    sealedSha256: Annotated[str | None, Field(description="The SHA-256 of the sealed file. `null` until then.")]


class EnvelopeRecipient(Shape):
    """A recipient of an envelope."""

    id: Wire
    role: RecipientRole
    name: str
    email: str
    contactId: Wire | None
    order: int
    language: Annotated[Literal["en", "es"] | None, Field(description="The language that the sender chose, if any.")]
    state: RecipientState
    invitedAt: Timestamp | None
    remindedAt: Timestamp | None
    viewedAt: Timestamp | None
    signedAt: Timestamp | None
    declinedReason: str | None


class EnvelopeField(Shape):
    """A place that a signer fills in."""

    id: Wire
    recipientId: Wire
    documentId: Wire
    kind: Kind
    required: bool
    label: str | None
    anchor: str | None
    page: int | None
    x: float | None
    y: float | None
    width: float | None
    height: float | None


class DocumentHashes(Shape):
    """A document, by its hashes."""

    id: Wire
    sha256: Annotated[str, Field(description="The SHA-256 of the file as it was uploaded.")]
    sealedSha256: Annotated[str | None, Field(description="The SHA-256 of the sealed file. `null` until then.")]


class DocumentResponse(Shape):
    """An envelope as webhooks receive it: ids, the state and hashes."""

    id: Annotated[Wire, Field(description="The id of the envelope.")]
    state: EveryState
    contactId: Wire | None
    leadId: Wire | None
    recipientId: Annotated[Wire | None, Field(description="The recipient who viewed, signed or declined.")]
    documents: list[DocumentHashes]


class EnvelopeResponse(Shape):
    """An envelope."""

    id: Wire
    subject: str
    message: str | None
    provider: Provider
    contactId: Wire | None
    leadId: Wire | None
    createdById: Annotated[Wire | None, Field(description="The user who drafted it. `null` for an API key.")]
    inOrder: bool
    deadlineDays: int
    state: EveryState
    deadline: Annotated[Timestamp | None, Field(description="When it expires. `null` until it is sent.")]
    sentAt: Timestamp | None
    completedAt: Timestamp | None
    endedReason: Annotated[str | None, Field(description="Why it was declined or voided.")]
    retainUntil: Annotated[Timestamp | None, Field(description="Until when a completed envelope is kept.")]
    purgeAt: Annotated[Timestamp | None, Field(description="When it is purged earlier, if an owner asked for that.")]
    documents: list[EnvelopeDocument]
    recipients: list[EnvelopeRecipient]
    fields: list[EnvelopeField]
    createdAt: Timestamp
    updatedAt: Timestamp
    erased: Annotated[bool, Field(description="Whether it was purged. Present only if it was.")] = False
