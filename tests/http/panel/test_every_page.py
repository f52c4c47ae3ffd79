"""What holds for each page, those that are still to come too: who reads it, by which method, and what browsers may do
with it."""

from dataclasses import dataclass
from typing import Any

import pytest

from aureum.domain.ids import PLATFORM, from_wire, to_wire
from aureum.http.api.tours.icalendar import CALENDAR
from aureum.http.panel.page import LOGIN, WRONG_METHOD, Page
from aureum.http.panel.pages import PAGES
from aureum.http.wire.page_forms import NO_FORM
from tests.http.api.staff.keys import number_of
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.api.webhooks.hooks import made
from tests.http.api.webhooks.test_deliveries import Hook
from tests.http.every.of_brokerages import failed_mail, subscriber
from tests.http.every.sample import Sample
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import MEDIA, Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import only_our_modules
from tests.http.sending import draft
from tests.http.serving import JANE, Answer, Server
from tests.pdf.making import document

EACH = pytest.mark.parametrize("one", PAGES, ids=lambda one: one.path)
SMALL = pytest.mark.parametrize("one", [one for one in PAGES if one.act and not one.streamed], ids=lambda one: one.path)
CLOSED = pytest.mark.parametrize("one", [one for one in PAGES if not one.anyone], ids=lambda one: one.path)

ADMINS_ONLY = ("/admin/brokerages", "/admin/platform")
OWNERS_ONLY = ("/admin/webhooks", "/admin/users", "/admin/settings", *ADMINS_ONLY)
"""Pages that only owners of a brokerage and platform admins may open."""
OWNERS_STEP = "/erase"
"""What one of them may do below a page that all staff may open."""

TYPED = {
    "url": "https://example.com/hooks",
    "events": "lead.*",
    "mode": "parallel",
    "name": "K",
    "rate_limit": "7",
    "overlap_hours": "24",
    "sequence": "1",
    "event": "lead.created",
    "only": "missing",
    "sure": "yes",
    "once": "once",
}
"""What the form of any page sends, and what others do."""

RESOURCES: dict[str, dict[str, Any]] = {
    "leads": JANE,
    "contacts": {"firstName": "John", "lastName": "Smith"},
    "properties": HOUSE,
    "tasks": {"title": "Call back"},
    "showings": JANE | {"startsAt": "2026-12-01T10:00"},
}
"""Of each kind one, by the end of its address."""

HEADS = "SELECT position FROM heads WHERE tenant_id = ANY(%(tenants)s) ORDER BY tenant_id"

STYLE_SHEET = "/admin/panel.css"

LEADING = ("/admin", "/docs", "#", "mailto:", "tel:")
"""Where links of the panel lead."""

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


@dataclass(frozen=True)
class Brokerage:
    """A brokerage with one of each thing that a page is about."""

    server: Server
    operator: Operator
    tenant: Tenant
    ids: dict[str, str]

    @classmethod
    def opened(cls, server: Server, operator: Operator) -> "Brokerage":
        tenant = operator.brokerage()
        webhook = made(server, tenant)["id"]
        hook = Hook(server, operator, tenant, webhook)
        hook.told(1)
        hook.tried(1, 1, "delivered")
        replay = server.by_key(tenant, "POST", f"/api/webhooks/{webhook}/replay", {"since": 1}).json
        made_of = {
            kind: server.by_key(tenant, "POST", f"/api/{kind}", body).json["id"] for kind, body in RESOURCES.items()
        }
        owner = operator.staff(tenant.id, "brokerage_owner")
        (lead,) = server.ask("GET", "/api/v1/admin/leads", headers=owner.bearer).json["items"]
        ids = {f"/admin/{kind}/": made_id for kind, made_id in made_of.items()} | {
            "/admin/brokerages/": str(number_of(operator, operator.shared)),
            "/admin/agents/": str(operator.staff(tenant.id, "agent", "Andy Agent").number),
            "/admin/users/": str(operator.staff(tenant.id, "agent", "Annie Agent").number),
            "/admin/pond/": str(lead["id"]),
            "/admin/today/pond/": str(lead["id"]),
            **{f"/admin/today/{kind}/": made_of[kind] for kind in ("leads", "tasks", "showings")},
            "/admin/leads/views/": server.ask(
                "POST", "/api/me/views", {"name": "New", "page": "leads", "query": "status=new"}, owner.bearer
            ).json["id"],
            "/admin/activities/": server.by_key(
                tenant, "POST", f"/api/leads/{made_of['leads']}/activities", {"type": "visit"}
            ).json["id"],
            "/admin/routing/rehearsals/": server.ask("POST", "/api/v1/admin/routing/rehearse", {}, owner.bearer).json[
                "id"
            ],
            "/admin/imports/": server.ask(
                "POST",
                "/api/v1/admin/imports?resource=contacts&hold=true",
                b"Name\nNora\n",
                owner.bearer | {"Content-Type": "text/csv"},
            ).json["id"],
            "/admin/webhooks/": webhook,
            "/admin/webhooks/deliveries/": f"{webhook}_1",
            "/admin/webhooks/replays/": replay["id"],
            "/admin/settings/api-keys/": to_wire(tenant.key_id),
            "/admin/mail/": failed_mail(Sample(server, operator, tenant))["id"],
            "/admin/newsletter/": subscriber(Sample(server, operator, tenant))["id"],
        }
        about = {"subject": "Offer", "contactId": made_of["contacts"]}
        ids["/admin/envelopes/"] = envelope = draft(server, tenant, **about)["id"]
        path, media = f"/api/envelopes/{envelope}/documents", {"Content-Type": "application/pdf"}
        ids["{documentId}"] = server.by_key(tenant, "POST", path, document(), media).json["id"]
        new = {"name": "Offer", "subject": "Offer", "roles": [{"name": "buyer"}]}
        template = server.by_key(tenant, "POST", "/api/envelope-templates", new).json["id"]
        ids["/admin/envelopes/templates/"] = template
        path = f"/api/envelope-templates/{template}/documents"
        ids["/admin/envelopes/templates/documents"] = server.by_key(tenant, "POST", path, document(), media).json["id"]
        return cls(server, operator, tenant, ids)

    def path(self, one: Page) -> str:
        """The page's address here; of a kind of thing that this brokerage has none of, with an unknown id."""
        before = one.path.partition("{")[0]
        path = one.path.replace("{id}", self.ids.get(before, NOBODYS)).replace("{path:path}", "nothing/here")
        return path.replace("{documentId}", self.ids.get(before + "documents", self.ids["{documentId}"]))

    def reader(self, role: str) -> Reader:
        return as_staff(self.server, self.operator.staff(self.tenant.id, role))

    @property
    def head(self) -> list[int]:
        """Where the logs end in which its events stand: its own, and the platform's."""
        rows = self.operator.rows(HEADS, tenants=[self.tenant.id, PLATFORM])
        return [int(position) for (position,) in rows]


NOBODYS = "c" + "0" * 24 + "1"
assert from_wire(NOBODYS) is not None


@pytest.fixture(scope="module")
def here(server: Server, operator: Operator) -> Brokerage:
    return Brokerage.opened(server, operator)


@pytest.fixture(scope="module")
def owner(here: Brokerage) -> Reader:
    return here.reader("brokerage_owner")


@pytest.fixture(scope="module")
def admin(server: Server, operator: Operator) -> Reader:
    return as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))


def is_safe(answer: Answer) -> bool:
    """Whether browsers keep nothing of it, and run nothing in it."""
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert only_our_modules(answer.body) and b"javascript:" not in answer.body and b"<style" not in answer.body
    assert not any(f" {name}=".encode() in answer.body for name in ("style", "onclick", "onload", "onsubmit"))
    return True


@CLOSED
def test_a_reader_who_is_not_logged_in_is_asked_to(here: Brokerage, one: Page) -> None:
    reader, path, before = Reader(here.server), here.path(one), here.head

    assert led_to(reader.get(path)) == f"{LOGIN}?next={path}"
    assert led_to(reader.get(f"{path}?a=b&c=%2F")) == f"{LOGIN}?next={path}%3Fa%3Db%26c%3D%252F"
    assert led_to(reader.send(path, {"name": "K", "rate_limit": "7", "sure": "yes"})) == f"{LOGIN}?next=/admin"
    for method in ("HEAD", "PUT", "DELETE"):
        answer = reader.ask(method, path)
        assert led_to(answer) == f"{LOGIN}?next=/admin" and is_safe(answer)
    assert here.head == before


@EACH
def test_each_is_read_by_the_owner(here: Brokerage, owner: Reader, admin: Reader, one: Page) -> None:
    path = here.path(one)
    reader = admin if path.startswith(ADMINS_ONLY) else owner
    answer = reader.get(path)
    assert is_safe(answer)
    if one.show is None:
        assert refused(answer, 405) == WRONG_METHOD
    elif one.anyone:
        assert led_to(answer) == "/admin"
    elif path.endswith(("nothing/here", "/settings/logo")):
        # This brokerage has no logo.
        assert refused(answer, 404)
    elif path.endswith(".csv"):
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/csv")
    elif "{documentId}" in one.path:
        media = "image/png" if path.endswith("/pages") else "application/pdf"
        assert (answer.status, answer.headers["content-type"]) == (200, media)
    elif path.endswith(".ics"):
        assert (answer.status, answer.headers["content-type"]) == (200, CALENDAR)
    else:
        reading = page(answer, 200)
        assert len(reading.said("h1")) == 1 and all(reading.said("h1"))
        assert reading.said("title") and reading.said("title")[0].endswith(" – Aureum")
        assert [link for link in reading.links if not link.startswith(LEADING)] == []
        assert {form.action.startswith("/admin") for form in reading.forms} == {True}
    # A HEAD is the same without its body.
    head = reader.ask("HEAD", path)
    assert (head.status, head.body) == (answer.status, b"") and is_safe(head)


@EACH
def test_other_methods_are_refused(here: Brokerage, owner: Reader, one: Page) -> None:
    allowed = (["GET", "HEAD"] if one.show else []) + (["POST"] if one.act else [])
    before = here.head
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} - set(allowed):
        form = {"Content-Type": MEDIA}
        answer = owner.ask(method, here.path(one), None if method in ("GET", "HEAD") else b"name=K", form)
        assert (answer.status, answer.headers["allow"]) == (405, ", ".join(allowed)), method
        assert method == "HEAD" or refused(answer, 405) == WRONG_METHOD
        assert is_safe(answer)
    assert here.head == before


@SMALL
def test_what_is_no_form(here: Brokerage, owner: Reader, one: Page) -> None:
    path, before, cookies = here.path(one), here.head, dict(owner.cookies)
    for media in ("application/json", "multipart/form-data; boundary=x", "text/plain", "", f"{MEDIA}x"):
        assert refused(owner.send(path, b"name=K&rate_limit=7&sure=yes", {"Content-Type": media}), 415) == NO_FORM
    for body in (
        b"name=%ff",
        b"name=%C3%28&rate_limit=7",
        b"name=%ED%A0%80",
        b"%ED%BF%BF=7",
        "name=ä".encode(),
        b"name=\xff",
        b"&".join([b"events=lead.*"] * 201),
    ):
        answer = owner.send(path, body)
        assert refused(answer, 400) == NO_FORM and is_safe(answer)
    assert "too large" in refused(owner.send(path, b"", {"Content-Length": "10000000"}), 413)
    assert here.head == before and owner.cookies == cookies


@pytest.mark.parametrize("role", ["agent", "broker", "brokerage_owner"])
def test_what_only_owners_may(here: Brokerage, role: str) -> None:
    closed = ADMINS_ONLY if role == "brokerage_owner" else OWNERS_ONLY
    reader, before = here.reader(role), here.head
    for one in PAGES:
        path = here.path(one)
        if not path.startswith(closed) and not (role != "brokerage_owner" and path.endswith(OWNERS_STEP)):
            continue
        if one.path == "/admin/brokerages/{id}":
            # Another brokerage, which is as unknown as what does not exist.
            for answer in (reader.get(path), reader.send(path, TYPED)):
                assert answer.status == 404 and b"Brokerage not found" in answer.body
            continue
        may = "Only a platform admin may" if path.startswith(ADMINS_ONLY) else "Only the owner of the brokerage or"
        if one.show is not None:
            assert may in refused(reader.get(path), 403)
        if one.act is not None:
            assert may in refused(reader.send(path, TYPED), 403)
    overview = reader.read("/admin")
    assert [link for link in overview.links if link.startswith(closed)] == []
    assert here.head == before


def test_what_another_brokerage_has_is_not_there(here: Brokerage, server: Server, operator: Operator) -> None:
    stranger = operator.brokerage()
    reader = as_staff(server, operator.staff(stranger.id, "brokerage_owner"))
    before = here.head, operator.head(stranger)
    walked = 0
    for one in PAGES:
        # Sessions are the reader's own, and one that has ended is as good.
        if "{id}" not in one.path or one.path.startswith((*ADMINS_ONLY, "/admin/account")):
            continue
        kind = one.path.partition("{")[0]
        own, numbered = (
            here.ids[kind],
            kind in ("/admin/users/", "/admin/agents/", "/admin/pond/", "/admin/today/pond/"),
        )
        for name in (own, "9" * 12 if numbered else NOBODYS, *(() if numbered else ("%00", "%ED", "9" * 30))):
            path = one.path.replace("{id}", name)
            if one.show is not None:
                assert "no such" in refused(reader.get(path), 404)
            if one.act is not None:
                assert "no such" in refused(reader.send(path, TYPED), 404)
        walked += 1
    assert walked >= 12
    assert (here.head, operator.head(stranger)) == before


def test_a_name_that_a_proxy_or_browser_has_made_up(here: Brokerage, owner: Reader) -> None:
    for path in ("/admin/%2e%2e/docs", "/admin/%00", "/admin/%ff", "/admin/nothing?a=%ff", "/admin//", "/admin/%20"):
        assert refused(owner.get(path), 404) == "There is no such page."
        assert led_to(Reader(here.server).get(path)).startswith(f"{LOGIN}?next=/admin/")
    assert led_to(owner.get("/admin/")) == "/admin"
    assert owner.get("/administrator").status == 404


def test_a_form_that_is_too_large(here: Brokerage, owner: Reader) -> None:
    chunk, before = b"name=" + b"x" * 1_000_000, here.head
    for path in ("/admin/login", "/admin/settings/api-keys"):
        # Its length is not known before it has come.
        answer = owner.send(path, b"%x\r\n%s\r\n" % (len(chunk), chunk), {"Transfer-Encoding": "chunked"})
        assert "too large" in refused(answer, 413)
    assert here.head == before


def test_the_style_sheet_is_kept_as_long_as_it_is_the_same(here: Brokerage, owner: Reader) -> None:
    answer = owner.get(STYLE_SHEET)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    assert Reader(here.server).get(STYLE_SHEET).body == answer.body, "the login page needs it"
    digest = owner.get("/admin").body.decode().partition(f"{STYLE_SHEET}?")[2].partition('"')[0]
    assert len(digest) > 8


def test_a_platform_admin_has_an_overview(server: Server, operator: Operator) -> None:
    reader = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    overview = reader.read("/admin")
    assert overview.said("strong")[:1] == ["Aureum"] and overview.said("h1") == ["Today"]
    for one in PAGES:
        if one.show is not None and not one.anyone:
            path = one.path.replace("{id}", NOBODYS).replace("{path:path}", "nothing")
            assert reader.get(path).status in (200, 400, 404), path
