"""Leads, contacts, properties and users are picked by typing a name, with and without script; nothing is offered that
the reader may not see."""

from urllib.parse import urlencode

import pytest

from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Form, Reading
from tests.http.panel.resources import without_undo
from tests.http.panel.test_every_page import NOBODYS
from tests.http.panel.test_resource_values import made, shown
from tests.http.serving import JANE, Server

NEW = "/admin/tasks/new"
KINDS = ("lead", "contact", "person", "property", "user")


def id_of(path: str) -> str:
    return path.rpartition("/")[2]


def offered(reader: Reader, kind: str, words: str = "") -> dict[str, str]:
    """What is suggested, by id."""
    answer = reader.get(f"/admin/pick?{urlencode({'kind': kind, 'q': words})}")
    assert answer.status == 200, answer.body
    texts = Reading(answer.body.decode()).texts
    return {given["data-id"]: given["data-name"] for tag, given, _ in texts if "data-id" in given}


def choices(reading: Reading) -> list[str]:
    """What a form offers to choose from."""
    return [
        " ".join("".join(said).split()) for tag, _, said in reading.texts if tag == "label" and "@" in "".join(said)
    ]


def typed(form: Form, **words: str) -> list[tuple[str, str]]:
    """The form with names typed into its pickers."""
    return form.filled(title="Call", **{f"{name}.words": text for name, text in words.items()})


def test_what_is_offered_is_what_the_reader_may_see(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    stranger = operator.brokerage()
    dough = {"firstName": "Jane", "lastName": "Dough", "email": "jane@example.com"}
    for brokerage in (tenant, stranger):
        for kind, fields in (("leads", dough), ("contacts", dough), ("properties", HOUSE | {"title": "Jane's house"})):
            made(server, brokerage, kind, **fields)
    staff = operator.staff(tenant.id, "agent", "Jane Agent")
    own = made(server, tenant, "leads", **dough | {"lastName": "Doughty"}, assignedToId=staff.id)
    agent = as_staff(server, staff)
    everything = server.by_key(tenant, "GET", "/api/leads").ids
    others = {
        each
        for kind in ("leads", "contacts", "properties")
        for each in server.by_key(stranger, "GET", f"/api/{kind}").ids
    }
    seen: dict[tuple[str, str, bool], set[str]] = {}
    for kind in KINDS:
        for words in ("", "jane", "JANE d", "dough"):
            for reader in (owner, agent):
                found = {one.rpartition("/")[2] for one in offered(reader, kind, words)}
                assert not found & others, (kind, words)
                seen[kind, words, reader is agent] = found

    assert set(everything) == seen["lead", "jane", False] and {id_of(own)} == seen["lead", "jane", True]
    assert seen["lead", "", True] == {id_of(own)} and seen["person", "dough", True] >= {id_of(own)}
    assert not seen["person", "dough", True] & (set(everything) - {id_of(own)})
    assert staff.id in seen["user", "jane", True] and len(seen["property", "dough", False]) == 0
    assert offered(owner, "property", "jane")[min(seen["property", "jane", False])] == "Jane's house"
    # Nothing without a login, nothing of another kind.
    assert led_to(Reader(server).get("/admin/pick?kind=lead")).startswith("/admin/login")
    for kind in ("", "webhook", "leads"):
        assert "nothing to choose here" in refused(owner.get(f"/admin/pick?kind={kind}"), 404)


def test_an_exact_name_is_taken_and_of_several_the_form_asks(server: Server, tenant: Tenant, owner: Reader) -> None:
    first = made(server, tenant, "leads", **JANE)
    second = made(server, tenant, "leads", **JANE | {"email": "other@example.com"})
    zoe = made(server, tenant, "contacts", firstName="Zoë", lastName="Ng", phone="208-555-0123")
    form = owner.read(NEW).form(NEW)

    asked = page(owner.send(NEW, typed(form, leadId="JANE doe", contactId="zoe ng")), 400)

    assert asked.problem == "Choose the lead that you mean by “JANE doe”."
    assert [choice.partition(",")[0] for choice in choices(asked)] == [
        "Jane Doe other@example.com",
        "Jane Doe jane@example.com",
    ]
    kept = asked.form(NEW)
    assert (kept["title"], kept["leadId.words"], kept["contactId.words"]) == ("Call", "JANE doe", "zoe ng")
    # Sent without a choice it asks again; with one the lead is that, and Zoë was found by her name.
    assert page(owner.send(NEW, kept.fields), 400).problem == asked.problem
    task = led_to(owner.send(NEW, [*kept.fields, ("leadId", id_of(first))])).partition("?")[0]
    made_of = shown(server, tenant, task)
    assert (made_of["leadId"], made_of["contactId"]) == (id_of(first), id_of(zoe))

    own = owner.read(task).form(task)
    assert (own["leadId.words"], own["contactId.words"], own["propertyId.words"]) == ("Jane Doe", "Zoë Ng", "")
    # An address or a phone names exactly one; an empty field names none.
    answer = owner.send(task, own.filled(**{"leadId.words": "OTHER@example.com", "contactId.words": ""}))
    assert without_undo(led_to(answer)) == f"{task}?done=changed"
    assert (shown(server, tenant, task)["leadId"], shown(server, tenant, task)["contactId"]) == (id_of(second), None)
    owner.send(task, owner.read(task).form(task).filled(**{"contactId.words": "(208) 555 0123"}))
    assert shown(server, tenant, task)["contactId"] == id_of(zoe)


@pytest.mark.parametrize("words", ["nobody", "<script>", "%", "x" * 400, "a\x00b", "😀"])
def test_a_name_that_nothing_has(server: Server, operator: Operator, tenant: Tenant, owner: Reader, words: str) -> None:
    before, form = operator.head(tenant), owner.read(NEW).form(NEW)
    answer = owner.send(NEW, typed(form, propertyId=words))
    asked = page(answer, 400)
    assert asked.problem.startswith("No property has the name") and b"<script>" not in answer.body
    assert asked.form(NEW)["propertyId.words"] == words and operator.head(tenant) == before


def test_a_name_that_is_not_seen_stays(server: Server, operator: Operator, tenant: Tenant) -> None:
    lead = made(server, tenant, "leads", **JANE)
    staff = operator.staff(tenant.id, "agent", "Ana Agent")
    task = made(server, tenant, "tasks", title="Call", leadId=id_of(lead), assignedToId=staff.id)
    agent = as_staff(server, staff)
    own = agent.read(task).form(task)
    assert own["leadId.words"] == "one that you cannot see"
    led_to(agent.send(task, own.filled(title="Call back")))
    assert (shown(server, tenant, task)["title"], shown(server, tenant, task)["leadId"]) == ("Call back", id_of(lead))
    # A new one is not about what its reader cannot see.
    for wanted in (id_of(lead), NOBODYS, "x"):
        assert agent.read(f"{NEW}?leadId={wanted}").form(NEW)["leadId.words"] == ""


def test_a_long_list_of_users_is_picked_from(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    assert "assignedToId.words" not in owner.read(NEW).form(NEW).names
    ids = {name: operator.agent(tenant, name) for name in (f"Agent {letter}" for letter in "abcdefghijklmn")}
    form = owner.read(NEW).form(NEW)
    task = led_to(owner.send(NEW, typed(form, assignedToId="agent g"))).partition("?")[0]
    assert shown(server, tenant, task)["assignedToId"] == ids["Agent g"]
    assert owner.read(task).form(task)["assignedToId.words"] == "Agent g"
    assert "Choose the user" in page(owner.send(NEW, typed(form, assignedToId="agent")), 400).problem
