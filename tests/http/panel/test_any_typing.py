"""Whatever is typed into any field of any form: a page comes back, and what was refused leaves no event behind.

The forms are found by following the panel's own links, so that those of new pages are filled in as well.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from aureum.http.panel.page import LOGIN
from tests.http.operator import Operator
from tests.http.panel.reader import Reader, page, refused
from tests.http.panel.reading import Form, only_our_modules
from tests.http.panel.test_every_page import Brokerage
from tests.http.serving import Server

MOST_PAGES = 150

TYPED = {
    "url": "https://example.com/hooks",
    "events": "lead.*",
    "name": "K",
    "sequence": "1",
    "email": "a@example.com",
}
"""What the other fields hold meanwhile, where they may not be empty."""

GARBAGE = [
    " ",
    "a\x00b\x1b[31m\r\n",
    "😀\u202e\ufeff\ufffd",
    "é" * 3000,
    "-1.5",
    "9" * 15,
    "9" * 400,
    "١٢",
    "'\"><script>alert(1)</script>{{ 7 * 7 }}%zz",
    "2026-13-45T99:99",
    "http://[::1",
]

SHARE = 4
"""Each field takes its turn with every fourth of these: there are more than a hundred fields."""


@pytest.fixture(scope="module")
def here(server: Server, operator: Operator) -> Brokerage:
    return Brokerage.opened(server, operator)


@pytest.fixture(scope="module")
def owner(here: Brokerage) -> Reader:
    return here.reader("brokerage_owner")


@pytest.fixture(scope="module")
def forms(owner: Reader) -> dict[str, Form]:
    """Every form that links lead to."""
    found: dict[str, Form] = {}
    waiting, seen = ["/admin"], {kind_of("/admin")}
    while waiting:
        answer = owner.get(waiting.pop())
        if "content-disposition" in answer.headers:
            continue  # a file
        reading = page(answer, 200)
        found |= {form.action: form for form in reading.forms if form.method == "post"}
        for link in reading.links:
            if urlsplit(link).path.startswith("/admin") and kind_of(link) not in seen:
                waiting.append(link)
                seen.add(kind_of(link))
        assert len(seen) <= MOST_PAGES, seen
    return found


def kind_of(link: str) -> tuple[str, frozenset[str]]:
    """A page without what is asked of it: there is another week behind every week."""
    parts = urlsplit(link)
    return parts.path, frozenset(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))


def test_they_are_found(here: Brokerage, forms: dict[str, Form]) -> None:
    webhook = here.ids["/admin/webhooks/"]
    own = {"", "/test", "/replay", "/rotate-secret", "/remove", "/disable"}
    assert {f"/admin/webhooks/{webhook}{path}" for path in own} | {
        "/admin/webhooks",
        "/admin/settings/api-keys",
    } <= set(forms)
    assert f"/admin/webhooks/deliveries/{webhook}_1/redeliver" in forms
    # Whatever makes something has what tells it from the same form sent again.
    for action in ("/admin/webhooks", "/admin/settings/api-keys", f"/admin/webhooks/{webhook}/replay"):
        assert len(forms[action]["once"]) > 20


def number_of(owner: Reader) -> int:
    """Of the user who is logged in."""
    number: int = owner.get("/api/me").json["number"]
    return number


@pytest.mark.parametrize("garbage", GARBAGE)
def test_any_field(here: Brokerage, owner: Reader, forms: dict[str, Form], garbage: str) -> None:
    filled, turn, me = 0, GARBAGE.index(garbage), f"/admin/users/{number_of(owner)}"
    assert me in forms
    for action, form in forms.items():
        if action == me:
            continue  # a new password would end the session
        # Who has changed it meanwhile does not matter here.
        others = {name: value for name, value in (TYPED | {"etag": ""}).items() if name in form.names}
        for name in sorted(set(form.names) - {"once"}):
            turn += 1
            if turn % SHARE:
                continue
            if name == "event" and not garbage.strip():
                continue  # that is a test of the first event, and waits for a worker
            before = here.head
            answer = owner.send(action, form.filled(**(others | {name: garbage})))
            assert answer.status < 500 and answer.headers.get("location") != LOGIN, (action, name)
            if answer.status >= 400:
                assert here.head == before, (action, name)
                reading = page(answer, answer.status)
                assert reading.said("p", role="alert") or refused(answer, answer.status)
                assert only_our_modules(answer.body)
            filled += 1
    assert filled >= 30


@pytest.mark.parametrize("garbage", GARBAGE)
def test_any_query(here: Brokerage, owner: Reader, garbage: str) -> None:
    webhook = f"/admin/webhooks/{here.ids['/admin/webhooks/']}"
    for path, name in (
        (webhook, "done"),
        (f"{webhook}/deliveries", "status"),
        (f"{webhook}/deliveries", "event"),
        (f"{webhook}/deliveries", "cursor"),
        ("/admin/settings/api-keys", "page"),
        ("/admin/leads", "cursor"),
        ("/admin/leads", "assignedToId"),
        ("/admin/contacts", "search"),
        ("/admin/users", "page"),
        ("/admin/tasks/new", "assignedToId"),
    ):
        answer = owner.get(f"{path}?{urlencode({name: garbage})}")
        if answer.status == 303 and name == "cursor":
            answer = owner.get(answer.headers["location"])
        assert answer.status in (200, 400) and page(answer, answer.status), (path, name)


def test_a_form_without_any_field(here: Brokerage, owner: Reader, forms: dict[str, Form]) -> None:
    sent = 0
    for action, form in forms.items():
        if set(form.names) & {"url", "name", "sequence", "sure", "title", "firstName"}:
            before = here.head
            answer = owner.send(action, b"")
            # Of a list, nothing was selected.
            back_to_list = action.endswith("/selected") and answer.status == 303
            assert back_to_list or page(answer, 400).problem, action
            assert here.head == before
            sent += 1
    assert sent >= 15
