"""The fields of a template of envelopes in the Aureum API: what may be sent, and what is shown."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, StrictBool

from aureum.domain.envelope_parts import LONGEST_ORDER, MOST_BYTES, MOST_FIELDS
from aureum.domain.envelope_parts import MOST_RECIPIENTS as MOST_ROLES
from aureum.domain.envelope_parts import Field as Place
from aureum.domain.envelope_template import LONGEST_TEMPLATE_NAME
from aureum.domain.template_roles import LONGEST_ROLE, Role, role_id
from aureum.http.api.envelopes.envelope_fields import Days, Message, RecipientRole, Subject
from aureum.http.api.envelopes.field_place import Kind, PlaceOfField
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import WireId
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire

TemplateName = Annotated[str, Characters(limit=LONGEST_TEMPLATE_NAME, blank=False, lines=False)]
RoleName = Annotated[str, Characters(limit=LONGEST_ROLE, blank=False, lines=False)]

IN_ORDER = "Whether signers sign one after the other, by their `order`."
ROLE: dict[str, JsonValue] = {"name": "buyer", "order": 1}
EXAMPLE: dict[str, JsonValue] = {
    "name": "Listing agreement",
    "subject": "Your listing agreement",
    "roles": [{"name": "seller", "order": 1}, {"name": "broker", "order": 2}],
}


class TemplateRole(Body):
    """What a person is in the documents of a template."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": ROLE})

    name: Annotated[RoleName, Field(description="Such as `buyer`. Each role of a template has a name of its own.")]
    role: Annotated[RecipientRole, NULL_IS_ABSENT, Field(description="What the person does.")] = "signer"
    order: Annotated[
        int,
        Whole(1, LONGEST_ORDER),
        NULL_IS_ABSENT,
        Field(description="Those with a lower number sign first. Several may have the same."),
    ] = 1

    def cast(self) -> Role:
        """As the command takes it."""
        return Role(self.name, self.role, self.order)


class TemplatePlace(PlaceOfField):
    """A place that the person of a role fills in: at an ``anchor``, or on a ``page``."""

    role: Annotated[RoleName, Field(description="A role of the template that signs.")]

    def place(self) -> Place:
        """As the aggregate takes it: a role is known by its id."""
        return self.of(role_id(self.role))


class TemplateCreate(Body):
    """A new template. Documents are uploaded to it, then fields are placed. With ``envelopeId`` it has the documents
    and fields of the envelope, and a role for each of its recipients."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    name: Annotated[TemplateName, Field(description="The name that staff see.")]
    envelope_id: Annotated[
        WireId | None,
        Field(
            alias="envelopeId",
            description="An envelope of the brokerage. `inOrder` and `deadlineDays` default to those of the envelope, "
            "and `roles` cannot be sent.",
        ),
    ] = None
    subject: Subject
    message: Message | None = None
    in_order: Annotated[StrictBool | None, Field(alias="inOrder", description=f"{IN_ORDER} `true` by default.")] = None
    deadline_days: Annotated[Days | None, Field(alias="deadlineDays")] = None
    roles: Annotated[list[TemplateRole], Field(max_length=MOST_ROLES), NULL_IS_ABSENT] = Field([])


class TemplateChange(Body):
    """What to change of the template. ``roles`` and ``fields`` replace the present ones."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"name": "Listing agreement, exclusive"}})

    name: Annotated[TemplateName, NOT_NULL, Field(description="The name that staff see.")]
    subject: Annotated[Subject, NOT_NULL]
    message: Message | None = None
    in_order: Annotated[StrictBool, NOT_NULL, Field(alias="inOrder", description=IN_ORDER)]
    deadline_days: Annotated[Days, NOT_NULL, Field(alias="deadlineDays")]
    roles: Annotated[list[TemplateRole], Field(max_length=MOST_ROLES), NOT_NULL]
    fields: Annotated[list[TemplatePlace], Field(max_length=MOST_FIELDS), NOT_NULL]

    def changes(self) -> dict[str, Any]:
        """What is sent, by the names of the aggregate."""
        names = ("name", "subject", "message", "in_order", "deadline_days")
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class TemplateRoleResponse(Shape):
    """A role of a template."""

    name: str
    role: RecipientRole
    order: int


class TemplateDocument(Shape):
    """A document of a template."""

    id: Wire
    name: str
    bytes: Annotated[int, Field(ge=1, le=MOST_BYTES, description="The size of the file.")]
    pages: Annotated[int, Field(ge=1, description="How many pages it has.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the file.")]
    anchors: Annotated[list[str], Field(description="The marks in its text at which fields may stand.")]


class TemplateField(Shape):
    """A place that the person of a role fills in."""

    id: Wire
    role: str
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


class TemplateResponse(Shape):
    """A template of envelopes."""

    id: Wire
    name: str
    subject: str
    message: str | None
    inOrder: bool
    deadlineDays: int
    roles: list[TemplateRoleResponse]
    documents: list[TemplateDocument]
    fields: list[TemplateField]
    createdById: Annotated[Wire | None, Field(description="The user who added it. `null` for an API key.")]
    createdAt: Timestamp
    updatedAt: Timestamp
    erased: Annotated[bool, Field(description="Whether it was removed. Present only if it was.")] = False
