"""Where a field stands on a document, as a program sends it of an envelope and of a template."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, StrictBool
from pydantic_core import CoreSchema, core_schema

from aureum.domain import ids
from aureum.domain.envelope_parts import LONGEST_LABEL, MOST_PAGES
from aureum.domain.envelope_parts import Field as Place
from aureum.http.contract.resource import reference
from aureum.http.wire.characters import Characters
from aureum.http.wire.fields import WireId
from aureum.http.wire.nulls import NULL_IS_ABSENT
from aureum.http.wire.numbers import Whole
from aureum.http.wire.sent import Body

LARGEST_PAGE = 14_400
"""Points: what a PDF allows."""

Kind = Literal["signature", "initials", "date", "name", "text", "checkbox"]


@dataclass(frozen=True)
class Points:
    """A length on a page."""

    least: float = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.float_schema(strict=True, ge=self.least, le=LARGEST_PAGE, allow_inf_nan=False)


class PlaceOfField(Body):
    """The place, without the person who fills it in."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[WireId | None, Field(description="A field that is there already. Without it, a new one.")] = None
    document_id: Annotated[WireId, Field(alias="documentId", description="The document on which it stands.")]
    kind: Kind
    required: Annotated[StrictBool, NULL_IS_ABSENT] = True
    label: Annotated[Annotated[str, Characters(limit=LONGEST_LABEL, lines=False)] | None, Field()] = None
    anchor: Annotated[
        Annotated[str, Characters(limit=LONGEST_LABEL, blank=False, lines=False)] | None,
        Field(description="A mark in the text of the document, such as `/sig:buyer/`, at which the field stands."),
    ] = None
    page: Annotated[Annotated[int, Whole(1, MOST_PAGES)] | None, Field(description="The page, from 1.")] = None
    x: Annotated[Annotated[float, Points()] | None, Field(description="Points from the left.")] = None
    y: Annotated[Annotated[float, Points()] | None, Field(description="Points from the top.")] = None
    width: Annotated[Annotated[float, Points(1)] | None, Field(description="The width in points.")] = None
    height: Annotated[Annotated[float, Points(1)] | None, Field(description="The height in points.")] = None

    def of(self, recipient_id: UUID) -> Place:
        """As the aggregate takes it, for the recipient or role with that id."""
        document = reference(self.document_id)
        assert document is not None
        return Place(
            id=reference(self.id) or ids.new_id(),
            recipient_id=recipient_id,
            document_id=document,
            kind=self.kind,
            required=self.required,
            label=self.label,
            anchor=self.anchor,
            page=self.page,
            x=self.x,
            y=self.y,
            width=self.width,
            height=self.height,
        )
