"""``GET /api/contacts/duplicates``: pairs of contacts that may be one person, over the whole brokerage.

They are sorted by what they share: the address and the name, the address, the phone, the name. A page begins after the
last pair of the page before.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.responses import Response, StreamingResponse

from aureum.domain.duplicates import Reason, likeness
from aureum.http.api.duplicates.duplicate_fields import Doc, in_short, person_of, said
from aureum.http.contract.answers import JSON, answer_kept, encoded, kept_as, log_etag, not_modified
from aureum.http.contract.endpoint import Context
from aureum.http.contract.lists import nothing
from aureum.http.contract.paging import DIGEST, Bound, Limit, decoded, digest, link
from aureum.http.contract.paging import encoded as in_base64
from aureum.http.wire.validation import refused
from aureum.projections.duplicates import BEGINNING, KEYS, PAIRS_BY, Place

PATH = "/api/contacts/duplicates"
CHUNK = 500
"""Pairs that are read at once for a list without ``limit``."""

CURSOR = 1 + 3 * 16 + DIGEST

FOUND_BY: tuple[frozenset[Reason], ...] = (
    frozenset(),
    frozenset(),
    frozenset(("email",)),
    frozenset(("email", "phone")),
)
"""By key: the reasons by which a pair was shown before."""


def _cursor(text: Any) -> bytes:
    raw = decoded(text, CURSOR)
    if raw is None or raw[0] >= len(KEYS):
        raise PydanticCustomError("cursor", "cursor")
    return raw


PairCursor = Annotated[
    bytes, PlainValidator(_cursor), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{76}$"})
]


class PairPaging(BaseModel):
    """A page of pairs."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[
        Limit | None, Field(description="The length of a page. Without it the whole list is returned.")
    ] = None
    cursor: Annotated[
        PairCursor | None, Field(description="The position of the page, from the `Link` header of the previous page.")
    ] = None


class Pair(NamedTuple):
    """A pair as it is found: where it stands, and both documents."""

    place: Place
    newer: Doc
    older: Doc


async def get_pairs(context: Context, paging: PairPaging) -> Response:
    """Lists pairs of contacts that may be the same person, with the reasons and how sure they are. Pairs that share the
    address and the name come first, then the address, the phone, the name. Pairs that a user told apart are not
    listed."""
    bound: Bound = (PATH, context.tenant_id.int, context.caller.view)
    start = BEGINNING if paging.cursor is None else opened(paging.cursor, bound)
    etag = log_etag(context.request, context.caller, PATH)
    unchanged = not_modified(context.request, etag)
    if unchanged is not None:
        return unchanged
    if paging.limit is None:
        return await whole(context, start, etag)
    kept = await context.app.answers.get(
        kept_as(context.caller, etag), partial(page, context, start, paging.limit, bound)
    )
    return answer_kept(kept, etag)


class Part(NamedTuple):
    """Some pairs of the list, as they are shown; and where the next one begins, unless they are the last."""

    shown: list[dict[str, Any]]
    following: Place | None


async def part(context: Context, start: Place, limit: int) -> Part:
    """Up to *limit* pairs behind *start*."""
    found: list[Pair] = []
    shown: list[dict[str, Any]] = []
    place = start
    while len(shown) <= limit and place.kind < len(KEYS):
        pairs = await read(context, place, limit + 1)
        for pair in pairs:
            suggestion = suggested(pair, context.caller.country)
            if suggestion is not None:
                found.append(pair)
                shown.append(suggestion)
        place = pairs[-1].place if len(pairs) > limit else BEGINNING._replace(kind=place.kind + 1)
    return Part(shown[:limit], found[limit - 1].place if len(shown) > limit else None)


async def page(context: Context, start: Place, limit: int, bound: Bound) -> bytes:
    """A page behind *start*, with the link to the next one on a line before it."""
    shown, following = await part(context, start, limit)
    links = ""
    if following is not None:
        links = link(PATH, {"limit": limit, "cursor": written(following, bound)}, "next")
    return f"{links}\n".encode() + encoded(shown)


async def whole(context: Context, start: Place, etag: str) -> Response:
    """The whole list in chunks, from *start* on; of HEAD nothing but the headers."""
    if context.request.method == "HEAD":
        return StreamingResponse(nothing(), headers={"ETag": etag}, media_type=JSON)
    # Before the answer begins: once it has, a database that is gone could not be told any more.
    first = await part(context, start, CHUNK)
    return StreamingResponse(chunks(context, first), headers={"ETag": etag}, media_type=JSON)


async def chunks(context: Context, first: Part) -> AsyncIterator[bytes]:
    """The list from its *first* part on."""
    shown, following = first
    yield encoded(shown)[:-1]
    while following is not None:
        shown, following = await part(context, following, CHUNK)
        if shown:
            yield b"," + encoded(shown)[1:-1]
    yield b"]"


async def read(context: Context, place: Place, limit: int) -> list[Pair]:
    """Up to *limit* pairs behind *place*, by the same key."""
    parameters = {"tenant": context.tenant_id, "limit": limit, **place._asdict()}
    rows = await context.app.database.rows(PAIRS_BY[place.kind], parameters)
    return [
        Pair(Place(place.kind, key, newer, older), orjson.loads(doc), orjson.loads(other))
        for key, newer, older, doc, other in rows
    ]


def suggested(pair: Pair, country: str) -> dict[str, Any] | None:
    """The pair on the wire; None where it was shown by a stronger reason already, or its contacts no longer say what
    one that was merged into them does."""
    found = likeness(person_of(pair.older, country), person_of(pair.newer, country))
    if found is None or not FOUND_BY[pair.place.kind].isdisjoint(found.reasons):
        return None
    return {"contacts": [in_short(pair.older, "contact"), in_short(pair.newer, "contact")], **said(found)}


def written(place: Place, bound: Bound) -> str:
    """*place* as ``PairCursor`` and ``opened`` read it."""
    payload = bytes((place.kind,)) + place.key.bytes + place.newer.bytes + place.older.bytes
    return in_base64(payload + digest(bound, payload))


def opened(raw: bytes, bound: Bound) -> Place:
    """Where the page begins. Raises InvalidRequest for a cursor of another list or caller."""
    payload = raw[:-DIGEST]
    if raw[-DIGEST:] != digest(bound, payload):
        raise refused("query", "cursor", "cursor")
    key, newer, older = (UUID(bytes=payload[start : start + 16]) for start in (1, 17, 33))
    return Place(payload[0], key, newer, older)
