"""Semantic routing from the form to the stored lead, with the real model in its process; and without it, when it dies,
hangs or cannot be loaded."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from aureum.routing.model_process import ModelProcess
from tests.http.in_process import RunningApp, get, in_app
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Server, served, until

LEADS = "/api/v1/admin/leads"
AGENTS = "/api/v1/admin/agents"
ROUTING = "/api/v1/admin/routing"

OPEN = "somewhere my mare can roam and maybe chickens too"
"""An enquiry that the cheap signals leave to the model."""

BOTH = "A loft for us and pasture for the mare"
"""One in which they find two agents as good."""

MODEL = "universal-sentence-encoder-multilingual-3 0.2.1"

NOT_WAITED_FOR = "The comparison by meaning took too long"
NOT_THERE = "The comparison by meaning was not available"

PEOPLE = count(1)

DATA = Path(__file__).parents[3] / "routing" / "data" / "agents.json"


@pytest.fixture(scope="module")
def server(served_url: str, model_path: Path) -> Iterator[Server]:
    with served(served_url, None, model_path, form_rate_limit="0") as running:
        yield running


class Brokerage:
    """A tenant with an owner, and agents with profiles, by their numbers."""

    def __init__(self, server: Server, operator: Operator, agents: list[dict[str, Any]]) -> None:
        self.tenant: Tenant = operator.brokerage()
        self.owner: Staff = operator.staff(self.tenant.id, "brokerage_owner", "Olivia")
        self.agents: dict[str, int] = {}
        for profile in agents:
            agent = operator.staff(self.tenant.id, "agent", profile["name"])
            sent = {name: profile[name] for name in ("bio", "specialties", "areas", "languages") if name in profile}
            answer = server.ask("PATCH", f"{AGENTS}/{agent.number}", sent, self.owner.bearer)
            assert answer.status == 200, answer.body
            self.agents[profile["name"]] = agent.number

    def name_of(self, number: int | None) -> str | None:
        return next((name for name, agent in self.agents.items() if agent == number), None)

    def put(self, server: Server, **settings: Any) -> None:
        answer = server.ask("PUT", ROUTING, settings, self.owner.bearer)
        assert answer.status == 200, answer.body

    def lead(self, server: Server, **fields: Any) -> dict[str, Any]:
        """What staff see of the lead that the form of a person makes who has not asked before."""
        person = {"email": f"john{next(PEOPLE)}@example.com"}
        answer = server.form(self.tenant, **person | {"subject": "Question", "source_page": None} | fields)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = server.ask("GET", f"{LEADS}/{answer.json['lead_id']}", headers=self.owner.bearer).json
        return found

    def routed(self, server: Server, message: str, **fields: Any) -> tuple[str | None, dict[str, Any]]:
        """Who got the lead, and why."""
        lead = self.lead(server, message=message, **fields)
        return self.name_of(lead["assigned_agent_id"]), lead["routing"]


@pytest.fixture(scope="module")
def firm(server: Server, operator: Operator) -> Brokerage:
    """Fourteen agents with full profiles."""
    return Brokerage(server, operator, json.loads(DATA.read_text()))


SMALL = [
    {"name": "Ana", "specialties": ["downtown condos"]},
    {"name": "Ben", "specialties": ["horse property", "acreage"]},
    {"name": "Cora", "specialties": ["new construction"], "languages": ["en", "es"]},
]


@pytest.fixture
def small(server: Server, operator: Operator) -> Brokerage:
    return Brokerage(server, operator, SMALL)


def test_the_right_agent_gets_it_and_the_reason_is_told_everywhere(server: Server, firm: Brokerage) -> None:
    message = "We need somewhere our mares can graze, with stalls if possible, not too far from Emmett"
    lead = firm.lead(server, message=message)
    routing = lead["routing"]
    best = next(agent for agent in json.loads(DATA.read_text()) if "horse property" in agent["specialties"])
    assert firm.name_of(lead["assigned_agent_id"]) == best["name"]
    assert (routing["mode"], routing["agent"], routing["rule"]) == ("semantic", lead["assigned_agent_id"], None)
    assert routing["reason"] in (
        "The enquiry's words are most like this agent's profile.",
        "The enquiry's meaning is nearest to this agent's profile.",
    )
    assert routing["margin"] >= 1 and routing["because"] and routing["because"][0]["said"] in message
    pool = routing["pool"]
    assert len(pool) == 14 and pool[0]["agent"] == routing["agent"] and {one["out"] for one in pool} == {None}
    assert [one["score"] for one in pool] == sorted((one["score"] for one in pool), reverse=True)
    history = server.ask("GET", f"{LEADS}/{lead['id']}/history", headers=firm.owner.bearer).json
    assert history[0]["changes"]["routing"]["to"] == routing
    (listed,) = [one for one in server.leads(firm.tenant) if one["message"] == message]
    wire = server.by_key(firm.tenant, "GET", f"/api/leads/{listed['id']}/history").json[0]["changes"]["routing"]["to"]
    assert (wire["reason"], wire["because"], wire["margin"]) == tuple(
        routing[name] for name in ("reason", "because", "margin")
    )


def test_the_model_is_named_where_it_took_part_and_only_there(server: Server, small: Brokerage) -> None:
    agent, routing = small.routed(server, OPEN)
    assert (agent, routing["model"]) == ("Ben", MODEL), routing
    assert routing["reason"] == "The enquiry's meaning is nearest to this agent's profile."
    assert routing["because"][0]["said"] in OPEN and routing["because"][0]["profile"] in SMALL[1]["specialties"]
    agent, routing = small.routed(server, "Do you have downtown condos?")
    assert (agent, routing["model"]) == ("Ana", None)
    assert routing["reason"] == "The enquiry names a specialty of this agent."
    assert routing["because"] == [{"said": "Do you have downtown condos", "profile": "downtown condos"}]
    agent, routing = small.routed(server, "Is this still available?")
    assert agent is not None and routing["because"] == [] and routing["model"] is None
    assert routing["reason"].startswith("The enquiry says nothing that a profile answers, so the fallback gave it to")
    agent, routing = small.routed(server, "Busco un departamento en el centro, con balcón")
    assert (
        agent == "Cora" and [one["out"] for one in routing["pool"][1:]] == ["does not speak the enquiry's language"] * 2
    )


def test_near_ties_go_to_the_least_busy(server: Server, operator: Operator) -> None:
    twins = Brokerage(
        server,
        operator,
        [{"name": name, "specialties": ["horse property"]} for name in ("Ana", "Ben")]
        + [{"name": "Cora", "specialties": ["downtown condos"]}],
    )
    got = [twins.routed(server, f"Stalls and pasture for {n} mares and an arena") for n in (2, 3, 4, 5)]
    assert sorted(name or "" for name, _ in got) == ["Ana", "Ana", "Ben", "Ben"]
    said = "Of 2 agents whom the enquiry suits about equally well, none has had fewer leads today."
    assert {routing["reason"] for _, routing in got} == {said} and all(not one["because"] for _, one in got)


def test_the_listings_words_are_part_of_the_enquiry(server: Server, small: Brokerage) -> None:
    place = {"title": "Ranch with barn and pasture for horses", "address": "9 Star Rd", "city": "Star", "state": "ID"}
    made = server.by_key(small.tenant, "POST", "/api/properties", place | {"price": 750000, "mlsId": "L-99"})
    assert made.status == 201
    asked = "Is this still available?"
    for page in (f"https://www.example.com/homes/{made.json['slug']}?utm_source=x", "/homes/?id=L-99"):
        agent, routing = small.routed(server, asked, source_page=page)
        assert agent == "Ben", (page, routing)
    for page in ("/contact", "/homes/L-100", "/homes/" + "x" * 1_900, "/?" + "&".join(f"a{n}={n}" for n in range(200))):
        assert "says nothing" in small.routed(server, asked, source_page=page)[1]["reason"]
    body = {"listing_id": "L-99", "name": "Jane Doe", "email": "jane@example.com"}
    tour = server.ask("POST", "/api/tours", body, host=small.tenant.domain).json
    shown = server.ask("GET", f"/api/tours/{tour['id']}", headers=small.owner.bearer).json
    assert small.name_of(shown["assigned_agent_id"]) == "Ben"


def test_what_is_masked_takes_no_part(server: Server, operator: Operator) -> None:
    firm = Brokerage(
        server,
        operator,
        [{"name": "Ana", "specialties": ["Bronco fans", "Lake Lowell"]}, {"name": "Ben", "specialties": ["condos"]}],
    )
    assert firm.routed(server, "We are Bronco fans from Ohio")[0] == "Ana"
    firm.put(server, masked_words=["Bronco"])
    assert server.ask("GET", ROUTING, headers=firm.owner.bearer).json["masked_words"] == ["Bronco"]
    _, routing = firm.routed(server, "We are Bronco fans from Ohio, too")
    assert "names a specialty" not in routing["reason"] and routing["because"] == []
    # The writer's own name is no place.
    own = {"firstName": "Lowell", "lastName": "Lake"}
    assert "says nothing" in firm.routed(server, "My name is Lowell Lake, call me", **own)[1]["reason"]
    assert firm.routed(server, "Something near Lake Lowell, please")[0] == "Ana"


@pytest.mark.parametrize(
    "message",
    [
        "We want acreage and stalls. " * 714,
        "x" * 20_000,
        "🐴🏡",
        "你好，我想买一套公寓",
        "\u202e\u0000?",
        "ᚠᛇᚻ",
        "." * 9_000,
    ],
    ids=["long", "one word", "emoji", "Chinese", "controls", "runes", "stops"],
)
def test_any_message_is_taken(server: Server, small: Brokerage, message: str) -> None:
    began = time.monotonic()
    agent, routing = small.routed(server, message)
    assert agent is not None and routing["reason"] and time.monotonic() - began < 10
    assert small.routed(server, "ok", subject=message[:1_000].replace("\n", " "))[0] is not None


def test_an_empty_brokerage_has_a_pond(server: Server, operator: Operator) -> None:
    empty = Brokerage(server, operator, [])
    agent, routing = empty.routed(server, OPEN)
    assert agent is None and routing["pool"] == []
    assert routing["reason"].startswith("No agent can take leads now, and the fallback found no agent either.")


def test_the_filter_narrows_other_modes_by_meaning(server: Server, small: Brokerage) -> None:
    small.put(server, mode="round_robin", semantic_filter=True)
    for n in range(3):
        agent, routing = small.routed(server, f"{OPEN} {n}")
        assert agent == "Ben" and routing["mode"] == "round_robin" and routing["model"] == MODEL
    small.put(server, mode="round_robin")
    assert len({small.routed(server, f"{OPEN} by turns {n}")[0] for n in range(3)}) == 3


def looked_after(process: ModelProcess, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        process.look_after()


@pytest.fixture
def own_model() -> Iterator[ModelProcess]:
    """A model's process that may be killed, and is started again."""
    stop = threading.Event()
    with ModelProcess() as process:
        looking = threading.Thread(target=looked_after, args=(process, stop))
        looking.start()
        try:
            yield process
        finally:
            stop.set()
            looking.join()


def test_a_killed_or_hanging_model_refuses_no_form(
    served_url: str, operator: Operator, own_model: ModelProcess
) -> None:
    with served(served_url, None, own_model.path, form_rate_limit="0", routing_timeout="0.3") as server:
        firm = Brokerage(server, operator, SMALL)
        until(lambda: firm.routed(server, f"{OPEN} {time.monotonic()}")[1]["model"] == MODEL)
        first = own_model.process.pid
        with ThreadPoolExecutor(4) as threads:
            forms = [
                threads.submit(server.form, firm.tenant, message=f"{OPEN} number {n}", email=f"jim{n}@example.com")
                for n in range(60)
            ]
            time.sleep(0.1)
            os.kill(first, signal.SIGKILL)
            assert {form.result().status for form in forms} == {200}
        until(lambda: NOT_THERE in firm.routed(server, f"{OPEN} away")[1]["reason"] or own_model.process.pid != first)
        until(lambda: firm.routed(server, f"{OPEN} back {time.monotonic()}")[1]["model"] == MODEL)
        assert own_model.process.pid != first
        assert {lead["assignedToId"] is not None for lead in server.leads(firm.tenant)} == {True}
        # A model that stands still is waited for once, and then no more.
        os.kill(own_model.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            reasons = [firm.routed(server, f"{OPEN} hanging {n}")[1]["reason"] for n in range(12)]
            assert all(NOT_WAITED_FOR in reason for reason in reasons), reasons
            assert time.monotonic() - began < 12
        finally:
            os.kill(own_model.process.pid, signal.SIGCONT)
        until(lambda: firm.routed(server, f"{OPEN} on {time.monotonic()}")[1]["model"] == MODEL)


def test_a_process_is_ready_when_its_model_is_or_will_not_be(served_url: str) -> None:
    with ModelProcess("tests.routing.other_model:never") as process:

        async def work(app: RunningApp) -> None:
            client = await app.client()
            loading = await client.ask(get("/readyz"))
            assert loading.status == 503 and b"The routing model is still loading." in loading.body
            assert (await client.ask(get("/healthz"))).status == 200
            process.process.kill()
            process.process.wait()
            process.look_after()
            assert (await client.ask(get("/readyz"))).status == 200

        in_app(served_url, work, process.path)


def test_a_model_that_cannot_be_loaded_keeps_nobody_waiting(served_url: str, operator: Operator) -> None:
    with ModelProcess("no.such:model") as process:
        assert process.process.wait(20) == 3
        process.look_after()
        with served(served_url, None, process.path, form_rate_limit="0") as server:
            firm = Brokerage(server, operator, SMALL)
            agent, routing = firm.routed(server, BOTH)
            assert agent is not None and routing["model"] is None
            assert routing["reason"].startswith(f"{NOT_THERE}, so the fallback gave it to the next agent in turn")
            agent, routing = firm.routed(server, "Stalls and pasture for our mares and an arena")
            assert agent == "Ben" and "most like this agent's profile" in routing["reason"]
