"""What agents, brokers and owners are not shown and may not do, through any endpoint."""

from dataclasses import dataclass

import pytest

from aureum.http.contract.endpoint import Endpoint
from aureum.http.contract.lists import Paging
from aureum.http.server.routes import ENDPOINTS
from tests.http.every.call import LOGOUT, OF_THE_PLATFORM, OWN_PASSWORD, OWN_TOTP, Call
from tests.http.every.declared import declared, every, is_list, query_fields, refusal
from tests.http.every.recipes import REFERENCES
from tests.http.every.sample import Sample
from tests.http.every.test_two_tenants import never
from tests.http.links import links
from tests.http.operator import Operator, Staff
from tests.http.serving import Answer, Server

PRIVATE = ("/api/leads", "/api/tasks", "/api/tours", "/api/showings", "/api/activities", "/api/v1/admin/leads")
"""Of what begins like these an agent sees what is assigned to that agent or created by it."""

OWNERS = (
    "/api/v1/admin/users",
    "/api/v1/admin/api-keys",
    "/api/v1/admin/people",
    "/api/v1/admin/security-log",
    "/api/v1/admin/signing",
    "/api/v1/admin/undo",
)
"""What begins like these is for owners."""

READ_BY_AGENTS = "/api/envelope-templates"
"""What begins like this agents read, and brokers and owners write."""

NOT_FOR_AGENTS = ("/api/v1/admin/routing", "/api/v1/admin/mail", "/api/v1/admin/newsletter", "/api/v1/admin/imports")
"""What begins like these is for brokers and owners."""

OWNERS_AND_KEYS = ("/api/webhooks", "/api/events", "/api/reso")
"""... and these for owners and keys."""

MARK = "hiddenword"


@dataclass
class Scene:
    """A brokerage whose leads, tasks and tours are others'; an agent and a broker of it."""

    sample: Sample
    agent: Staff
    broker: Staff

    def asked(self, endpoint: Endpoint, who: Staff) -> Call:
        return self.sample.call(endpoint).but(headers=who.bearer, host="127.0.0.1")


@pytest.fixture(scope="module")
def scene(server: Server, operator: Operator) -> Scene:
    """Everything has happened in it once, and nothing of it by the agent who asks."""
    sample = Sample(server, operator, operator.brokerage(), MARK)
    for endpoint in ENDPOINTS:
        sample.succeed(endpoint)
    return Scene(
        sample, operator.staff(sample.tenant.id, "agent", "Ben"), operator.staff(sample.tenant.id, "broker", "Bea")
    )


def private(endpoint: Endpoint) -> bool:
    return endpoint.path.startswith(PRIVATE) and "token" in endpoint.access.schemes


def hidden(answer: Answer) -> Answer:
    """*answer*, which shows nothing of others. Its links repeat the filters that were asked for."""
    headers = {name: value for name, value in answer.headers.items() if name != "link"}
    assert MARK not in answer.body.decode() and MARK not in repr(headers), answer
    return answer


@every(lambda endpoint: private(endpoint) and endpoint.id is not None)
def test_what_is_anothers_is_as_unknown_as_what_never_was(scene: Scene, endpoint: Endpoint) -> None:
    call, before = scene.asked(endpoint, scene.agent), scene.sample.heads

    def told(wire_id: str) -> list[tuple[int, bytes]]:
        here = call.but(path=endpoint.path.replace("{id}", wire_id))
        asking = [here, here.but(query={"asOf": "9999-01-01"}), here.but(headers={"If-Match": '"v1"'})]
        asking += [here.but(headers={"If-None-Match": "*"}), here.but(headers={"Idempotency-Key": "anothers"})]
        answers = [hidden(one.send(scene.sample.server)) for one in asking]
        assert {answer.status for answer in answers} == {404}, answers
        return [(answer.status, answer.body) for answer in answers]

    assert told(scene.sample.id_in(endpoint, fresh=False)) == told(never(endpoint))
    assert scene.sample.heads == before


@every(lambda endpoint: private(endpoint) and endpoint.method == "GET" and endpoint.id is None)
def test_lists_and_counts_show_nothing_of_others(scene: Scene, endpoint: Endpoint) -> None:
    sample = scene.sample
    call, all_of_it = scene.asked(endpoint, scene.agent), scene.asked(endpoint, scene.broker)
    queries: list[dict[str, str]] = [{}]
    values = [MARK, sample.agent.id, sample.agent.number, sample.number, "new", "1", *sample.made.values()]
    queries += [{name: str(value)} for name in query_fields(endpoint) for value in values]

    for query in queries:
        answer = call.but(query=query).send(sample.server)
        assert answer.status < 500
        if answer.status < 300:
            hidden(answer)

    whole, mine = sample.succeed(endpoint, all_of_it), sample.succeed(endpoint, call)
    assert whole.body != mine.body and whole.etag != mine.etag
    known = call.but(headers={"If-None-Match": whole.etag}).send(sample.server)
    assert (known.status, known.body) == (200, mine.body)


@every(lambda one: private(one) and one.query is not None and issubclass(one.query, Paging))
def test_a_cursor_of_a_broker_shows_an_agent_nothing(scene: Scene, endpoint: Endpoint) -> None:
    scene.sample.make(endpoint.path)
    call = scene.asked(endpoint, scene.broker)
    page = scene.sample.succeed(endpoint, call.but(query={"limit": "1"}))

    for path in links(page).values():
        refused = call.but(path=path, headers=scene.agent.bearer).send(scene.sample.server)
        assert refused.status == (422 if endpoint.dialect == "leads" else 400)


@every(lambda one: private(one) and one.method == "POST" and one.id is None and not one.path.endswith("/batch"))
def test_an_agent_sees_what_it_has_made_and_no_other_agent_does(scene: Scene, endpoint: Endpoint) -> None:
    sample = scene.sample
    maker, other = (sample.operator.staff(sample.tenant.id, "agent", name) for name in ("Max", "Ida"))
    call = scene.asked(endpoint, maker)
    body = {name: value for name, value in call.body.items() if name not in REFERENCES}

    made = sample.succeed(endpoint, call.but(body=body))

    listing, broker_made = (
        declared("GET", endpoint.path),
        sample.succeed(endpoint, call.but(headers=scene.broker.bearer)),
    )
    assert broker_made.json["id"] != made.json["id"]
    assert listing is not None and is_list(listing)

    def ids(who: Staff) -> list[object]:
        found = sample.succeed(listing, scene.asked(listing, who)).json
        return [one["id"] for one in (found if isinstance(found, list) else found["items"])]

    assert ids(maker) == [made.json["id"]]
    assert ids(other) == []
    assert {made.json["id"], broker_made.json["id"]} < set(ids(scene.broker))


@every(
    lambda endpoint: (
        "token" in endpoint.access.schemes
        and not endpoint.path.startswith(
            (*OWNERS, *OWNERS_AND_KEYS, *NOT_FOR_AGENTS, *OF_THE_PLATFORM, LOGOUT, OWN_PASSWORD, OWN_TOTP)
        )
        and (endpoint.method == "GET" or not endpoint.path.startswith(READ_BY_AGENTS))
    )
)
def test_an_agent_gets_no_error_that_is_ours(scene: Scene, endpoint: Endpoint) -> None:
    answer = scene.asked(endpoint, scene.agent).send(scene.sample.server)

    assert answer.status in (endpoint.status, 404), answer


def test_what_is_for_owners_and_for_the_platform_is_refused_to_others(scene: Scene) -> None:
    sample = scene.sample
    before = sample.heads

    for endpoint in ENDPOINTS:
        asking = []
        if endpoint.path.startswith((*OWNERS, *OWNERS_AND_KEYS)):
            asking = [scene.agent, scene.broker]
        elif endpoint.path.startswith(OF_THE_PLATFORM):
            asking = [scene.agent, scene.broker, sample.owner]
        for who in asking:
            call = scene.asked(endpoint, who)
            before = sample.heads
            answer = hidden(call.send(sample.server))
            assert answer.status in (403, 404), answer
            assert refusal(endpoint, answer)
            if not endpoint.path.startswith(OWNERS_AND_KEYS):
                assert call.but(headers=sample.tenant.bearer).send(sample.server).status == 401, "a key is no user"
            assert sample.heads == before
