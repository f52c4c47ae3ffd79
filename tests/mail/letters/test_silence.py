"""A domain at which nothing arrives, and where links lead meanwhile."""

from aureum.mail.letters.links import base, page
from aureum.mail.letters.silence import silence, tenants_with_silence
from tests.mail.letters.telling import SETTINGS, hire, office, summary
from tests.stores import opened_store
from tests.webhooks.waiting import run


def test_owners_hear_once_of_a_domain_that_nothing_has_reached_for_a_day(module_database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(module_database_url) as store:
            tenant, _, _ = await office(store)
            other, _, _ = await office(store)
            await hire(store, tenant, "Otto", "brokerage_owner", notify="none")
            assert await tenants_with_silence(store.database) == []
            old = "UPDATE domains SET added_at = added_at - interval '25 hours' RETURNING 1"
            await store.database.rows(old)
            ((domain,),) = await store.database.rows("SELECT domain FROM domains WHERE tenant_id = %s", [other])
            seen = "INSERT INTO domains_seen (tenant_id, domain) VALUES (%s, %s) RETURNING 1"
            await store.database.rows(seen, [other, domain])
            assert await tenants_with_silence(store.database) == [tenant]
            for expected in ([("domain_silent", "Olga"), ("domain_silent", "Otto")], []):
                async with store.database.connection() as connection:
                    await connection.execute("BEGIN")
                    letters = await silence(connection, tenant, SETTINGS)
                    await connection.execute("COMMIT")
                assert summary(letters) == expected
            assert await tenants_with_silence(store.database) == []

    run(scenario())


def test_links_lead_to_where_requests_arrive() -> None:
    assert base("b1", ["www.b1.example"], "crm.example", None, None) == "https://www.b1.example"
    assert base("b1", [], "crm.example", "https://api.example", None) == "https://b1.crm.example"
    assert base("b1", [], None, "https://api.example/", None) == "https://api.example"
    assert base("demo", ["localhost"], None, None, "http://localhost:8000") == "http://localhost:8000"
    assert base("b1", [], None, None, "http://localhost:8000") is None
    assert page("https://b1.crm.example", "") == "https://b1.crm.example/admin"
    assert page(None, "pond") is None
