"""Checks of the bytes of documents: whether they are there, and how much room is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from aureum.cli.checks.check import Doctor, Finding

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.postgres.database import Database

MOST = 50
"""So many documents are named one by one."""

NEARLY = 0.9

INCOMPLETE = """
SELECT d.tenant_id, d.document_id FROM documents d
 WHERE d.whole AND NOT d.gone AND NOT d.in_bucket
   AND (SELECT count(*) FROM document_chunks c WHERE c.tenant_id = d.tenant_id AND c.document_id = d.document_id)
       <> greatest(1, ceil(d.bytes / %(chunk)s::numeric))
 ORDER BY d.tenant_id, d.document_id
"""

IN_BUCKET = """
SELECT d.tenant_id, d.document_id, d.bytes FROM documents d
 WHERE d.whole AND NOT d.gone AND d.in_bucket
 ORDER BY d.tenant_id, d.document_id
"""

NAMED = """
SELECT e.tenant_id, e.envelope_id, e.doc FROM envelope_list e
  JOIN heads h ON h.tenant_id = e.tenant_id AND h.envelope_list_version = e.read_version
 WHERE e.state <> 'purged' AND (e.tenant_id, e.envelope_id) > (%(tenant)s, %(envelope)s)
 ORDER BY e.tenant_id, e.envelope_id
 LIMIT %(limit)s
"""

THERE = """
SELECT d.document_id FROM documents d WHERE d.document_id = ANY (%(documents)s) AND d.whole AND NOT d.gone
"""

AT_ONCE = 1_000

SIZES = """
SELECT b.slug, sum(d.bytes)::bigint FROM documents d
  JOIN brokerages b ON b.tenant_id = d.tenant_id
 WHERE NOT d.gone
 GROUP BY b.slug
HAVING sum(d.bytes) >= %(most)s
 ORDER BY b.slug
"""

MISSING = (
    "The document {document} of the brokerage {tenant} is incomplete: {what}. It cannot be shown, signed or sealed. "
    "Restore it from a backup."
)
MORE = "{more} more documents are incomplete."
CHUNKS_MISSING = "chunks are missing in the database"
NEVER_STORED = "an envelope names it, and nothing of it is stored"
OBJECT_MISSING = "its object in the bucket is missing or has another size"
UNREACHABLE = "The bucket of AUREUM_DOCUMENTS_URL cannot be used: {error}"
NO_BUCKET = "{count} documents are in a bucket, and AUREUM_DOCUMENTS_URL is not set. Set it to that bucket."
NEARLY_FULL = (
    "The documents of {slug} take {used:.1f} of {quota:g} GB. When these are full, uploads are refused: raise "
    "AUREUM_DOCUMENTS_QUOTA_GB, or let the brokerage delete drafts."
)


async def documents(doctor: Doctor) -> AsyncIterator[Finding]:
    """Whether all chunks of all documents are there, and which brokerage comes near its quota."""
    from aureum.domain.ids import to_wire
    from aureum.store.blobs.chunks import CHUNK
    from aureum.store.blobs.opening import GB

    database = doctor.store.database
    found = [(*row, CHUNKS_MISSING) for row in await database.rows(INCOMPLETE, {"chunk": CHUNK})]
    found += [(*one, NEVER_STORED) for one in await never_stored(database)]
    in_bucket = await database.rows(IN_BUCKET)
    if in_bucket and doctor.settings.documents_url is None:
        yield Finding("documents", NO_BUCKET.format(count=len(in_bucket)), {"documents": len(in_bucket)})
    elif doctor.settings.documents_url is not None:
        from aureum.domain.errors import Busy

        try:
            found += [(*one, OBJECT_MISSING) for one in await missing(doctor.settings.documents_url, in_bucket)]
        except Busy as error:
            yield Finding("documents", UNREACHABLE.format(error=error))
    for tenant_id, document_id, what in found[:MOST]:
        named = {"document": to_wire(document_id), "tenant": to_wire(tenant_id)}
        yield Finding("documents", MISSING.format(**named, what=what), named)
    if len(found) > MOST:
        yield Finding("documents", MORE.format(more=len(found) - MOST), {"more": len(found) - MOST})
    quota = doctor.settings.documents_quota_gb
    if quota:
        for slug, used in await database.rows(SIZES, {"most": round(NEARLY * quota * GB)}):
            text = NEARLY_FULL.format(slug=slug, used=used / GB, quota=quota)
            yield Finding("documents", text, {"brokerage": slug, "bytes": used})


async def never_stored(database: Database) -> list[tuple[UUID, UUID]]:
    """Those documents that envelopes name, as they were sent or sealed, and of which no bytes were ever stored whole:
    after a restore of a part, say. Raises Unavailable."""
    import orjson

    from aureum.domain.ids import PLATFORM, from_wire, id_of_bytes

    lost: list[tuple[UUID, UUID]] = []
    after = {"tenant": PLATFORM, "envelope": PLATFORM}
    while rows := await database.rows(NAMED, after | {"limit": AT_ONCE}):
        named: dict[UUID, tuple[UUID, UUID]] = {}
        for tenant_id, _, text in rows:
            for one in orjson.loads(text)["documents"]:
                document_id = from_wire(one["id"])
                assert document_id is not None, "it is an id"
                named[document_id] = (tenant_id, document_id)
                if one["sealedSha256"]:
                    named[id_of_bytes(document_id, one["sealedSha256"])] = (tenant_id, document_id)
        there = {found for (found,) in await database.rows(THERE, {"documents": list(named)})}
        lost += dict.fromkeys(one for stored, one in named.items() if stored not in there)
        after = {"tenant": rows[-1][0], "envelope": rows[-1][1]}
    return lost


async def missing(url: str, in_bucket: list[tuple[UUID, UUID, int]]) -> list[tuple[UUID, UUID]]:
    """Those documents whose object is not there as a whole. Raises BucketUnavailable."""
    from aureum.store.blobs.chunks import sealed_size
    from aureum.store.blobs.in_bucket import name_of
    from aureum.store.blobs.opening import bucket_of

    bucket = bucket_of(url)
    assert bucket is not None
    there = {name: size async for name, size in bucket.objects()}
    return [
        (tenant_id, document_id)
        for tenant_id, document_id, size in in_bucket
        if there.get(name_of(tenant_id, document_id)) != sealed_size(size)
    ]
