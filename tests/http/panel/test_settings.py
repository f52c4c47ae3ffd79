"""Settings: the brokerage and its look, domains, the plan, and the form for its website."""

import pytest

from aureum.domain.ids import PLATFORM
from aureum.http.panel.time_zones import zones
from tests.domain.test_images import jpeg, png
from tests.http.api.staff.keys import number_of
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.serving import FORM, Answer, Server

HERE = "/admin/settings"
BOUNDARY = "----form7"
PAGES = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def owner(server: Server, operator: Operator, tenant: Tenant) -> Reader:
    return as_staff(server, operator.staff(tenant.id, "brokerage_owner"))


def upload(reader: Reader, color: str, logo: bytes = b"", name: str = "logo.png") -> Answer:
    """What the form sends with another look."""
    fields = [*reader.read(HERE).form(HERE).filled(color=color)]
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
        if name != "logo"
    )
    body += (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="logo"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    body += logo + f"\r\n--{BOUNDARY}--\r\n".encode()
    return reader.send(HERE, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def test_a_logo_and_a_colour(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    assert owner.read(HERE).form(HERE)["color"] == "#1f4fa3"
    assert server.ask("GET", "/api/logo", host=tenant.domain).status == 404

    done = owner.follow(upload(owner, "#7a1f3d", png()))

    assert done.said("p", role="status") == ["The brokerage was saved."]
    assert done.form(HERE)["color"] == "#7a1f3d"
    assert owner.get(f"{HERE}/logo").body == png()
    public = server.ask("GET", "/api/logo", host=tenant.domain)
    assert (public.body, public.headers["content-type"]) == (png(), "image/png")
    assert (
        public.headers["x-content-type-options"] == "nosniff" and "sandbox" in public.headers["content-security-policy"]
    )
    again = server.ask("GET", "/api/logo", None, {"If-None-Match": public.headers["etag"]}, host=tenant.domain)
    assert (again.status, again.body) == (304, b"")
    thanks = server.ask("POST", "/api/contact", b"firstName=A&lastName=B", PAGES, host=tenant.domain)
    assert b"#7a1f3d" in thanks.body and b"#1f4fa3" not in thanks.body
    assert b'<img class="logo" src="/api/logo?v=' in thanks.body
    assert "img-src 'self'" in thanks.headers["content-security-policy"]
    other = server.ask("POST", "/api/contact", b"firstName=A", PAGES, host=operator.brokerage().domain)
    assert b"#1f4fa3" in other.body and b"<img" not in other.body

    for color, logo, why in (
        ("#ffee00", b"", "The color #ffee00 is too light"),
        ("#7a1f3d", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "The logo must be a PNG or JPEG"),
        ("blue", b"", "The color must be # and six digits"),
    ):
        refused = upload(owner, color, logo)
        assert page(refused, 400).problem.startswith(why)
    assert owner.get(f"{HERE}/logo").body == png()

    owner.follow(upload(owner, "#1f4fa3", jpeg(), "logo.jpg"))
    assert server.ask("GET", "/api/logo", host=tenant.domain).headers["content-type"] == "image/jpeg"
    removed = owner.follow(owner.send(f"{HERE}/logo/remove"))
    assert removed.said("p", role="status") == ["The logo was removed."]
    assert owner.get(f"{HERE}/logo").status == 404
    number = number_of(operator, tenant)
    state = server.ask(
        "GET", f"/api/v1/admin/brokerages/{number}", headers={"Cookie": f"aureum={owner.cookies['aureum']}"}
    )
    assert (state.json["color"], state.json["logo"]) == (None, None)


def test_the_zone_is_chosen_from_a_list(owner: Reader) -> None:
    form = owner.read(HERE).form(HERE)
    assert form["time_zone"] == "America/Boise"
    done = owner.follow(owner.send(form.action, form.filled(name="Teton Homes", time_zone="Europe/Madrid")))
    assert done.form(HERE)["time_zone"] == "Europe/Madrid" and "Teton Homes" in done.said("strong")
    listed = zones()
    boise = next(one for one in listed["America"] if one.name == "America/Boise")
    assert boise.words in ("Boise (UTC−07:00)", "Boise (UTC−06:00)")
    assert sum(map(len, listed.values())) > 300


def test_domains_and_whether_requests_arrive(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    page_of = f"{HERE}/domains"
    assert owner.read(page_of).said("span", class_="badge") == ["none has arrived yet"]
    seen = "INSERT INTO domains_seen (tenant_id, domain) VALUES (%(t)s, %(d)s) ON CONFLICT DO NOTHING RETURNING 1"
    operator.rows(seen, t=tenant.id, d=tenant.domain)
    assert owner.read(page_of).said("span", class_="badge") == ["arrive"]
    assert any("CNAME" in text and tenant.domain in text for text in owner.read(page_of).said("pre"))
    assert "Only a platform admin" in page(owner.send(page_of, {"domain": "new.example.com"}), 400).problem

    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin"), tenant.domain)
    new = f"new-{tenant.slug}.example.com"
    form = admin.read(page_of).form(page_of)
    added = admin.follow(admin.send(form.action, form.filled(domain=new)))
    assert {tenant.domain, new} <= set(added.said("strong"))
    assert "must be a name" in page(admin.send(page_of, {"domain": "10.0.0.1"}), 400).problem
    for _ in range(2):
        left = admin.follow(admin.send(f"{page_of}/remove", {"domain": new}))
        assert new not in left.said("strong")


def test_the_plan_and_what_the_next_one_adds(server: Server, operator: Operator) -> None:
    for plan, expected in (
        ("Starter", ["your plan", "next"]),
        ("Grow", ["included", "your plan", "next"]),
        ("Elite", ["included", "included", "your plan"]),
    ):
        owner = as_staff(server, operator.staff(operator.brokerage(plan).id, "brokerage_owner"))
        assert owner.read(f"{HERE}/plan").said("span", class_="badge") == expected


def test_the_form_to_copy_is_tested_without_a_trace(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    path = f"{HERE}/form"
    (snippet,) = owner.read(path).said("pre")
    assert f'action="https://{tenant.domain}/api/contact"' in snippet and "_gotcha" in snippet
    assert all(f'name="{name}"' in snippet for name in ("firstName", "lastName", "email", "subject", "message"))
    before = server.ask("GET", "/api/leads/count", host=tenant.domain).json

    tested = owner.send(path)

    assert "was stored as suspected spam" in page(tested, 200).said("p", role="alert")[0]
    assert server.ask("GET", "/api/leads/count", host=tenant.domain).json == before
    ((suspect,),) = operator.rows("SELECT doc::jsonb -> 'suspect' FROM lead_list WHERE tenant_id = %(t)s", t=tenant.id)
    assert suspect
    # What the snippet sends, as a browser without script does.
    sent = "&".join(f"{name}={FORM[name]}" for name in ("firstName", "lastName", "email", "subject", "message"))
    answer = server.ask("POST", "/api/contact", sent.encode(), PAGES, host=tenant.domain)
    assert answer.status == 200 and b"Thank you" in answer.body
