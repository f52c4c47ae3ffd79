"""At which of its domains a brokerage is reached."""

import asyncio
import time

import pytest

from aureum.http.access import arrivals
from aureum.http.access.arrivals import Arrivals
from aureum.http.access.gate import Gate, Lookup
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Server
from tests.stores import open_brokerage, opened_store

SEEN = "SELECT domain FROM domains_seen WHERE tenant_id = %(t)s ORDER BY domain"


def seen(operator: Operator, tenant: Tenant, expected: int) -> list[str]:
    """The domains that were seen, once there are as many as are *expected*; what is written is not waited for."""
    end = time.monotonic() + 20
    while True:
        found = [domain for (domain,) in operator.rows(SEEN, t=tenant.id)]
        if len(found) >= expected or time.monotonic() > end:
            return found
        time.sleep(0.02)


def test_a_domain_is_seen_once_a_request_has_come_to_it(server: Server, operator: Operator) -> None:
    tenant, keyed = operator.brokerage(), operator.brokerage()
    assert server.ask("GET", "/api/leads/count", host="unknown.example.com").status == 404
    assert server.by_key(tenant, "GET", "/api/me").status == 200
    reader = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    assert "none has arrived yet" in reader.get("/admin/settings/domains").body.decode()
    assert seen(operator, tenant, 0) == []

    assert server.form(tenant).status == 200
    assert server.ask("GET", "/api/me", headers=keyed.bearer, host=keyed.domain).status == 200

    assert seen(operator, tenant, 1) == [tenant.domain]
    assert seen(operator, keyed, 1) == [keyed.domain]
    assert "none has arrived yet" not in reader.get("/admin/settings/domains").body.decode()


def test_a_thousand_requests_write_once_and_what_failed_is_written_later(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "AGAIN_SECONDS", 0.05)

    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant_id = await open_brokerage(store)
            ((domain,),) = await store.database.rows("SELECT domain FROM domains")
            await store.database.rows("ALTER TABLE domains_seen RENAME TO domains_away")
            async with (
                Arrivals(store.database) as known,
                Gate(database_url, form_rate_limit=0, arrived=known.came) as gate,
            ):
                for _ in range(1_000):
                    assert await gate.ask(Lookup(b"", domain, "", "")) is not None
                assert await gate.ask(Lookup(b"", "", domain.partition(".")[0], "")) is not None
                await asyncio.sleep(0.2)
                await store.database.rows("ALTER TABLE domains_away RENAME TO domains_seen")
                for _ in range(200):
                    if written := await store.database.rows("SELECT tenant_id, domain FROM domains_seen"):
                        break
                    await asyncio.sleep(0.02)
                assert (written, known.unwritten) == ([(tenant_id, domain)], {})

    asyncio.run(asyncio.wait_for(scenario(), 30))
