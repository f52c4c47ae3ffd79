"""The pages of agents' profiles: brokers change all of them, agents their own under their name."""

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.serving import Server

API = "/api/v1/admin/agents"


def test_a_broker_changes_a_profile(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana, broker = operator.staff(tenant.id, "agent", "Ana Agent"), operator.staff(tenant.id, "broker", "Bea Broker")
    reader = as_staff(server, broker)
    assert "Ana Agent" in reader.read("/admin/agents").said("a")
    here = f"/admin/agents/{ana.number}"
    form = reader.read(here).form(here)
    typed = {
        "areas": "Boise, Kuna", "languages": "en, es", "price_min": "250,000", "daily_cap": "7", "primary": "yes",
        "hours": "Mon 9:00-17:00, tue 09:00–12:30", "away_to": "2026-12-24T12:00", "bio": "Ana sells condos.",
    }  # fmt: skip
    done = reader.follow(reader.send(form.action, form.filled(**typed)))
    assert done.said("p", role="status") == ["The agent was saved."]
    profile = server.ask("GET", f"{API}/{ana.number}", headers=broker.bearer).json
    assert {name: profile[name] for name in typed} == {
        "areas": ["Boise", "Kuna"],
        "languages": ["en", "es"],
        "price_min": 250000,
        "daily_cap": 7,
        "primary": True,
        "hours": {"mon": ["09:00", "17:00"], "tue": ["09:00", "12:30"]},
        "away_to": "2026-12-24T19:00:00Z",
        "bio": "Ana sells condos.",
    }
    # What is shown is what was typed: saved again, nothing changes.
    etag = server.ask("GET", f"{API}/{ana.number}", headers=broker.bearer).etag
    again = reader.read(here).form(here)
    reader.follow(reader.send(again.action, again.filled()))
    assert server.ask("GET", f"{API}/{ana.number}", headers=broker.bearer).etag == etag
    refused = reader.send(again.action, again.filled(hours="mondays"))
    assert refused.status == 400 and b"hours must name days" in refused.body and b"mondays" in refused.body


def test_an_agent_changes_the_own_profile(server: Server, operator: Operator, tenant: Tenant) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    reader, here = as_staff(server, ana), "/admin/account"
    form = reader.read(here).form(f"{here}/profile")
    done = reader.follow(reader.send(form.action, form.filled(bio="I sell land.", languages="en, es")))
    assert done.said("p", role="status") == ["Your profile was changed."]
    profile = server.ask("GET", f"{API}/{ana.number}", headers=ana.bearer).json
    assert (profile["bio"], profile["languages"]) == ("I sell land.", ["en", "es"])
    form = reader.read(here).form(f"{here}/profile")
    refused = reader.send(form.action, form.filled(languages="Spanish", bio="Typed"))
    assert refused.status == 400 and b"languages must hold language tags" in refused.body and b"Typed" in refused.body
