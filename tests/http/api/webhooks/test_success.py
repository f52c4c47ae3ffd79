"""How a webhook's attempts went on each day, in the API and in the panel."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.http.api.webhooks.test_deliveries import Hook, hook
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Server

__all__ = ["hook"]

MOVED = """
UPDATE webhook_attempts SET started_at = now() - %(days)s * interval '1 day' + position * interval '1 microsecond'
 WHERE tenant_id = %(tenant)s AND started_at < '2026-02-01'
"""
"""Attempts that were written with another date happened some days ago."""


def test_days_are_counted_in_the_zone_of_the_brokerage(
    server: Server, operator: Operator, tenant: Tenant, hook: Hook
) -> None:
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    path = f"/admin/webhooks/{hook.id}"
    assert "No attempts in the last 30 days." in owner.read(path).said("p")
    hook.told(1)
    hook.tried(1, 1, "failed", "http_5xx")
    operator.rows(MOVED, tenant=tenant.id, days=2)
    hook.tried(1, 2, "delivered")
    hook.told(2)
    hook.tried(2, 1, "delivered")
    operator.rows(MOVED, tenant=tenant.id, days=0)

    days = hook.ask("GET", f"{hook.id}/success").json["days"]

    today = datetime.now(ZoneInfo("America/Boise")).date()
    assert [day["day"] for day in days] == [str(today - timedelta(number)) for number in reversed(range(30))]
    counts = [(day["attempts"], day["succeeded"]) for day in days]
    assert (counts[-1], counts[-2], counts[-3]) == ((2, 2), (0, 0), (1, 0)) and counts[:-3] == [(0, 0)] * 27
    reading = owner.read(path)
    assert "66.7 % of 3 attempts in the last 30 days succeeded." in reading.said("p")
    assert reading.said("title")[1:] == [f"{today - timedelta(2)}: 0 of 1 succeeded", f"{today}: 2 of 2 succeeded"]
