"""The whole list of leads: in chunks, while others write, for readers who take their time."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

from aureum.http.contract.lists import CHUNK
from tests.http.operator import Operator, Tenant
from tests.http.serving import MUCH, PATIENCE, Server, answer_of, until

STATES = """
SELECT DISTINCT state FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'aureum' AND pid <> pg_backend_pid()
"""


def test_the_whole_list_is_streamed_while_writes_go_on(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant
) -> None:
    operator.fill(tenant, 2_100)
    before = server.by_key(tenant, "GET", "/api/leads").ids
    assert len(set(before)) == 2_100
    assert before == sorted(before, reverse=True)

    with ThreadPoolExecutor(1) as others:
        writing = True

        def write() -> int:
            written = 0
            while writing:
                proxied.lead(tenant)
                proxied.by_key(tenant, "PATCH", f"/api/leads/{before[written]}", {"status": "contacted"})
                written += 1
            return written

        writer = others.submit(write)
        try:
            lists = [server.by_key(tenant, "GET", "/api/leads").ids for _ in range(5)]
        finally:
            writing = False
        assert writer.result(PATIENCE) > 0

    for found in lists:
        assert found == sorted(set(found), reverse=True), "no lead twice, newest first"
        assert [lead for lead in found if lead in set(before)] == before, "none is skipped"
    assert len(server.leads(tenant, "?status=new")) == 2_100


def test_slow_readers_hold_no_connection_of_the_database(server: Server, operator: Operator, tenant: Tenant) -> None:
    operator.fill(tenant, CHUNK + 1, message=MUCH)
    with ExitStack() as stack:
        slow = []
        for number in range(5):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            stack.callback(connection.close)
            connection.request("GET", "/api/leads", headers=tenant.bearer | {"X-Request-Id": f"slow-{number}"})
            slow.append(connection.getresponse())

        # More of them than the process has connections to read with.
        until(lambda: {state for (state,) in operator.rows(STATES)} <= {"idle"})
        assert server.by_key(tenant, "GET", "/api/leads?limit=2").status == 200
        assert "slow-" not in server.logged(), "none of them has been answered whole"

        answers = [answer_of(response) for response in slow]
    assert {len(answer.ids) for answer in answers} == {CHUNK + 1}


def test_the_rest_of_a_list_may_vanish_while_it_is_read(server: Server, operator: Operator, tenant: Tenant) -> None:
    operator.fill(tenant, CHUNK + 1)
    operator.fill(tenant, CHUNK, message=MUCH)
    leads = server.by_key(tenant, "GET", "/api/leads?status=new").ids
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/api/leads?status=new", headers=tenant.bearer)
        response = connection.getresponse()

        # The only lead that the third chunk would have; the second has been read already and waits.
        assert server.by_key(tenant, "PATCH", f"/api/leads/{leads[-1]}", {"status": "lost"}).status == 200

        assert answer_of(response).ids == leads[:-1]
