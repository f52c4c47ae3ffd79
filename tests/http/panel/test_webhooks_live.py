"""Webhooks in the panel with a worker and a real receiver: a test, a delivery made again, what was missed."""

import pytest

from tests.http.api.webhooks.test_webhooks_live import Live, live, private
from tests.http.operator import Operator
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.serving import until

__all__ = ["live", "private"]


@pytest.fixture
def owner(live: Live, operator: Operator) -> Reader:
    return as_staff(live.server, operator.staff(live.tenant.id, "brokerage_owner"))


def test_a_test_shows_what_came_back_and_can_be_sent_again(live: Live, owner: Reader) -> None:
    here = f"/admin/webhooks/{live.id}"
    form = owner.read(here).form(f"{here}/test")
    filled = form.filled(event="task.completed")

    answer = owner.send(form.action, filled)

    (request,) = live.receiver.requests
    assert request.headers["x-aureum-event"] == "task.completed"
    reading = owner.follow(answer)
    assert reading.said("h1") == ["Task completed"] and reading.said("span", class_="badge") == ["delivered"]
    assert reading.said("pre") == ["thanks", request.body.decode()]
    assert request.headers["webhook-id"] in reading.said("code")
    # The same form again sends no second one, and leads to the same page.
    assert led_to(owner.send(form.action, filled)) == led_to(answer) and len(live.receiver.requests) == 1
    live.head[0] = "503 Service Unavailable"
    failed = owner.follow(owner.send(form.action, owner.read(here).form(form.action).fields))
    assert failed.said("h1") == ["Lead created"] and "failed" in failed.said("span", class_="badge")
    assert "503 after" in " ".join(failed.said("dd"))
    refused = page(owner.send(form.action, form.filled(event="lead.lost")), 400)
    assert refused.problem.startswith("event must be one of")


def test_made_again_and_nothing_lost(live: Live, owner: Reader) -> None:
    here = f"/admin/webhooks/{live.id}"
    live.server.lead(live.tenant)
    until(lambda: live.statuses() == ["delivered"])
    (delivery,) = [link for link in owner.read(f"{here}/deliveries").links if "deliveries/" in link]
    again = owner.read(delivery).form(f"{delivery}/redeliver")
    assert led_to(owner.send(again.action, again.fields)) == delivery
    until(lambda: len(live.received()) == 2)
    assert len(set(live.received())) == 1
    until(lambda: len(owner.read(delivery).said("h3")) == 2)

    owner.send(f"{here}/disable")
    live.server.lead(live.tenant)
    owner.follow(owner.send(f"{here}/enable"))

    until(lambda: len(set(live.received())) == 2)
    until(lambda: "completed" in owner.read(here).said("td"))
    assert len(live.received()) == 3
