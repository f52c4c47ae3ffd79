"""How a lead found its agent, in ``aureum audit lead``: in words, and with names."""

from aureum.cli.audit_routing import for_people
from tests.cli.conftest import Terminal
from tests.cli.test_rehearse import routed

NUMBERS = "SELECT number FROM lead_list WHERE tenant_id = (SELECT tenant_id FROM brokerages WHERE slug = %(slug)s)"
TURN = "Round robin: of 2 agents, none has waited longer for a lead."


def test_the_reason_and_the_names_of_the_agents(terminal: Terminal) -> None:
    slug, _ = routed(terminal, ["A yard"])
    ((number,),) = terminal.in_store(lambda store: store.database.rows(NUMBERS, {"slug": slug}))
    shown = terminal.run("audit", "lead", str(number)).out
    lines = shown.splitlines()
    history = lines[lines.index("History") : lines.index("State")]
    assert any(line.split()[4:5] == ["routing"] and line.endswith(TURN) for line in history)
    told = lines[lines.index("Routing") :]
    assert told[2] == TURN and "mode: round_robin" in told
    agents = [line.split() for line in told[told.index("Agents") + 4 :] if line]
    assert sorted(agents) == [["Ana", "-", "-"], ["Ben", "-", "-"]]
    document = terminal.json("audit", "lead", str(number))
    assert document["state"]["routing"]["reason"] == TURN and len(document["state"]["routing"]["pool"]) == 2
    plain = terminal.run("audit", "lead", str(terminal.capture(slug).number)).out
    assert "Routing" not in plain.splitlines()


def test_what_met_and_why_somebody_was_not_in_the_pool() -> None:
    routing = {
        "mode": "semantic",
        "agent": "c1",
        "rule": None,
        "margin": 2.44,
        "reason": "The enquiry names a specialty of this agent.",
        "model": None,
        "because": [{"said": "A DOWNTOWN CONDO", "profile": "downtown condos"}],
        "pool": [{"agent": "c1", "score": 3.1, "out": None}, {"agent": "c2", "score": None, "out": "away"}],
    }
    assert for_people(None, {}) is None
    shown = for_people(routing, {"c1": "Ana"}) or ""
    assert "“A DOWNTOWN CONDO” met “downtown condos” of the profile." in shown
    assert "margin: 2.44" in shown and "model" not in shown and "rule" not in shown
    rows = [line.split() for line in shown.splitlines()[-2:]]
    assert rows == [["Ana", "3.1", "-"], ["c2", "-", "away"]]
