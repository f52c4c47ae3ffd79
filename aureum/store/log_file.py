"""A tenant's log as a file: the stored rows as they are, personal data sealed, for an auditor without the database.

It is CSV with a header; what is binary is in hexadecimal digits. ``psql`` makes the same with COPY, so that an auditor
need not trust our command.
"""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

COLUMNS = (
    "tenant_id",
    "position",
    "stream_id",
    "version",
    "type",
    "schema_version",
    "recorded_at",
    "data",
    "metadata",
    "hash",
)

LOG = """
COPY (
  SELECT tenant_id, position, stream_id, version, type, schema_version,
         encode(timestamptz_send(recorded_at), 'hex') AS recorded_at, encode(data, 'hex') AS data,
         encode(metadata, 'hex') AS metadata, encode(hash, 'hex') AS hash
    FROM events
   WHERE tenant_id = {tenant}
   ORDER BY position
) TO STDOUT (FORMAT csv, HEADER)
"""
"""The same statement stands in docs/how-to/prove-the-log.md."""

LONGEST_FIELD = 64 * 1024 * 1024

NO_LOG = "This is not a log: its first line must be {columns}."


class Unreadable(ValueError):
    """A file is not a log that can be verified. The message says why."""


async def copied(connection: AsyncConnection[Any], tenant_id: UUID) -> AsyncIterator[bytes]:
    """The bytes of the file. The connection is the owner's."""
    from psycopg import sql

    statement = sql.SQL(LOG).format(tenant=sql.Literal(str(tenant_id)))
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        async for block in copy:
            yield bytes(block)


def read(lines: Iterable[str]) -> tuple[UUID, Iterator[Any]]:
    """The log's tenant, and its rows as ``chain.check`` takes them. Raises Unreadable, also while it is read."""
    csv.field_size_limit(LONGEST_FIELD)
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, None)
        first = next(rows, None)
        if header != list(COLUMNS):
            raise Unreadable(NO_LOG.format(columns=",".join(COLUMNS)))
        if first is None:
            raise Unreadable("The log is empty.")
        return UUID(first[0]), stored(first, rows)
    except (csv.Error, ValueError, UnicodeDecodeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(NO_LOG.format(columns=",".join(COLUMNS))) from error


def stored(first: list[str], rows: Iterator[list[str]]) -> Iterator[Any]:
    """Each row as the database has it. Raises Unreadable with the line's number."""
    row: list[str] | None = first
    number = 2
    while row is not None:
        try:
            tenant, position, stream, version, name, schema, recorded_at, data, metadata, hash_ = row
            if tenant != first[0]:
                raise Unreadable(f"Line {number} is of another tenant. Verify each tenant's log by itself.")
            yield (
                int(position),
                UUID(stream).bytes,
                int(version),
                name.encode(),
                int(schema),
                bytes.fromhex(data),
                bytes.fromhex(metadata),
                bytes.fromhex(recorded_at),
                bytes.fromhex(hash_),
            )
            row = next(rows, None)
            number += 1
        except Unreadable:
            raise
        except (csv.Error, ValueError, UnicodeDecodeError) as error:
            raise Unreadable(f"Line {number} is not an event of a log.") from error
