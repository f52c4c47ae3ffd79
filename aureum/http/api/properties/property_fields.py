"""A property's fields in the Aureum API: what may be sent, and what is shown."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StrictBool, WithJsonSchema

from aureum.domain.photos import LONGEST_ALT, LONGEST_URL, MOST
from aureum.domain.photos import Photo as StoredPhoto
from aureum.domain.property import DETAILS, PropertyFields
from aureum.http.contract.batch import Batch
from aureum.http.wire.characters import VISIBLE, Characters
from aureum.http.wire.fields import Message, Name, Subject, TimeZone
from aureum.http.wire.nulls import NOT_NULL, NULL_IS_ABSENT
from aureum.http.wire.numbers import Amount
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Amount as ShownAmount
from aureum.http.wire.shapes import Shape, Timestamp, Wire

Status = Literal["ACTIVE", "PENDING", "SOLD", "COMING_SOON"]
Type = Literal["SINGLE_FAMILY", "CONDO", "TOWNHOUSE", "LAND", "COMMERCIAL"]
Short = Annotated[str, Characters(limit=100, lines=False)]


def _none_if_blank(mls_id: str | None) -> str | None:
    return mls_id if mls_id is not None and VISIBLE.search(mls_id) else None


# An empty field of a form is no number, which only one listing could have.
MlsId = Annotated[Short | None, AfterValidator(_none_if_blank)]

EXAMPLE: dict[str, JsonValue] = {
    "title": "Modern Villa in Beverly Hills",
    "address": "123 Palm Dr",
    "city": "Beverly Hills",
    "state": "CA",
    "price": 4500000,
    "bedrooms": 5,
    "bathrooms": 4,
    "sqft": 4200,
    "isFeatured": True,
}


class Photo(Body):
    """A link to a picture."""

    model_config = ConfigDict(frozen=True)

    url: Annotated[
        str,
        Characters(limit=LONGEST_URL, blank=False),
        Field(description="The address of the picture. It begins with `https://`."),
        WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https://[^\\s@]+$", "maxLength": LONGEST_URL}),
    ]
    alt: Annotated[
        Annotated[str, Characters(limit=LONGEST_ALT, lines=False)] | None,
        Field(description="A description of the picture, for readers who cannot see it."),
    ] = None


Photos = Annotated[list[Photo], Field(max_length=MOST, description="Links to photos, in the order shown.")]


def stored(photos: list[Photo]) -> list[StoredPhoto]:
    """*photos* as the domain takes them."""
    return [{"url": photo.url, "alt": photo.alt or ""} for photo in photos]


class PropertyCreate(Body):
    """A new property."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": EXAMPLE})

    title: Annotated[Subject, Field(description="Property title")]
    address: Annotated[Subject, Field(description="Street address")]
    city: Annotated[Name, Field(description="City")]
    state: Annotated[Name, Field(description="State")]
    zip_code: Annotated[Short | None, Field(alias="zip", description="ZIP code")] = None
    price: Annotated[Amount | None, Field(description="Listing price in dollars")] = None
    bedrooms: Annotated[Amount | None, Field(description="Number of bedrooms")] = None
    bathrooms: Annotated[Amount | None, Field(description="Number of bathrooms")] = None
    sqft: Annotated[Amount | None, Field(description="Square footage")] = None
    property_type: Annotated[Type | None, Field(alias="propertyType")] = None
    status: Annotated[Status, NULL_IS_ABSENT] = "ACTIVE"
    is_featured: Annotated[StrictBool, NULL_IS_ABSENT, Field(alias="isFeatured")] = False
    description: Message | None = None
    mls: Annotated[Short | None, Field(description="The MLS that `mlsId` belongs to.")] = None
    mls_id: Annotated[
        MlsId,
        Field(
            alias="mlsId",
            description="The listing id in the MLS. It must be unique within the brokerage and MLS. Blank means none.",
        ),
    ] = None
    time_zone: Annotated[
        TimeZone | None, Field(alias="timeZone", description="IANA time zone. Default: the brokerage's.")
    ] = None
    photos: Annotated[Photos, NULL_IS_ABSENT] = Field([])

    def fields(self, created_by: UUID | None) -> PropertyFields:
        """What the property is entered with, by the user *created_by*."""
        return PropertyFields(
            title=self.title,
            address=self.address,
            city=self.city,
            state=self.state,
            zip_code=self.zip_code,
            price=self.price,
            bedrooms=self.bedrooms,
            bathrooms=self.bathrooms,
            sqft=self.sqft,
            property_type=self.property_type,
            status=self.status,
            is_featured=self.is_featured,
            description=self.description,
            mls=self.mls,
            mls_id=self.mls_id,
            time_zone=self.time_zone,
            created_by=created_by,
        )


class PropertyBatch(Batch):
    """Up to 100 properties. Each row has the fields of the body of ``POST /api/properties``."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "rows": [{"title": "Modern Villa", "address": "123 Palm Dr", "city": "Beverly Hills", "state": "CA"}]
            }
        },
    )


class PropertyChange(Body):
    """The fields to change. ``null`` clears an optional field. Fields that are left out keep their value."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"status": "SOLD", "price": 4450000}})

    title: Annotated[Subject, NOT_NULL]
    address: Annotated[Subject, NOT_NULL]
    city: Annotated[Name, NOT_NULL]
    state: Annotated[Name, NOT_NULL]
    zip_code: Annotated[Short | None, Field(alias="zip")] = None
    price: Amount | None = None
    bedrooms: Amount | None = None
    bathrooms: Amount | None = None
    sqft: Amount | None = None
    property_type: Annotated[Type | None, Field(alias="propertyType")] = None
    status: Annotated[Status, NOT_NULL]
    is_featured: Annotated[StrictBool, NOT_NULL, Field(alias="isFeatured")]
    description: Message | None = None
    mls: Short | None = None
    mls_id: Annotated[MlsId, Field(alias="mlsId")] = None
    time_zone: Annotated[TimeZone | None, Field(alias="timeZone")] = None
    photos: Annotated[Photos, NOT_NULL]

    def details(self) -> dict[str, str | bool | None]:
        """What is sent of a property's ``DETAILS``."""
        return {name: getattr(self, name) for name in DETAILS if name in self.model_fields_set}


class PhotoResponse(Shape):
    """A link to a picture."""

    url: Annotated[str, Field(description="The address of the picture.")]
    alt: Annotated[str, Field(description="A description of the picture. Empty if there is none.")]


class PropertyResponse(Shape):
    """A property."""

    id: Wire
    title: str
    slug: str
    address: str
    city: str
    state: str
    zip: str | None
    price: ShownAmount | None
    status: Status
    standardStatus: Literal["Active", "Pending", "Closed", "Coming Soon"]
    propertyType: Type | None
    bedrooms: ShownAmount | None
    bathrooms: ShownAmount | None
    sqft: ShownAmount | None
    isFeatured: bool
    description: str | None
    mls: str | None
    mlsId: str | None
    timeZone: str | None
    createdAt: Timestamp
    updatedAt: Timestamp
    photos: Annotated[
        list[PhotoResponse],
        Field(
            default=[],
            description="Links to photos, in the order shown. Present only if the property has ever had photos.",
        ),
    ]
    removed: Annotated[
        bool,
        Field(
            description="Whether the property was removed, because the import that had added it was undone. Only in "
            "webhooks, and present only then."
        ),
    ] = False
