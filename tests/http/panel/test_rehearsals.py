"""Routing settings are tried on a page: what would have become of past leads, with nothing changed."""

from tests.http.api.routing.sending import put, sent
from tests.http.every.of_routing import rehearse_all
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff, led_to
from tests.http.serving import Server

ROUTING = "/admin/routing"
HERE = ROUTING + "/rehearsals"

REASON = (
    "The primary agent cannot take leads now, and the fallback found no agent either. The lead waits in the pond, from "
    "which agents claim it."
)


def test_a_broker_tries_other_settings(server: Server, proxied: Server, operator: Operator, tenant: Tenant) -> None:
    owner, broker = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "broker")
    for name in ("Ana", "Ben"):
        operator.staff(tenant.id, "agent", name)
    put(server, owner, mode="round_robin")
    for _ in range(60):
        sent(proxied, tenant)
    before = server.ask("GET", "/api/v1/admin/routing", headers=owner.bearer).json
    reader = as_staff(server, broker)
    (form,) = [form for form in reader.read(ROUTING).forms if form.action == HERE]
    address = led_to(reader.send(form.action, form.filled(mode="primary_only", fallback="pond")))
    assert address.startswith(f"{HERE}/c")
    reading = reader.read(address)
    assert "Running" in reading.said("span") and f"{address}" in reading.links

    operator.run(rehearse_all)

    reading = reader.read(address)
    assert "Completed" in reading.said("span") and reading.said("dd").count("60") == 2
    cells = reading.said("td")
    assert cells[: cells.index("The pond") + 3] in (
        ["Ana", "30", "0", "Ben", "30", "0", "The pond", "0", "60"],
        ["Ben", "30", "0", "Ana", "30", "0", "The pond", "0", "60"],
    )
    assert cells.count(REASON) == 50
    (later,) = [link for link in reading.links if link.endswith("?page=2")]
    assert len(reader.read(later).said("td")) == 9 + 10 * 5
    assert server.ask("GET", "/api/v1/admin/routing", headers=owner.bearer).json == before
    assert address in reader.read(HERE).links and "Completed" in reader.read(HERE).said("span")


def test_a_running_rehearsal_is_stopped(server: Server, operator: Operator, tenant: Tenant) -> None:
    reader = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    assert "Nothing has been rehearsed yet." in reader.read(HERE).said("p")
    (form,) = [form for form in reader.read(ROUTING).forms if form.action == HERE]
    address = led_to(reader.send(form.action, form.filled()))
    (stop,) = [form for form in reader.read(address).forms if form.action == address]
    assert led_to(reader.send(address, stop.filled())) == address
    reading = reader.read(address)
    assert "Stopped" in reading.said("span") and address not in [form.action for form in reading.forms]
    # The button of a page that was opened before.
    assert led_to(reader.send(address, stop.filled())) == address
    (another,) = [form for form in reader.read(ROUTING).forms if form.action == HERE]
    ended = led_to(reader.send(another.action, another.filled()))
    operator.run(rehearse_all)
    refused = reader.send(ended, stop.filled())
    assert refused.status == 409 and b"Only a running rehearsal can be cancelled." in refused.body


def test_what_is_refused_is_said(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, agent = operator.staff(tenant.id, "brokerage_owner"), operator.staff(tenant.id, "agent")
    reader = as_staff(server, owner)
    (form,) = [form for form in reader.read(ROUTING).forms if form.action == HERE]
    refused = reader.send(form.action, form.filled(since="lately"))
    assert refused.status == 400 and b"since" in refused.body
    assert as_staff(server, agent).send(form.action, form.fields).status == 403
    stranger = as_staff(server, operator.staff(operator.brokerage().id, "brokerage_owner"))
    address = led_to(reader.send(form.action, form.fields))
    assert stranger.get(address).status == 404 and reader.get(address).status == 200
    assert reader.get(f"{HERE}/nonsense").status == 404
