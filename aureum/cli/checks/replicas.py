"""Checks of the replicas that lists are read at: whether each answers, follows this primary, and keeps up."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from aureum.cli.checks.check import Doctor, Finding

if TYPE_CHECKING:
    from aureum.store.postgres.connection import Connection

NOT_USED = "Nothing is read at the replica {replica}: {why}. Mend it, or take its URL out of AUREUM_REPLICA_URLS."
USED = "The replica {replica} is {lag:.2f} s late."
LATE = "it is more than {seconds:g} s late"
LOOK_SECONDS = 0.05


async def replicas(doctor: Doctor) -> AsyncIterator[Finding]:
    """How late each replica is, or why it is not used."""
    import psycopg

    from aureum.domain.errors import Unavailable
    from aureum.store.postgres.database import connect
    from aureum.store.postgres.replica import REPLICA_SECONDS, name_of
    from aureum.store.postgres.replicas import MOST_LAG, NoReplica, check_same
    from aureum.store.postgres.watch import Watch

    for url in doctor.settings.replica_urls:
        about, why, watch = {"replica": name_of(url)}, None, Watch(REPLICA_SECONDS)
        try:
            async with await connect(url, prepared=doctor.settings.prepared_statements, watch=watch) as connection:
                await check_same(doctor.store.database, connection)
                lag = await lag_of(doctor, connection)
                if lag is not None:
                    yield Finding("replica", USED.format(lag=lag, **about), about | {"lag": lag}, decide=False)
                    continue
                why = LATE.format(seconds=MOST_LAG)
        except NoReplica as error:
            why = str(error)
        except Unavailable:
            why = "it does not answer"
        except psycopg.Error as error:
            why = f"it refuses ({type(error).__name__})"
        yield Finding("replica", NOT_USED.format(why=why, **about), about)


async def lag_of(doctor: Doctor, connection: Connection) -> float | None:
    """For how many seconds the replica does not show what is written now; None if for too long. Raises NoReplica,
    Unavailable, the driver's errors."""
    import asyncio

    from aureum.store.postgres.replicas import MOST_LAG, replayed, written

    goal, begun = await written(doctor.store.database) or 0, time.monotonic()
    while await replayed(connection) < goal:
        if time.monotonic() - begun > MOST_LAG:
            return None
        await asyncio.sleep(LOOK_SECONDS)
    return round(time.monotonic() - begun, 3)
