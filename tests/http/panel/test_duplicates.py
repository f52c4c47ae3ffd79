"""Duplicates in the panel: on their own page, on those of contacts and leads, and before another contact is made."""

from typing import Any

from tests.http.api.contacts.test_contacts import contact
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page
from tests.http.panel.reading import Form, Reading
from tests.http.serving import Server

HERE = "/admin/contacts/duplicates"


def buttons(reading: Reading, ending: str) -> list[Form]:
    return [form for form in reading.forms if form.action.endswith(ending)]


def press(reader: Reader, form: Form) -> Reading:
    return reader.follow(reader.send(form.action, form.fields))


def two(server: Server, tenant: Tenant) -> tuple[str, str]:
    names = ({"firstName": "Zoë <b>"}, {"firstName": "Zoe <b>", "tags": ["vip"]})
    one, other = (contact(server, tenant, email="zoe@example.com", **name)["id"] for name in names)
    return one, other


def test_pairs_are_merged_and_the_merge_is_undone(
    server: Server, owner: Reader, operator: Operator, tenant: Tenant
) -> None:
    one, other = two(server, tenant)
    assert HERE in owner.read("/admin/contacts").links
    reading = owner.read(HERE)
    assert "very likely (95%): same email address, same name" in reading.said("td")
    assert [form.action for form in buttons(reading, "/merge")] == [
        f"/admin/contacts/{one}/merge",
        f"/admin/contacts/{other}/merge",
    ]
    merged = press(owner, buttons(reading, "/merge")[0])
    assert merged.said("p", role="status") == ["The contacts were merged."]
    assert "No contacts look like the same person." in merged.said("p")
    # The second button, pressed on an old page: it is said why not.
    late = buttons(reading, "/merge")[1]
    said = page(owner.send(late.action, late.fields), 400).said("p", role="alert")
    assert len(said) == 1 and one in said[0]

    shown = owner.read(f"/admin/contacts/{one}")
    told = shown.said("li", class_="entry")[0]
    assert told.startswith("Merged another contact into this one ·")
    assert "Merged into this contact Zoe <b> Smith" in told
    # The other one's address leads there.
    assert led_to(owner.get(f"/admin/contacts/{other}")) == f"/admin/contacts/{one}"
    (undo,) = buttons(shown, "/unmerge")
    assert "Undo the merge of Zoe <b> Smith" in shown.said("button")
    assert press(owner, undo).said("p", role="status") == ["The merge was undone."]
    assert len(server.by_key(tenant, "GET", "/api/contacts").json) == 2


def test_a_contact_shows_who_it_may_be_and_who_not(server: Server, owner: Reader, tenant: Tenant) -> None:
    one, other = two(server, tenant)
    reading = owner.read(f"/admin/contacts/{one}")
    assert "May be the same person" in reading.said("h2") and f"/admin/contacts/{other}" in reading.links
    (no,) = buttons(reading, "/distinct")
    after = press(owner, no)
    assert after.said("p", role="status") == ["Saved. The two won't be suggested as duplicates again."]
    assert "May be the same person" not in after.said("h2")
    assert "No contacts look like the same person." in owner.read(HERE).said("p")


def test_a_new_contact_that_is_known_is_shown_before(server: Server, owner: Reader, tenant: Tenant) -> None:
    one, _ = two(server, tenant)
    (form,) = buttons(owner.read("/admin/contacts/new"), "/new")
    typed: dict[str, Any] = dict(form.fields) | {"firstName": "Z.", "lastName": "Smith", "email": "ZOE@example.com"}
    reading = page(owner.send(form.action, typed), 200)
    assert f"/admin/contacts/{one}" in reading.links and "Create contact anyway" in reading.said("button")
    assert len(server.by_key(tenant, "GET", "/api/contacts").json) == 2
    (again,) = buttons(reading, "/new")
    assert dict(again.fields)["email"] == "ZOE@example.com"
    assert owner.follow(owner.send(again.action, again.fields)).said("h1") == ["Z. Smith"]
    # Someone new is made at once.
    typed = dict(form.fields) | {"firstName": "New", "lastName": "One", "email": "new@example.com", "once": "other"}
    assert led_to(owner.send(form.action, typed)).endswith("?done=created")


def test_a_lead_is_converted_by_a_user_who_knows_who_is_there(
    server: Server, owner: Reader, operator: Operator, tenant: Tenant
) -> None:
    one, _ = two(server, tenant)
    lead = server.by_key(tenant, "POST", "/api/leads", {"name": "Zoe Smith", "email": "zoe@example.com"}).json["id"]
    path = f"/admin/leads/{lead}"
    reading = owner.read(path)
    assert "May be the same person" in reading.said("h2")
    (convert,) = buttons(reading, "/convert")
    asked = page(owner.send(convert.action, convert.fields), 200)
    assert "Convert anyway" in asked.said("button") and f"/admin/contacts/{one}" in asked.links
    assert server.by_key(tenant, "GET", f"/api/leads/{lead}").json["status"] == "new"
    agent = as_staff(server, operator.staff(tenant.id, "agent"))
    assert page(agent.send(convert.action, convert.fields), 404)
    for form in buttons(reading, "/distinct"):
        assert press(owner, form).said("h1") == ["Zoe Smith"]
    assert "May be the same person" not in owner.read(path).said("h2")
    (anyway,) = buttons(asked, "/convert")
    done = press(owner, anyway)
    assert done.said("p", role="status") == ["The lead was converted, and its contact was created."]
    assert len(server.by_key(tenant, "GET", "/api/contacts").json) == 3
