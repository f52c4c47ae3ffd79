"""The Aureum API document, replayed: authentication, errors, and the example of every endpoint by value.

Of its table of statuses 500 alone is missing: nothing that a client may send makes one.
"""

import shlex
from typing import Any

import pytest

from aureum.commands.api_keys import IssueApiKey, issue_api_key
from tests.documents.likeness import kind, unlike
from tests.documents.reading import Endpoint
from tests.documents.stage import AUREUM, Stage, post
from tests.http.operator import ORIGIN, Operator
from tests.http.serving import BASE_DOMAIN, Answer, Server

GETS = [one for one in AUREUM.endpoints if one.method == "GET"]
POSTS = [one for one in AUREUM.endpoints if one.method == "POST"]
UNKNOWN = "c" + "0" * 25


def refusal(answer: Answer, status: int) -> dict[str, Any]:
    """The body of an error, in the document's format: what has a note there need not be there. ``code`` and ``fields``
    come beside it."""
    assert answer.status == status and AUREUM.meaning(status), answer.body
    example, notes = AUREUM.error_format.value, AUREUM.error_format.notes
    always = {name: value for name, value in example.items() if name not in notes}
    body: dict[str, Any] = {name: value for name, value in answer.json.items() if name not in ("code", "fields")}
    assert answer.json["code"] == answer.code
    assert set(always) <= set(body) <= set(example)
    assert unlike({name: example[name] for name in body}, body) == []
    assert answer.headers["content-type"] == AUREUM.facts["Content type"]
    return body


def test_authentication(stage: Stage) -> None:
    """The curl command, with a real key and the brokerage's own address for ``your-tenant``."""
    command, *words = shlex.split(AUREUM.curl.replace("\\\n", ""))
    assert command == "curl" and words[0] == words[2] == "-H"
    headers = dict(words[place].split(": ") for place in (1, 3))
    headers["Authorization"] = headers["Authorization"].replace("YOUR_API_KEY", stage.tenant.key)
    path = words[4].removeprefix(AUREUM.facts["Base URL"])
    host = f"{stage.tenant.slug}.{BASE_DOMAIN}"

    answer = stage.server.ask("GET", path, headers=headers, host=host)

    assert (answer.status, answer.json) == (200, [])
    assert answer.headers["content-type"] == AUREUM.facts["Content type"] == headers["Content-Type"]


@pytest.mark.parametrize("endpoint", AUREUM.endpoints, ids=lambda one: one.label)
def test_401_invalid_or_missing_key(stage: Stage, endpoint: Endpoint) -> None:
    body = stage.example(endpoint) if endpoint.method == "POST" else None
    for headers in ({}, {"Authorization": "Bearer YOUR_API_KEY"}):
        answer = stage.server.ask(endpoint.method, endpoint.path, body, headers)
        assert list(refusal(answer, 401)) == ["error"]


@pytest.mark.parametrize("endpoint", AUREUM.endpoints, ids=lambda one: one.label)
def test_403_not_on_your_plan(server: Server, operator: Operator, stage: Stage, endpoint: Endpoint) -> None:
    """API access requires the Grow plan or higher."""
    body = stage.example(endpoint) if endpoint.method == "POST" else None

    refused = refusal(server.by_key(operator.brokerage("Starter"), endpoint.method, endpoint.path, body), 403)

    assert list(refused) == list(AUREUM.error_format.value)
    assert {name: refused[name] for name in AUREUM.error_format.notes} == {"upgrade": True, "requiredPlan": "Grow"}
    answer = server.by_key(operator.brokerage("Grow"), endpoint.method, endpoint.path, body)
    assert answer.status == endpoint.status, answer.body


@pytest.mark.parametrize("path", ["/api/nothing", *(f"{one.path}/{UNKNOWN}" for one in GETS)])
def test_404_not_found(stage: Stage, path: str) -> None:
    assert list(refusal(stage.key("GET", path), 404)) == ["error"]


@pytest.mark.parametrize("endpoint", POSTS, ids=lambda one: one.label)
def test_400_bad_request(stage: Stage, endpoint: Endpoint) -> None:
    bodies: tuple[Any, ...] = ([], b"{", {})
    for body in bodies:
        assert list(refusal(stage.ask(endpoint, body), 400)) == ["error"]


def test_429_rate_limit_exceeded(server: Server, stage: Stage, operator: Operator) -> None:
    """A key with the limit that all keys begin with."""
    limit = int(AUREUM.facts["Rate limit"].removesuffix(" requests per minute"))
    asked = IssueApiKey(tenant_id=stage.tenant.id, name="as documented")
    _, key = operator.run(lambda store: issue_api_key(store, asked, ORIGIN))
    bearer = {"Authorization": f"Bearer {key}"}

    answers = [server.ask("GET", "/api/leads", headers=bearer) for _ in range(limit + 1)]

    assert {answer.status for answer in answers[:limit]} == {200}
    assert [answers[place].headers["x-ratelimit-remaining"] for place in (0, -2)] == [str(limit - 1), "0"]
    assert list(refusal(answers[-1], 429)) == ["error"]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


@pytest.mark.parametrize("endpoint", GETS, ids=lambda one: one.label)
def test_the_list_shows_its_example(stage: Stage, endpoint: Endpoint) -> None:
    """It is made with a POST of the example's values; what the table of the POST does not name is set afterwards."""
    creation = post(endpoint.path)
    sent = stage.example(creation)
    made = stage.make(creation)
    later = set(sent) - {field.name for field in creation.fields} if creation.fields else set()
    if later:
        changed = stage.key("PATCH", f"{endpoint.path}/{made['id']}", {name: sent[name] for name in later})
        assert changed.status == 200, changed.body

    (line,) = stage.listed(endpoint)

    assert unlike(endpoint.answered, [line]) == []
    assert {name: line[name] for name in sent} == sent
    assert {name: kind(line[name]) for name in sent} == {name: kind(value) for name, value in sent.items()}
    assert line["id"] == made["id"]


@pytest.mark.parametrize("endpoint", POSTS, ids=lambda one: one.label)
def test_a_creation_answers_as_its_example(stage: Stage, endpoint: Endpoint) -> None:
    made = stage.make(endpoint)

    assert unlike(endpoint.answered, made) == []
    open_ended = ("id", "createdAt")
    assert {name: made[name] for name in endpoint.answered if name not in open_ended} == {
        name: value for name, value in endpoint.answered.items() if name not in open_ended
    }
    assert stage.key("GET", f"{endpoint.path}/{made['id']}").json == made


@pytest.mark.parametrize("endpoint", GETS, ids=lambda one: one.label)
def test_a_list_is_the_authenticated_tenants(stage: Stage, operator: Operator, endpoint: Endpoint) -> None:
    stage.make(post(endpoint.path))

    assert stage.server.by_key(operator.brokerage(), "GET", endpoint.path).json == []
    assert len(stage.listed(endpoint)) == 1


class TestFilters:
    """Each leaves the lines that have its value."""

    @pytest.mark.parametrize("path", ["/api/properties", "/api/leads"])
    def test_by_a_status_that_a_creation_takes(self, stage: Stage, path: str) -> None:
        leaves(stage, path, "status")

    def test_contacts_by_type(self, stage: Stage) -> None:
        leaves(stage, "/api/contacts", "type")

    def test_tasks_by_a_status_that_they_come_to(self, stage: Stage) -> None:
        listing = AUREUM.endpoint("GET", "/api/tasks")
        pending, in_progress, completed = (stage.make(post("/api/tasks"))["id"] for _ in range(3))
        changed = stage.key("PATCH", f"/api/tasks/{in_progress}", {"status": "in_progress"})
        assert changed.status == 200, changed.body
        done = stage.key("POST", f"/api/tasks/{completed}/complete")
        assert done.status == 200, done.body
        made = (pending, in_progress, completed)
        for identifier, status in zip(made, listing.field("status").allowed, strict=True):
            assert [(task["id"], task["status"]) for task in stage.listed(listing, status=status)] == [
                (identifier, status)
            ]

    def test_featured_properties(self, stage: Stage) -> None:
        creation, listing = post("/api/properties"), AUREUM.endpoint("GET", "/api/properties")
        featured, _ = (stage.make(creation, isFeatured=told)["id"] for told in (True, False))
        assert [one["id"] for one in stage.listed(listing, featured="true")] == [featured]

    def test_contacts_by_tag(self, stage: Stage) -> None:
        creation, listing = post("/api/contacts"), AUREUM.endpoint("GET", "/api/contacts")
        both, one = (stage.make(creation, tags=tags)["id"] for tags in (["vip", "beverly-hills"], ["vip"]))
        assert [contact["id"] for contact in stage.listed(listing, tag="beverly-hills")] == [both]
        assert {contact["id"] for contact in stage.listed(listing, tag="vip")} == {both, one}
        assert stage.listed(listing, tag="beverly") == []

    @pytest.mark.parametrize("search", ["John", "smith", "john@example", "John Smith"])
    def test_contacts_by_name_or_email(self, stage: Stage, search: str) -> None:
        creation, listing = post("/api/contacts"), AUREUM.endpoint("GET", "/api/contacts")
        found = stage.make(creation)["id"]
        stage.make(creation, firstName="Grace", lastName="Hopper", email="grace.hopper@example.com")
        assert [contact["id"] for contact in stage.listed(listing, search=search)] == [found]

    def test_leads_by_source(self, stage: Stage) -> None:
        listing = AUREUM.endpoint("GET", "/api/leads")
        found, _ = (stage.make(post("/api/leads"), source=source)["id"] for source in ("website", "zillow"))
        assert [lead["id"] for lead in stage.listed(listing, source="website")] == [found]

    def test_tasks_by_assigned_user(self, stage: Stage, operator: Operator) -> None:
        listing = AUREUM.endpoint("GET", "/api/tasks")
        ana, ben = (operator.agent(stage.tenant, name) for name in ("Ana", "Ben"))
        found, _ = (stage.make(post("/api/tasks"), assignedToId=agent)["id"] for agent in (ana, ben))
        assert [task["id"] for task in stage.listed(listing, assignedToId=ana)] == [found]


def leaves(stage: Stage, path: str, name: str) -> None:
    """One of each allowed value is made; each value then finds its own."""
    listing = AUREUM.endpoint("GET", path)
    made = {value: stage.make(post(path), **{name: value})["id"] for value in listing.field(name).allowed}
    assert len(stage.listed(listing)) == len(made)
    for value, identifier in made.items():
        assert [(one["id"], one[name]) for one in stage.listed(listing, **{name: value})] == [(identifier, value)]
