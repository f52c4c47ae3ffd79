"""Erasing a person in the panel: the owner reads what goes, types a word, and is told what was done."""

from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.sending import completed, draft, person, sent
from tests.http.serving import Server


def test_an_owner_erases_a_person_and_a_broker_is_offered_nothing(
    server: Server, owner: Reader, operator: Operator, tenant: Tenant
) -> None:
    lead = server.lead(tenant, name="Zora <b>", email="zora@example.com", phone="+1 208 555 0177")
    like = server.lead(tenant, name="Zoe", email="zoe@example.com", phone="(208) 555-0177")
    server.by_key(tenant, "POST", f"/api/leads/{lead['id']}/convert")
    contact = server.by_key(tenant, "GET", f"/api/leads/{lead['id']}").json["contactId"]
    step = f"/admin/leads/{lead['id']}/erase"
    assert step in owner.read(f"/admin/leads/{lead['id']}").links
    assert f"/admin/contacts/{contact}/erase" in owner.read(f"/admin/contacts/{contact}").links
    broker = as_staff(server, operator.staff(tenant.id, "broker"))
    assert step not in broker.read(f"/admin/leads/{lead['id']}").links

    asked = owner.read(f"/admin/contacts/{contact}/erase")
    assert {"1 lead", "1 contact"} <= set(asked.said("li"))
    # The same phone under another address only suggests it: the page leads there.
    assert f"/admin/leads/{like['id']}" in asked.links
    (form,) = [one for one in asked.forms if one.action.endswith("/erase")]
    typed = [(name, value) for name, value in form.fields if name != "word"]
    before = operator.head(tenant)
    wrong = page(owner.send(form.action, [*typed, ("word", "delete")]), 400)
    assert wrong.said("p", role="alert") == ["Type the word “erase” to confirm."]
    assert operator.head(tenant) == before

    done = page(owner.send(form.action, [*typed, ("word", " Erase ")]), 200)
    assert done.said("p", role="status") == ["Erased: 1 lead, 1 contact."]
    assert [one["id"] for one in server.leads(tenant)] == [like["id"]]
    # Sent again by the browser, it says the same.
    again = page(owner.send(form.action, [*typed, ("word", "erase")]), 200)
    assert again.said("p", role="status") == ["Erased: 1 lead, 1 contact."]
    assert owner.get(f"/admin/leads/{lead['id']}").status == 404


def test_documents_are_purged_or_kept_or_stop_it(
    server: Server, owner: Reader, operator: Operator, tenant: Tenant
) -> None:
    """Drafts go, what all have signed stays, and what is being signed must be withdrawn first."""
    made = server.by_key(tenant, "POST", "/api/contacts", {"firstName": "Zora", "lastName": "Z", "type": "BUYER"}).json
    step = f"/admin/contacts/{made['id']}/erase"
    draft(server, tenant, contactId=made["id"])
    signed = sent(server, operator, tenant, person(1), contactId=made["id"])
    stopped = owner.get(step)
    assert stopped.status == 409 and b"Void the envelope" in stopped.body
    completed(operator, tenant, signed, "person1@example.com")
    asked = owner.read(step)
    assert "1 set of documents to sign" in asked.said("li") and "Signed documents" in asked.said("dt")
    assert f"/admin/envelopes/{signed['id']}" in asked.links
    (form,) = [one for one in asked.forms if one.action == step]
    done = page(owner.send(step, form.filled(word="erase")), 200)
    assert done.said("p", role="status") == ["Erased: 1 contact, 1 set of documents to sign."]
    assert owner.get(f"/admin/envelopes/{signed['id']}").status == 200
