"""Every list that can be searched finds the same for the same text: contacts, leads, showings, and both lists of the
Leads API."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aureum.http.server.routes import ENDPOINTS
from aureum.store.search import Searched
from tests.http.operator import Operator, Staff, Tenant
from tests.http.serving import Answer, Server

PEOPLE: dict[str, dict[str, str]] = {
    "John": {"lastName": "Smith", "email": "john.smith@example.com", "phone": "208-555-0123"},
    "Zoë": {"lastName": "Müller-Groß", "email": "zm@letters.example.com", "phone": "+44 20 7946 0958"},
    "Tom": {"lastName": "O'Neil", "email": "to@mail.example.com", "phone": "call after six"},
    "Íñigo": {"lastName": "Núñez", "email": "nora@bücher.example", "phone": "2085550199"},
    "小龍": {"lastName": "李", "email": "100%_sure@mail.example.com", "phone": "(208) 555-0777"},
}

CASES = {
    "john": "John",
    "JOHN SMITH": "John",
    "smith,john": "John",
    "ohn mit": "John",
    "jo": "John",
    "jhon smiht": "John",
    "john zoe": "",
    "john.smith@example.com": "John",
    "john.smith@exmaple.com": "John",
    "zoe": "Zoë",
    "ZOË gross": "Zoë",
    "muller-gros": "Zoë",
    "mulelr": "Zoë",
    "o'neil": "Tom",
    "oneil": "Tom",
    "O'NELI": "Tom",
    "tom": "Tom",
    "cam": "",
    "mali": "",
    "nunez": "Íñigo",
    "NUÑEZ INIGO": "Íñigo",
    "nora@xn--bcher-kva.example": "Íñigo",
    "nora@bucher": "Íñigo",
    "李小龍": "小龍",
    "小龍李": "小龍",
    "李 小龍": "小龍",
    "龍": "小龍",
    "100%_s": "小龍",
    "%": "小龍",
    "2085550123": "John",
    "208-555-0123": "John",
    "(208) 555-0123": "John",
    "+1 208 555 0123": "John",
    "+12085550123": "John",
    "555.0123": "John",
    "0123": "John",
    "555-01": "John Íñigo",
    "02079460958": "",
    "20 7946 0958": "Zoë",
    "+442079460958": "Zoë",
    "after": "Tom",
    "5550777 李": "小龍",
    "exmaple": "John Zoë Tom 小龍",
    "mail.example": "Tom 小龍",
    "@": "John Zoë Tom Íñigo 小龍",
    "n_i": "",
    "\\": "",
    "''": "",
    "!!!!": "",
    "& | ! ( ) :* <->": "",
    "x" * 200: "",
    "a b c d e f g h i j k l": "",
    "  ": "John Zoë Tom Íñigo 小龍",
    "": "John Zoë Tom Íñigo 小龍",
}

Found = Callable[[str], list[str]]


class Lists:
    """A brokerage with the same people in every list, and how each list is searched."""

    def __init__(self, server: Server, tenant: Tenant, staff: Staff) -> None:
        self.server, self.tenant, self.staff = server, tenant, staff
        self.first: dict[str, str] = {}

    def add(self, first: str, **rest: str) -> None:
        """A person in every list."""
        person = {"firstName": first, **rest}
        showing = {name: value for name, value in rest.items() if name in ("email", "phone")}
        showing |= {"name": f"{first} {rest['lastName']}", "listingId": "1"}
        for path, body in (("contacts", person), ("leads", person), ("showings", showing)):
            answer = self.server.by_key(self.tenant, "POST", f"/api/{path}", body)
            assert answer.status == 201, answer.body

    def by_key(self, path: str, **query: Any) -> Answer:
        answer = self.server.by_key(self.tenant, "GET", f"{path}?{urlencode(query)}")
        assert answer.status == 200, answer.body
        return answer

    def named(self, path: str, parameter: str, name: str) -> Found:
        """Who is found in a list of the brokerage's key, newest first; with and without pages."""

        def found(search: str) -> list[str]:
            whole = self.by_key(path, **{parameter: search}).json
            assert self.by_key(path, **{parameter: search}, limit=100).json == whole
            return [one[name].split()[0] for one in whole]

        return found

    def numbered(self, search: str) -> list[str]:
        """Who is found in the staff's list."""
        query = urlencode({"q": search, "page_size": 100})
        answer = self.server.ask("GET", f"/api/v1/admin/leads?{query}", headers=self.staff.bearer)
        assert answer.status == 200, answer.body
        assert answer.json["total"] == len(answer.json["items"])
        return [lead["first_name"] for lead in answer.json["items"]]

    @property
    def all(self) -> dict[str, Found]:
        return {
            "/api/contacts": self.named("/api/contacts", "search", "firstName"),
            "/api/leads": self.named("/api/leads", "search", "firstName"),
            "/api/showings": self.named("/api/showings", "search", "name"),
            "/api/tours": self.named("/api/tours", "q", "name"),
            "/api/v1/admin/leads": self.numbered,
        }


def opened(server: Server, operator: Operator) -> Lists:
    tenant = operator.brokerage()
    return Lists(server, tenant, operator.staff(tenant.id, "broker"))


@pytest.fixture(scope="module", params=["just added", "copied for the index"])
def lists(request: pytest.FixtureRequest, server: Server, operator: Operator) -> Lists:
    """With all people; no test changes them."""
    lists = opened(server, operator)
    for first, rest in PEOPLE.items():
        lists.add(first, **rest)
    if request.param != "just added":
        operator.run(lambda store: Searched().round(store.database, 1))
    return lists


def test_no_list_is_left_out(lists: Lists) -> None:
    searched = {
        endpoint.path
        for endpoint in ENDPOINTS
        if endpoint.method == "GET" and {"search", "q"} & set(getattr(endpoint.query, "model_fields", ()))
    }
    # Properties are no people: test_properties.py.
    # Subscribers have a first name and an address alone: test_subscribers.py.
    # The search over everything has a test of its own.
    others = {"/api/v1/admin/newsletter", "/api/properties", "/api/v1/admin/search"}
    assert searched == {*lists.all, *others}


@pytest.mark.parametrize("search", CASES)
def test_the_same_text_finds_the_same_people(lists: Lists, search: str) -> None:
    expected = CASES[search].split()[::-1]
    assert {path: found(search) for path, found in lists.all.items()} == {path: expected for path in lists.all}


def test_a_typo_is_forgiven_only_where_nothing_else_is_found(server: Server, operator: Operator) -> None:
    lists = opened(server, operator)
    lists.add("Jon", lastName="Smyth", email="a@example.com")
    assert {path: found("smith") for path, found in lists.all.items()} == {path: ["Jon"] for path in lists.all}
    lists.add("Al", lastName="Smith", email="b@example.com")
    assert {path: found("smith") for path, found in lists.all.items()} == {path: ["Al"] for path in lists.all}


@pytest.fixture(scope="module")
def crowd(server: Server, operator: Operator) -> Lists:
    """For people who are added one by one."""
    return opened(server, operator)


words = st.text("abcdeéßøЖ漢'-", min_size=1, max_size=7).filter(lambda word: word.strip("'-") != "")


@given(words, words, st.text("abc123", min_size=1, max_size=8), st.integers(2_000_000, 9_999_999), st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_person_is_found_by_what_they_are(
    crowd: Lists, operator: Operator, first: str, last: str, mailbox: str, number: int, data: st.DataObject
) -> None:
    """By the beginnings of their words, their e-mail, their phone however it is written."""
    phone = f"208-{str(number)[:3]}-{str(number)[3:]}"
    crowd.add(first, lastName=last, email=f"{mailbox}@example.com", phone=phone)
    if data.draw(st.booleans()):
        operator.run(lambda store: Searched().round(store.database, 1))
    begun = [word[: data.draw(st.integers(1, len(word)))] for word in (last, first)]
    searches = [" ".join(begun), f"{mailbox}@example.com", phone, f"+1208{number}", str(number)[1:6]]
    for search in filter(lambda search: search.strip("'- "), searches):
        for path, found in crowd.all.items():
            assert first.split()[0] in found(search), (path, search)
