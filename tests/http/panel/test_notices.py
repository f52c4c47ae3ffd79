"""What an owner is told on every page: a webhook that was disabled by what it answered, and one that fails."""

from typing import Any, Literal

import pytest

from aureum.commands.webhook_endpoints import disable_webhook_endpoint
from aureum.domain.ids import PLATFORM, from_wire
from aureum.http.panel.pages import PAGES
from tests.http.api.webhooks.hooks import FAILING, changed, made
from tests.http.operator import ORIGIN, Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.panel.reading import Reading
from tests.http.panel.test_every_page import Brokerage
from tests.http.serving import Server

DISABLED = {
    "gone": "was disabled because its endpoint answered 410 Gone. Events are kept for it.",
    "failing": "was disabled because no delivery succeeded for five days. Events are kept for it.",
}
FAILS = "is failing. Aureum retries its deliveries, and disables it after five days of failures."
MENDED = "UPDATE webhook_lanes SET failing_since = NULL WHERE tenant_id = %(tenant)s"

Reason = Literal["gone", "failing"]


def told(reading: Reading) -> list[str]:
    """What stands above the content."""
    return [text.removesuffix(" View webhook") for text in notice(reading, "bad") + notice(reading, "warning")]


def notice(reading: Reading, kind: str) -> list[str]:
    return [text for text in reading.said("p", class_="notice") if text in reading.said("p", class_=kind)]


def disable(operator: Operator, tenant: Tenant, webhook: dict[str, Any], reason: Reason) -> None:
    """As a worker does."""
    endpoint_id = from_wire(webhook["id"])
    assert endpoint_id is not None
    operator.run(lambda store: disable_webhook_endpoint(store, tenant.id, endpoint_id, reason, ORIGIN))


@pytest.mark.parametrize("reason", ["gone", "failing"])
def test_on_every_page_until_it_is_enabled(server: Server, operator: Operator, reason: Reason) -> None:
    here = Brokerage.opened(server, operator)
    owner, webhook = here.reader("brokerage_owner"), {"id": here.ids["/admin/webhooks/"]}
    own = f"/admin/webhooks/{webhook['id']}"
    assert told(owner.read("/admin")) == []

    disable(operator, here.tenant, webhook, reason)

    text = f"The webhook to https://example.com/hooks {DISABLED[reason]}"
    walked = 0
    for one in PAGES:
        path = here.path(one)
        if one.show is None or one.anyone or path.endswith((".csv", ".ics")):
            continue
        found = owner.get(path)
        if found.status != 200 or not found.headers["content-type"].startswith("text/html"):
            continue
        reading = owner.read(path)
        assert told(reading) == [text], path
        assert (own in reading.links) or path == own
        assert path != own or "View webhook" not in reading.said("a", href=own)
        walked += 1
    assert walked >= 6
    # A form that was refused is such a page too.
    assert text in told(page(owner.send("/admin/webhooks", {"url": "x"}), 400))
    for role in ("broker", "agent"):
        assert told(here.reader(role).read("/admin")) == []
    stranger = as_staff(server, operator.staff(operator.brokerage().id, "brokerage_owner"))
    assert told(stranger.read("/admin")) == []
    assert told(as_staff(server, operator.staff(PLATFORM, "platform_admin")).read("/admin")) == []

    enabled = owner.follow(owner.send(f"{own}/enable"))

    assert told(enabled) == [] == told(owner.read("/admin"))


def test_until_it_is_removed(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    first, second = made(server, tenant), made(server, tenant, url="https://example.com/?a=1&b=<2>")
    disable(operator, tenant, first, "gone")
    disable(operator, tenant, second, "failing")
    assert told(owner.read("/admin")) == ["2 webhooks are disabled. View webhooks"]
    gone = owner.follow(owner.send(f"/admin/webhooks/{first['id']}/remove", {"sure": "yes"}))
    answer = owner.get("/admin")
    assert told(page(answer, 200)) == [f"The webhook to {second['url']} {DISABLED['failing']}"] == told(gone)
    assert first["id"] not in str(gone.links) and b"<2>" not in answer.body


def test_while_it_fails(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    webhook = made(server, tenant)
    operator.rows(FAILING, tenant=tenant.id, endpoint=from_wire(webhook["id"]))
    for path in ("/admin", "/admin/settings/api-keys", f"/admin/webhooks/{webhook['id']}"):
        reading = owner.read(path)
        assert told(reading) == [f"The webhook to https://example.com/hooks {FAILS}"]
        assert len(notice(reading, "warning")) == 1
    assert "failing" in owner.read("/admin/webhooks").said("span", class_="badge")
    # The user who disables it knows.
    changed(server, tenant, webhook, disabled=True)
    assert told(owner.read("/admin")) == []
    changed(server, tenant, webhook, disabled=False)
    operator.rows(MENDED, tenant=tenant.id)
    assert told(owner.read("/admin")) == []


def test_several_are_told_in_one_line(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    webhooks = [made(server, tenant, url=f"https://example.com/{number}") for number in range(3)]
    for one in webhooks[:2]:
        operator.rows(FAILING, tenant=tenant.id, endpoint=from_wire(one["id"]))
    failing = owner.read("/admin")
    assert failing.said("p", class_="notice") == ["2 webhooks are failing. View webhooks"]
    assert "/admin/webhooks" in failing.links and len(notice(failing, "warning")) == 1

    disable(operator, tenant, webhooks[2], "gone")

    mixed = owner.read("/admin/webhooks")
    assert notice(mixed, "bad") == ["3 webhooks are disabled or failing."], (
        "the link there is left out on the page itself"
    )


def test_one_that_staff_disabled_is_as_it_should_be(server: Server, tenant: Tenant, owner: Reader) -> None:
    webhook = made(server, tenant)
    changed(server, tenant, webhook, disabled=True)
    assert told(owner.read("/admin")) == [] == told(owner.read(f"/admin/webhooks/{webhook['id']}"))
    assert "disabled" in owner.read("/admin/webhooks").said("span", class_="badge")


@pytest.mark.parametrize("plan", ["Starter", "Grow"])
def test_on_a_plan_without_webhooks(server: Server, operator: Operator, plan: str) -> None:
    owner = as_staff(server, operator.staff(operator.brokerage(plan).id, "brokerage_owner"))
    for path in ("/admin", "/admin/settings/api-keys"):
        assert told(owner.read(path)) == []
