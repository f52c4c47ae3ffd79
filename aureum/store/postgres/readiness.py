"""Whether a process can do its work: the database answers, is of this version, and stores what it is given."""

import psycopg

from aureum.domain.errors import Unavailable
from aureum.store.postgres.arrays import packed
from aureum.store.postgres.connection import Connection
from aureum.store.postgres.database import NOT_THIS_VERSION
from aureum.store.postgres.functions import signatures
from aureum.store.postgres.watch import Watch

READY = """
SELECT current_setting('transaction_read_only')::boolean,
       (SELECT bool_and(to_regprocedure(f.name) IS NOT NULL) FROM unnest(%b::text[]) AS f (name))
"""

READY_SECONDS = 2.0
"""How long the database may take to answer: what asks for readiness seldom waits longer."""


async def check(connection: Connection, watch: Watch) -> None:
    """Raises Unavailable with a sentence for the operator, and what the driver raises."""
    cursor = await connection.cursor(binary=True).execute(READY, [packed(str, signatures(citus=connection.citus))])
    ((only_reads, of_this_version),) = await cursor.fetchall()
    if only_reads:
        # As if it had been written to: the next connection may find the server that has taken over.
        raise psycopg.errors.ReadOnlySqlTransaction
    trouble = watch.trouble() if of_this_version else NOT_THIS_VERSION
    if trouble is not None:
        raise Unavailable(trouble)
