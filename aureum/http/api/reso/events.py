"""An event of the log as RESO's EntityEvent (RCP-27)."""

from typing import Annotated, Literal

from pydantic import Field

from aureum.http.wire.shapes import Shape, Wire


class EntityEventResponse(Shape):
    """One event: the record was created or has changed."""

    EntityEventSequence: Annotated[int, Field(ge=1, description="The `sequence` of webhooks and of `GET /api/events`.")]
    ResourceName: Annotated[
        Literal["Property", "Contacts", "Showing"], Field(description="The resource of RESO's Data Dictionary.")
    ]
    ResourceRecordKey: Annotated[Wire, Field(description="The `id` of the record in the Aureum API.")]
    ResourceRecordUrl: Annotated[str, Field(description="Where to read the record, relative to this host.")]
