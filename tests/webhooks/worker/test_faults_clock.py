"""Clocks that disagree: due times, leases and signed times are the database's, whatever the worker's clock says."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from aureum.domain import ids
from aureum.store.postgres.functions import own_name
from aureum.webhooks.queue.lanes import LEASE_SECONDS
from aureum.webhooks.queue.message import message_id
from tests.conftest import execute
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import attempts, register
from tests.webhooks.waiting import run, until
from tests.webhooks.worker.test_faults_processes import once_then
from tests.webhooks.worker.workers import after, nothing_left, received_ids, working

ANOTHER_CLOCK = sql.SQL(
    """
CREATE SCHEMA clock;
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT pg_catalog.now() + interval {shift} $$;
ALTER DATABASE {name} SET search_path = clock, public, pg_catalog;
ALTER FUNCTION {claim} SET search_path = clock, public, pg_catalog;
"""
)
"""For every session that comes, and the function that has a path of its own: ``now()`` is another hour's."""


@pytest.mark.parametrize("shift", ["1 hour", "-1 hour"])
def test_an_hour_between_the_clocks_delays_nothing_and_is_not_signed(database_url: str, shift: str) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(database_url)["dbname"])
    execute(
        database_url,
        ANOTHER_CLOCK.format(
            shift=sql.Literal(shift), name=sql.Identifier(name), claim=sql.Identifier(own_name("claim_deliveries"))
        ),
    )
    apart = timedelta(hours=1 if shift == "1 hour" else -1)

    async def scenario() -> None:
        failing = once_then(text("500 Oops"), after(0.5, text("200 OK")))
        async with opened_store(database_url) as store, receiving(failing) as receiver:
            tenant = await open_brokerage(store)
            await register(store, tenant, receiver.url)
            await capture(store, tenant)
            async with working(database_url):
                await until(lambda: len(receiver.requests) == 2, 5)
                ((lease,),) = await store.database.rows(
                    "SELECT lease_until - clock.now() FROM webhook_deliveries WHERE state = 'leased'"
                )
                assert timedelta(seconds=LEASE_SECONDS - 5) < lease <= timedelta(seconds=LEASE_SECONDS)
                await nothing_left(store, tenant)
            assert received_ids(receiver) == {message_id(tenant, 2): 2}
            assert [outcome for _, _, outcome, *_ in await attempts(store, tenant)] == ["failed", "delivered"]
            signed: list[Any] = [int(request.headers["webhook-timestamp"]) for request in receiver.requests]
            here = ids.now().timestamp()
            assert all(abs(moment - apart.total_seconds() - here) < 10 for moment in signed)

    run(scenario())
