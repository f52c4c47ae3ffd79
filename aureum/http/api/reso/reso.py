"""``/api/reso``: the events of the log as RESO's EntityEvent (RCP-27), and properties in its Data Dictionary's fields.

The form is that of OData: ``value`` has the records, and ``@odata.nextLink`` leads to the next page. Of OData's query
options only those that RCP-27 needs are there.
"""

import re
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams
from starlette.responses import Response

from aureum.commands.properties import NO_PROPERTY
from aureum.domain.errors import NotFound
from aureum.domain.ids import from_wire, to_wire
from aureum.domain.property import Property
from aureum.http.api.reso.data_dictionary import ResoPropertyResponse, in_data_dictionary
from aureum.http.api.reso.events import EntityEventResponse
from aureum.http.api.reso.metadata import metadata
from aureum.http.contract.answers import answer, encoded, list_etag, not_modified
from aureum.http.contract.at_head import tenant_rows_at_head
from aureum.http.contract.endpoint import INTEGRATOR, Context, Endpoint, Id
from aureum.http.contract.paging import Limit
from aureum.http.contract.resource import AsOf, row, then, unless_known
from aureum.http.wire.queries import check_names
from aureum.projections import property_list
from aureum.projections.document_list import ABOVE_ALL
from aureum.registry import WEBHOOK_EVENTS
from aureum.webhooks.telling.emitted import emitted_since

EVENTS, PROPERTIES = "/api/reso/EntityEvent", "/api/reso/Property"
METADATA = "/api/reso/$metadata"
PAGE = 100

RESOURCES = {"property": "Property", "contact": "Contacts", "showing": "Showing"}
"""What the Data Dictionary has resources for, by the first word of our events. Leads and tasks have none."""

URLS = {"Property": PROPERTIES, "Contacts": "/api/contacts", "Showing": "/api/showings"}
"""Where the records are."""

TOLD = frozenset(event for event in WEBHOOK_EVENTS if event.partition(".")[0] in RESOURCES)

FILTER = re.compile(r" *EntityEventSequence +(gt|ge) +([0-9]{1,18}) *")

TAG = "reso"
XML = "application/xml"


def _after(text: Any) -> int:
    found = FILTER.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("event_filter", "filter")
    return int(found[2]) - (found[1] == "ge")


def _key(text: Any) -> UUID:
    key = from_wire(text) if isinstance(text, str) else None
    if key is None:
        raise PydanticCustomError("skip_token", "skiptoken")
    return key


After = Annotated[
    int,
    PlainValidator(_after),
    WithJsonSchema({"type": "string", "pattern": "^EntityEventSequence (gt|ge) [0-9]{1,18}$"}),
]
Key = Annotated[UUID, PlainValidator(_key), WithJsonSchema({"type": "string", "pattern": "^c[0-9a-z]{25}$"})]
Top = Annotated[Limit | None, Field(alias="$top", description=f"The maximum number of records. Default: {PAGE}.")]


class EventQuery(BaseModel):
    """From where on, and how many."""

    model_config = ConfigDict(frozen=True)

    after: Annotated[
        After | None,
        Field(
            alias="$filter",
            description="Returns only events after a sequence (`gt`), or from it on (`ge`).",
            examples=["EntityEventSequence gt 100"],
        ),
    ] = None
    top: Top = None


class PropertyQuery(BaseModel):
    """Behind which property, and how many."""

    model_config = ConfigDict(frozen=True)

    before: Annotated[
        Key | None, Field(alias="$skiptoken", description="Where the page begins, from `@odata.nextLink`.")
    ] = None
    top: Top = None


class Collection(BaseModel):
    """What collections of OData have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: Annotated[str, Field(alias="@odata.context", description="The type of the records.")]
    next_link: Annotated[
        str | None, Field(alias="@odata.nextLink", description="The next page, relative to this host, if there is one.")
    ] = None


class EntityEventsResponse(Collection):
    """A page of events."""

    value: Annotated[list[EntityEventResponse], Field(description="The events, oldest first.")]


class ResoPropertiesResponse(Collection):
    """A page of properties."""

    value: Annotated[list[ResoPropertyResponse], Field(description="The properties, newest first.")]


def page(path: str, records: list[dict[str, Any]], more: dict[str, Any] | None, etag: str) -> Response:
    """A page of a collection; *more* is the query of the next page, if there is one."""
    name = path.rpartition("/")[2]
    body: dict[str, Any] = {"@odata.context": f"{METADATA}#{name}", "value": records}
    if more is not None:
        body["@odata.nextLink"] = f"{path}?{urlencode(more)}"
    return answer(encoded(body), headers={"ETag": etag})


def check_options(context: Context, *known: str) -> None:
    """Raises InvalidRequest for an option of OData that is not there: ignored, it would give another answer than the
    client expects."""
    options = [(name, value) for name, value in context.request.query_params.multi_items() if name.startswith("$")]
    check_names(QueryParams(options), known)


def etag_of(context: Context, path: str) -> str:
    """The ETag of a page: the same query says the same until something is appended."""
    query, caller = context.request.query_params, context.caller
    return list_etag(path, context.tenant_id, caller.head, caller.read_version, sorted(query.multi_items()))


async def get_entity_events(context: Context, query: EventQuery) -> Response:
    """Lists events as RESO's EntityEvent (RCP-27), oldest first: which property, contact or showing has changed. Read
    the record at ``ResourceRecordUrl``. If the record was erased or removed, that is 404. Leads and tasks have no
    resource in RESO's Data Dictionary, so ``GET /api/events`` has them. A page can be shorter than ``$top``, or empty,
    and still have a next page."""
    check_options(context, "$filter", "$top")
    etag = etag_of(context, EVENTS)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    head, top = context.caller.head, query.top or PAGE
    after = min(max(query.after or 0, 0), head)
    found = await emitted_since(context.app.store, context.tenant_id, after, TOLD, head=head, limit=top)
    records = []
    for one in found.messages:
        name, key = RESOURCES[one.event.partition(".")[0]], to_wire(one.stream_id)
        records.append(
            {
                "EntityEventSequence": one.position,
                "ResourceName": name,
                "ResourceRecordKey": key,
                "ResourceRecordUrl": f"{URLS[name]}/{key}",
            }
        )
    more = {"$filter": f"EntityEventSequence gt {found.until}", "$top": top} if found.more else None
    return page(EVENTS, records, more, etag)


async def get_reso_properties(context: Context, query: PropertyQuery) -> Response:
    """Lists the properties in the fields of RESO's Data Dictionary 2.0, newest first."""
    check_options(context, "$skiptoken", "$top")
    etag = etag_of(context, PROPERTIES)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    top = query.top or PAGE
    view = property_list.PROPERTIES
    parameters = {
        "tenant": context.tenant_id,
        "before": query.before or ABOVE_ALL,
        "limit": top,
        **dict.fromkeys(one.name for one in view.filters),
    }
    ((docs, last, found),) = await tenant_rows_at_head(context, view.page, parameters)
    records = [in_data_dictionary(doc) for doc in orjson.loads(f"[{docs or ''}]")]
    more = {"$skiptoken": to_wire(last), "$top": top} if found > top else None
    return page(PROPERTIES, records, more, etag)


async def get_reso_property(context: Context, property_id: UUID, as_of: AsOf) -> Response:
    """Returns the property in the fields of RESO's Data Dictionary 2.0, or its state at ``asOf``."""
    if as_of.as_of is not None:
        listed: Property = await then(context, property_list.LIST, property_id, NO_PROPERTY, as_of.as_of)
        doc = property_list.document(listed, property_id, listed.created_on, listed.modified_on)
        return unless_known(context, encoded(in_data_dictionary(doc)), listed.version)
    found = await row(context, property_list.LIST, property_id)
    if found is None:
        raise NotFound(NO_PROPERTY)
    return unless_known(context, encoded(in_data_dictionary(orjson.loads(found["doc"]))), found["stream_version"])


async def get_metadata(context: Context) -> Response:
    """Returns the OData metadata document (CSDL XML): the fields of the RESO resources that Aureum serves, with their
    types, lengths and lookups in the Data Dictionary 2.0."""
    check_options(context)
    etag = list_etag(METADATA, context.tenant_id, sha256(metadata()).hexdigest())
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    return Response(metadata(), 200, {"ETag": etag}, XML)


ENDPOINTS = (
    Endpoint(
        "GET",
        METADATA,
        get_metadata,
        "Get the RESO metadata document",
        access=INTEGRATOR,
        answers=str,
        media=XML,
        tag=TAG,
    ),
    Endpoint(
        "GET",
        EVENTS,
        get_entity_events,
        "Read the events as RESO EntityEvent",
        access=INTEGRATOR,
        query=EventQuery,
        answers=EntityEventsResponse,
        tag=TAG,
    ),
    Endpoint(
        "GET",
        PROPERTIES,
        get_reso_properties,
        "List properties in RESO fields",
        access=INTEGRATOR,
        query=PropertyQuery,
        answers=ResoPropertiesResponse,
        tag=TAG,
    ),
    Endpoint(
        "GET",
        f"{PROPERTIES}/{{id}}",
        get_reso_property,
        "Get a property in RESO fields",
        access=INTEGRATOR,
        id=Id(NO_PROPERTY),
        query=AsOf,
        answers=ResoPropertyResponse,
        tag=TAG,
    ),
)
