"""What holds for every page of the portal, those that are still to come too; and what the first pages show."""

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from aureum.http.portal.page import PortalPage
from aureum.http.portal.pages import PAGES
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff, page, refused
from tests.http.portal.client import KNOWN, SESSION, Client, client_at
from tests.http.serving import Server

NOBODYS = "c" + "0" * 24 + "1"

ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
)

OF_A_CLIENT = {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"}


def path_of(one: PortalPage) -> str:
    """The address of a page, about something that there is not."""
    path = one.path.replace("{token}", "x" * 43).replace("{path:path}", "nothing/here")
    return re.sub(r"\{\w+\}", NOBODYS, re.sub(r"\{\w+:int\}", "1", path))


def test_nothing_of_a_page_is_kept_framed_or_run(client: Client) -> None:
    for one in PAGES:
        if one.path == "/portal/sign-out":
            continue
        answer = client.ask(one.method, path_of(one), None, {"Content-Type": "text/plain"})
        assert answer.status < 500, one
        assert answer.headers["cache-control"] == "no-store", one
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer"), one
        assert answer.headers["x-content-type-options"] == "nosniff", one
        if answer.headers.get("content-type", "").startswith("text/html"):
            policy = set(answer.headers["content-security-policy"].split("; "))
            assert policy > OF_A_CLIENT and not any("unsafe" in part for part in policy), one
            nonce = next(part for part in policy if part.startswith("script-src")).removeprefix("script-src 'nonce-")
            scripts = answer.body.count(b"<script")
            assert scripts == answer.body.count(f'nonce="{nonce.rstrip(chr(39))}"'.encode()), one


def test_no_page_opens_without_a_client(visitor: Client) -> None:
    for one in PAGES:
        if not one.anyone:
            visitor.cookies = {SESSION: "autp_" + "x" * 43}
            answer = visitor.send(path_of(one)) if one.method == "POST" else visitor.get(path_of(one))
            assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/portal"), one


def test_no_form_of_another_site_is_taken(client: Client, operator: Operator, tenant: Tenant) -> None:
    head = operator.head(tenant)
    for one in PAGES:
        for headers in ELSEWHERE if one.method == "POST" else ():
            answer = client.send(path_of(one), {"language": "es"}, headers)
            if one.proves_itself:
                assert page(answer, 200).said("h1") == ["Enter your code"], one
            else:
                assert page(answer, 403).said("h1") == ["This form came from another website"], one
    assert operator.head(tenant) == head and client.is_in and set(client.cookies) == {SESSION, KNOWN}


@pytest.mark.parametrize(
    ("method", "path", "status", "title", "es"),
    [
        ("GET", "/portal/nothing", 404, "This page does not exist", "Esta página no existe"),
        ("DELETE", "/portal", 405, "This page cannot be opened this way", "Esta página no se puede abrir así"),
        ("PUT", "/portal/enquiries", 405, "This page cannot be opened this way", "Esta página no se puede abrir así"),
        ("GET", "/portal/%00%ff", 404, "This page does not exist", "Esta página no existe"),
    ],
)
def test_a_refusal_is_a_page(client: Client, method: str, path: str, status: int, title: str, es: str) -> None:
    assert page(client.ask(method, path), status).said("h1") == [title]
    answer = client.ask(method, path, headers={"Accept-Language": "es-US"})
    assert page(answer, status).said("h1") == [es] and 'lang="es"' in answer.body.decode()
    assert client.get("/portal/").headers["location"] == "/portal"


def test_what_a_client_chose_outlasts_what_the_next_browser_prefers(client: Client, operator: Operator) -> None:
    """Mails go by the language of the last sign-in; one that was chosen stays."""

    def kept() -> tuple[str, bool]:
        assert client.tenant is not None
        ((language, chosen),) = operator.rows(
            "SELECT language, chosen FROM portal_languages WHERE tenant_id = %(tenant)s", tenant=client.tenant.id
        )
        return str(language), bool(chosen)

    assert kept() == ("en", False)
    client.send("/portal/language", {"language": "es", "next": "/portal"})
    assert kept() == ("es", True), "a client who is signed in need not sign in again"
    client.cookies.clear()
    client.signs_in()
    assert kept() == ("es", True)
    client.cookies.clear()
    client.send("/portal/language", {"language": "en"})
    assert kept() == ("es", True), "nobody has signed in"
    client.signs_in()
    assert kept() == ("en", True)


def test_an_unknown_host_has_no_portal(server: Server) -> None:
    for path in ("/portal", "/portal/enquiries", "/portal/sign-in/x"):
        answer = server.ask("GET", path, host="nobody.example.org")
        assert page(answer, 404).said("h1") == ["There is no such website"]
    assert page(server.ask("GET", "/portal", host="a b"), 400)
    assert server.ask("POST", "/portal/sign-in", b"email=a@example.net", host="nobody.example.org").status == 404


def test_the_language_is_chosen_in_the_footer(visitor: Client, operator: Operator) -> None:
    (form,) = [one for one in visitor.read("/portal").forms if one.action == "/portal/language"]
    chosen = visitor.send(form.action, [*form.fields, ("language", "es")])
    assert chosen.headers["location"] == "/portal"
    assert visitor.read("/portal").said("h1") == ["Inicie sesión en Snake River Realty"]
    visitor.asks()
    letter = visitor.reads()
    assert letter.language == "es"
    assert (
        visitor.send("/portal/language", {"language": "xx", "next": "//evil.example"}).headers["location"] == "/portal"
    )
    assert visitor.read("/portal").said("h1") == ["Inicie sesión en Snake River Realty"]


def test_the_pages_look_like_the_brokerage(visitor: Client, operator: Operator, server: Server, tenant: Tenant) -> None:
    owner = operator.staff(tenant.id, "brokerage_owner")
    assert "--brand:#1f4fa3" in visitor.get("/portal").body.decode()
    number = server.ask("GET", "/api/me", headers=owner.bearer).json["brokerage"]["id"]
    changed = server.ask("PATCH", f"/api/v1/admin/brokerages/{number}", {"color": "#7a1f4f"}, owner.bearer)
    assert changed.status == 200, changed.body
    answer = visitor.get("/portal")
    assert "--brand:#7a1f4f" in answer.body.decode() and "Snake River Realty" in answer.body.decode()


def enquire(server: Server, tenant: Tenant, email: str, **fields: Any) -> None:
    assert server.form(tenant, email=email, **fields).status == 200


def test_a_client_reads_the_enquiries_and_nothing_else_of_them(
    client: Client, contact: dict[str, Any], server: Server, operator: Operator, tenant: Tenant
) -> None:
    agent = operator.agent(tenant, "Ana Agent")
    assert client.read("/portal/enquiries").said("p")[0] == "You have not sent us an enquiry yet."
    enquire(server, tenant, client.email, subject="Horse property", message="Five acres <b>near</b> Kuna.")
    enquire(server, tenant, f" {client.email.upper()}", subject="A loft", firstName="Nils")
    enquire(server, tenant, "other@example.net", subject="Of another person")
    enquire(server, tenant, client.email, subject="Spam", _gotcha="x")
    linked = server.lead(tenant, name="Nora L", email="work@example.net", subject="From work", notes="Rich!")
    server.by_key(tenant, "PATCH", f"/api/leads/{linked['id']}", {"assignedToId": agent, "status": "qualified"})
    shown = client.read("/portal/enquiries")
    assert shown.said("h2") == ["A loft", "Horse property"], "the newest first; no other person's, and no spam"

    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olga Owner"))
    converted = server.by_key(tenant, "POST", f"/api/leads/{linked['id']}/convert", {})
    assert converted.status in (200, 201), converted.body
    other = converted.json["contactId"] if "contactId" in converted.json else converted.json["id"]
    merged = server.by_key(tenant, "POST", f"/api/contacts/{contact['id']}/merge", {"with": other})
    assert merged.status == 200, merged.body
    operator.rows("DELETE FROM login_failures")
    client.signs_in()
    answer = client.get("/portal/enquiries")
    shown = page(answer, 200)
    assert shown.said("h2")[0] == "From work"
    text = answer.body.decode()
    assert "Ana Agent will answer you." in text and "Your agent is Ana Agent." in text
    assert "Five acres &lt;b&gt;near&lt;/b&gt; Kuna." in text
    for hidden in ("Rich!", "Olga", "work@example.net", "qualified", "spring", linked["id"], contact["id"], "score"):
        assert hidden not in text, hidden
    home = client.read("/portal")
    assert (home.said("h2"), home.said("h3")) == (["Your enquiries"], ["From work", "A loft"])

    seen = owner.get(f"/admin/contacts/{contact['id']}/portal/enquiries")
    assert page(seen, 200).said("h2") == shown.said("h2")
    assert "form-action 'none'" in seen.headers["content-security-policy"]
    assert b"<form" not in seen.body and b"Nothing can be pressed" in seen.body
    first = page(owner.get(f"/admin/contacts/{contact['id']}/portal"), 200)
    assert f"/admin/contacts/{contact['id']}/portal/enquiries" in first.links
    assert "See the portal as the client" in owner.get(f"/admin/contacts/{contact['id']}").body.decode()


def test_a_preview_shows_an_agent_only_what_the_agent_may_see(
    client: Client, contact: dict[str, Any], server: Server, operator: Operator, tenant: Tenant
) -> None:
    enquire(server, tenant, client.email, subject="Of a colleague")
    agent = operator.staff(tenant.id, "agent", "Andy Agent")
    server.lead(tenant, name="Nora L", email=client.email, subject="Of Andy", assignedToId=agent.id)
    path = f"/admin/contacts/{contact['id']}/portal"
    andy = as_staff(server, agent)
    assert page(andy.get(f"{path}/enquiries"), 200).said("h2") == ["Of Andy"]
    for missing in ("/sign-in/x", "/code", "/language", "/nothing", "/../enquiries"):
        assert andy.get(path + missing).status == 404, missing
    assert andy.send(path).status == 405
    assert andy.get(f"/admin/contacts/{NOBODYS}/portal").status == 404
    nameless = server.by_key(tenant, "POST", "/api/contacts", {"firstName": "No", "lastName": "Mail", "type": "BUYER"})
    without = page(andy.get(f"/admin/contacts/{nameless.json['id']}/portal"), 200)
    assert "no email address" in " ".join(without.said("p"))
    stranger = operator.staff(operator.brokerage().id, "brokerage_owner")
    assert as_staff(server, stranger).get(path).status == 404
    starter = operator.brokerage("Starter")
    olga = as_staff(server, operator.staff(starter.id, "brokerage_owner"))
    new = {"firstName": "A", "lastName": "B", "email": "a@example.net", "type": "BUYER"}
    made = server.ask("POST", "/api/contacts", new, starter.bearer)
    assert made.status == 403, "the plan has no API"
    sent = olga.send("/admin/contacts/new", new | {"once": "x"})
    assert sent.status == 303, sent.body
    theirs = sent.headers["location"].partition("?")[0]
    assert "Grow" in refused(olga.get(f"{theirs}/portal"), 403)
    assert "portal as the client" not in olga.get(theirs).body.decode()


def test_no_preview_changes_anything_or_has_what_can_be_pressed(
    client: Client, contact: dict[str, Any], server: Server, operator: Operator, tenant: Tenant
) -> None:
    enquire(server, tenant, client.email, subject="A loft")
    owner = as_staff(server, operator.staff(tenant.id, "brokerage_owner"))
    head = operator.head(tenant)
    for one in PAGES:
        if one.preview and "{" not in one.path:
            answer = owner.get(f"/admin/contacts/{contact['id']}{one.path}")
            assert page(answer, 200), one
            before, _, shown = answer.body.decode().partition('<fieldset class="shown" disabled>')
            inside, _, after = shown.partition("</main>")
            assert inside.rstrip().endswith("</fieldset>"), one
            assert not re.search("<(form|button|input|select|textarea)", before + after), one
            assert "form-action 'none'" in answer.headers["content-security-policy"], one
            assert "script-src 'none'" in answer.headers["content-security-policy"], one
    assert operator.head(tenant) == head


def test_head_is_as_get_without_a_body(client: Client) -> None:
    answer = client.ask("HEAD", "/portal/enquiries")
    assert (answer.status, answer.body) == (200, b"")


def test_a_server_without_clients_pays_nothing_for_the_portal() -> None:
    check = (
        "import sys, aureum.app, aureum.http.server.routes; print([n for n in ('babel', 'pytz') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_below_grow_no_client_signs_in(server: Server, operator: Operator, uncounted: None) -> None:
    starter = operator.brokerage("Starter")
    visitor = client_at(server, operator, starter, "nora@example.net")
    assert page(visitor.get("/portal"), 200).said("h1") == ["Sign in to Snake River Realty"]
    assert visitor.asks().status == 202
    assert replace(visitor, cookies={}).send("/portal/code", {"code": "1", "email": visitor.email}).status == 422
