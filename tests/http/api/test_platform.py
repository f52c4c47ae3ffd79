"""What platform admins see of the installation: the state, and a log that was tampered with."""

from aureum.domain.ids import PLATFORM
from tests.http.api.staff.keys import number_of
from tests.http.operator import Operator
from tests.http.panel.reader import as_staff
from tests.http.serving import JANE, Server

PATH = "/api/v1/admin/platform"
BACK = "UPDATE events SET recorded_at = recorded_at - interval '1 hour' WHERE tenant_id = %(tenant)s AND position = 2"


def test_the_state_and_a_log(server: Server, operator: Operator) -> None:
    tenant = operator.brokerage()
    admin = operator.staff(PLATFORM, "platform_admin", "Ada")
    before = server.ask("GET", PATH, headers=admin.bearer).json
    server.by_key(tenant, "POST", "/api/leads", JANE)
    after = server.ask("GET", PATH, headers=admin.bearer).json
    assert after["events"] - before["events"] == 1 and after["brokerages"] >= 1
    models = {one["name"]: one for one in after["read_models"]}
    assert models["lead_list"]["older"] == 0 and models["lead_list"]["step"] >= 4

    number = number_of(operator, tenant)
    log = f"{PATH}/log?brokerage_id={number}"
    whole = server.ask("GET", log, headers=admin.bearer).json
    assert whole == {"ok": True, "events": operator.head(tenant), "position": None, "problem": None}
    reader = as_staff(server, admin)
    assert "Platform" in reader.read("/admin/platform").said("h1")
    told = reader.read(f"/admin/platform?log={number}").said("p", class_="good")
    assert told == [f"{whole['events']} events verified: the log is as it was written."]
    assert server.ask("GET", f"{PATH}/log", headers=admin.bearer).json["ok"], "the platform's own"

    operator.rows(BACK, tenant=tenant.id)

    broken = server.ask("GET", log, headers=admin.bearer).json
    assert (broken["ok"], broken["position"]) == (False, 2) and broken["problem"]
    (alert,) = reader.read(f"/admin/platform?log={number}").said("p", role="alert")
    assert "broken at position 2" in alert
