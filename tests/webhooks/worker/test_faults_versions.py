"""Two versions of the worker at once, during an upgrade: what the older one leaves behind, the newer one delivers."""

from uuid import uuid4

from tests.stores import open_brokerage, opened_store
from tests.webhooks.queue.queued import enqueue
from tests.webhooks.receiver import receiving, text
from tests.webhooks.tenants import register
from tests.webhooks.waiting import run
from tests.webhooks.worker.workers import nothing_left, received_ids, working

RELEASE_0_2 = (
    # It knows nothing of when a lane is due next.
    "INSERT INTO webhook_lanes (tenant_id, endpoint_id) VALUES (%(tenant)s, %(endpoint)s) ON CONFLICT DO NOTHING",
    "INSERT INTO webhook_messages (tenant_id, position, message_id, event, stream_id, body, recorded_at)"
    " SELECT %(tenant)s, p, 'msg_' || p, 'lead.created', %(tenant)s, '{}', now() FROM unnest(ARRAY[1, 2, 3]) AS p"
    " ON CONFLICT (tenant_id, position) DO NOTHING",
    "INSERT INTO webhook_deliveries (tenant_id, endpoint_id, position, due_at)"
    " SELECT %(tenant)s, %(endpoint)s, p, now() - interval '1 minute' FROM unnest(ARRAY[1, 2, 3]) AS p"
    " ON CONFLICT (tenant_id, endpoint_id, position) DO NOTHING",
)
"""How the projector of 0.2.0 made deliveries."""

CLAIMED_BY_0_2 = """
UPDATE webhook_deliveries
   SET state = 'leased', attempt = attempt + 1, lease_owner = %(owner)s, lease_until = now() + interval '1 second'
 WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position = 1
"""
FAILED_AT_0_2 = """
UPDATE webhook_deliveries
   SET state = 'due', attempt = attempt + 1, due_at = now() - interval '1 minute'
 WHERE tenant_id = %(tenant)s AND endpoint_id = %(endpoint)s AND position = 2
"""


def test_what_an_older_worker_queued_claimed_and_failed_with_is_delivered(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store, receiving(text("200 OK")) as receiver:
            tenant = await open_brokerage(store)
            endpoint = await register(store, tenant, receiver.url)
            about = {"tenant": tenant, "endpoint": endpoint, "owner": uuid4()}
            for statement in (*RELEASE_0_2, CLAIMED_BY_0_2, FAILED_AT_0_2):
                await store.database.rows(statement, about)
            # A neighbour whose deliveries the newer one made.
            other = await register(store, tenant, receiver.url)
            await enqueue(store, tenant, other, [4])
            async with working(database_url):
                await nothing_left(store, tenant)
            assert received_ids(receiver) == {f"msg_{place}": 1 for place in (1, 2, 3, 4)}

    run(scenario())
