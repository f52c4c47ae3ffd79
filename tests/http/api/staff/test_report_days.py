"""Reports whose days were counted before say the same as reports that count all days now, whatever happens between."""

import random
from datetime import timedelta
from typing import Any

from aureum.http.api.staff.reports import PATH
from aureum.store.event_store import EventStore
from tests.http.api.staff.test_reports import SET_BACK, filled, report
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

ERASE = "/api/v1/admin/people/erase"

FIRST, LAST = SET_BACK - timedelta(5), SET_BACK + timedelta(9)


def in_database(operator: Operator, tenant: Tenant, statement: str) -> list[Any]:
    """A statement about the rows of one brokerage."""

    async def asked(store: EventStore) -> list[Any]:
        return await store.database.rows(statement, {"tenant": tenant.id})

    return operator.run(asked)


def forget_all(operator: Operator, tenant: Tenant) -> None:
    in_database(operator, tenant, "DELETE FROM report_days WHERE tenant_id = %(tenant)s")


def test_kept_days_follow_what_happens(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    agents = [operator.staff(tenant.id, "agent", name) for name in ("Ana Agent", "Ben Agent")]
    filled(operator, tenant, agents, seed=3, leads=60)
    dice = random.Random(3)
    leads = server.leads(tenant)
    suspects = [one["id"] for one in leads if one.get("suspect")]
    others = [one["id"] for one in leads if not one.get("suspect")]
    before = report(server, owner, FIRST, LAST)

    def happens(turn: int) -> None:
        lead = dice.choice(others)
        match turn % 6:
            case 0:
                server.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"status": dice.choice(("qualified", "offer"))})
            case 1:
                server.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"assignedToId": dice.choice(agents).id})
            case 2:
                server.ask("POST", f"/api/leads/{lead}/activities", {"type": "visit"}, owner.bearer)
            case 3:
                filled(operator, tenant, agents, seed=100 + turn, leads=3)
            case 4:
                cleared = server.ask("POST", f"/api/leads/{suspects.pop()}/clear", None, owner.bearer)
                assert cleared.status == 200, cleared.body
            case _:
                number = in_database(operator, tenant, "SELECT max(number) FROM lead_list WHERE tenant_id = %(tenant)s")
                erased = server.ask("POST", ERASE, {"lead_id": number[0][0]}, owner.bearer)
                assert erased.status == 202, erased.body

    for turn in range(6):
        happens(turn)
        kept = report(server, owner, FIRST, LAST)
        (rows,) = in_database(operator, tenant, "SELECT count(*) FROM report_days WHERE tenant_id = %(tenant)s")
        assert rows[0] > 0, "the days are kept"
        forget_all(operator, tenant)
        assert kept == report(server, owner, FIRST, LAST)
    assert kept["total"] != before["total"]


def test_days_of_another_clock(server: Server, operator: Operator, tenant: Tenant) -> None:
    zone = "Asia/Kathmandu"
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    filled(operator, tenant, [owner], seed=4, leads=40)
    report(server, owner, FIRST, LAST)
    ((number,),) = in_database(operator, tenant, "SELECT number FROM brokerages WHERE tenant_id = %(tenant)s")
    changed = server.ask("PATCH", f"/api/v1/admin/brokerages/{number}", {"time_zone": zone}, owner.bearer)
    assert changed.status == 200, changed.body
    kept = report(server, owner, FIRST, LAST)
    forget_all(operator, tenant)
    assert kept == report(server, owner, FIRST, LAST)
    assert kept["time_zone"] == zone


def test_days_that_another_version_left_behind(server: Server, operator: Operator, tenant: Tenant) -> None:
    """A process that knows nothing of the days moves the checkpoint without their mark."""
    owner = operator.staff(tenant.id, "brokerage_owner", "Olivia Owner")
    filled(operator, tenant, [owner], seed=5, leads=20)
    whole = report(server, owner, FIRST, LAST)
    in_database(operator, tenant, "UPDATE report_days SET leads = leads + 1 WHERE tenant_id = %(tenant)s")
    in_database(operator, tenant, "UPDATE report_marks SET position = position - 1 WHERE tenant_id = %(tenant)s")
    fresh = server.ask("GET", f"{PATH}?from={FIRST}&to={LAST}&_again=1", headers=owner.bearer)
    assert fresh.json == whole
