"""A deal goes out to be signed by forms alone: begun at a contact, filled, sent, followed, withdrawn."""

from typing import Any

import pytest

from aureum.http.panel.history_words import Entry
from aureum.http.panel.resource_page import beside_page
from aureum.http.panel.visit import ApiAnswer
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Form
from tests.http.sending import asked, completed, person, sent, signed_by
from tests.http.serving import Server
from tests.pdf.making import document

OFFER = document(2, "Offer for 12 Oak Street /sig:buyer/")


def uploading(content: bytes = OFFER, name: str = "Offer.pdf") -> tuple[bytes, dict[str, str]]:
    """What a browser sends of the form with the file."""
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/pdf'
    return head.encode() + b"\r\n\r\n" + content + b"\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


def people(form: Form, *rows: tuple[str, str, str]) -> list[tuple[str, str]]:
    """What the form sends with these people: name, address, role."""
    others = [(name, value) for name, value in form.fields if not name.startswith("person_")]
    for order, (name, email, role) in enumerate(rows, 1):
        others += [("person_id", ""), ("person_name", name), ("person_email", email)]
        others += [("person_role", role), ("person_order", str(order)), ("person_language", "")]
    return others


@pytest.fixture
def contact(server: Server, tenant: Tenant) -> Any:
    body = {"firstName": "Jane", "lastName": "Doe", "email": "jane@example.com"}
    return asked(server, tenant, "POST", "/api/contacts", body, 201)


def begun(owner: Reader, contact: Any) -> str:
    """The page of a draft for the contact and another person."""
    there = next(
        link
        for link in owner.read(f"/admin/contacts/{contact['id']}").links
        if link.startswith("/admin/envelopes/new?")
    )
    form = owner.read(there).form("/admin/envelopes/new")
    assert ("person_name", "Jane Doe") in form.fields and ("person_email", "jane@example.com") in form.fields
    rows = (("Jane Doe", "jane@example.com", "signer"), ("Li Wei", "li@example.com", "signer"), ("", "", "signer"))
    sent = [(n, "Offer for 12 Oak Street" if n == "subject" else v) for n, v in people(form, *rows)]
    return led_to(owner.send("/admin/envelopes/new", sent)).partition("?")[0]


def test_a_form_of_the_release_before_keeps_the_recipients(
    server: Server, tenant: Tenant, owner: Reader, contact: Any
) -> None:
    """It was open while the installation was upgraded, and knows no languages."""
    here = begun(owner, contact)
    form = owner.read(here).form(here)
    sent = [(n, "A new subject" if n == "subject" else v) for n, v in form.fields if n != "person_language"]
    owner.follow(owner.send(here, sent))
    found = asked(server, tenant, "GET", f"/api/envelopes/{here.rpartition('/')[2]}")
    assert found["subject"] == "A new subject"
    assert [one["email"] for one in found["recipients"]] == ["jane@example.com", "li@example.com"]


def test_a_deal_goes_out_and_is_followed(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, contact: Any
) -> None:
    here = begun(owner, contact)
    envelope_id = here.rpartition("/")[2]
    draft = owner.read(here)
    assert "Upload at least one document." in draft.said("li")
    assert here + "/send" not in [form.action for form in draft.forms]

    body, headers = uploading(b"no PDF at all")
    assert "not a PDF" in page(owner.send(here + "/documents", body, headers), 400).problem
    body, headers = uploading()
    owner.follow(owner.send(here + "/documents", body, headers))
    body, headers = uploading(document(1), "Disclosure.pdf")
    owner.follow(owner.send(here + "/documents", body, headers))
    two = asked(server, tenant, "GET", f"/api/envelopes/{envelope_id}")["documents"]
    removing = [form for form in owner.read(here).forms if form.action == here + "/documents/remove"]
    owner.follow(owner.send(here + "/documents/remove", removing[1].fields))

    # Fields: by a click on the small picture, by typing, and at a mark in the text.
    fields = here + "/fields"
    placing = owner.read(fields)
    (form,) = [form for form in placing.forms if "kind" in form.names]
    jane, li = [value for name, value in form.fields if name == "who"], None
    envelope = asked(server, tenant, "GET", f"/api/envelopes/{envelope_id}")
    jane, li = (one["id"] for one in envelope["recipients"])
    picture = owner.get(f"{here}/documents/{two[0]['id']}/pages?page=1")
    assert picture.status == 200 and picture.headers["content-type"].startswith("image/")
    for left in ("", "0", "\u00b2"):
        nowhere = [*form.fields, ("small.x", left), ("small.y", left)]
        assert "click" in page(owner.send(fields, nowhere), 400).problem.lower()
    clicked = [*form.filled(who=jane), ("small.x", "160"), ("small.y", "320")]
    again = led_to(owner.send(fields, clicked))
    assert f"who={jane}" in again
    typed = form.filled(who=jane, kind="date", x="72", y="700.5", page="2")
    owner.send(fields, typed)
    owner.send(fields, form.filled(who=li, anchor="/sig:buyer/"))
    refusal = page(owner.send(fields, form.filled(who=li, kind="text", x="600", y="10")), 400).problem
    assert "must lie on its page" in refusal
    placed = asked(server, tenant, "GET", f"/api/envelopes/{envelope_id}")["fields"]
    wide = 595.28
    assert [(one["kind"], one["page"], one["x"], one["anchor"]) for one in placed] == [
        ("signature", 1, pytest.approx(160 * wide / 320, abs=0.2), None),
        ("date", 2, 72.0, None),
        ("signature", None, None, "/sig:buyer/"),
    ]
    shown = owner.read(fields + "?page=2")
    assert any("Date of signing of Jane Doe, page 2 of Offer.pdf" in text for text in shown.said("li"))
    removing = [form for form in shown.forms if "remove" in form.names]
    owner.follow(owner.send(fields, removing[1].fields))

    ready = owner.read(here)
    owner.follow(owner.send(here + "/send", ready.form(here + "/send").fields))
    sent = owner.read(here)
    assert "Waiting for signatures" in sent.said("span", class_="badge")
    assert "Jane Doe was invited to sign" in sent.said("b", class_="what")
    assert page(owner.send(here, ready.form(here).fields), 400).problem.startswith("We couldn't save your changes")

    (remind,) = [form for form in sent.forms if form.action == here + "/remind"]
    assert "A reminder was sent." in owner.follow(owner.send(here + "/remind", remind.fields)).said("p", role="status")
    assert "within the last day" in page(owner.send(here + "/remind", remind.fields[1:]), 400).problem
    replacing = [form for form in sent.forms if form.action == here + "/replace"]
    owner.follow(owner.send(here + "/replace", replacing[1].filled(name="Lin Wei", email="lin@example.com")))
    extend = owner.read(here).form(here + "/extend")
    later = str(int(extend["deadline"][:4]) + 1) + extend["deadline"][4:]
    assert "at most 120 days" in page(owner.send(here + "/extend", extend.filled(deadline=later)), 400).problem

    signed_by(
        operator,
        tenant,
        sent_again := asked(server, tenant, "GET", f"/api/envelopes/{envelope_id}"),
        "jane@example.com",
    )
    followed = owner.read(here)
    assert "Jane Doe signed" in followed.said("b", class_="what")
    assert "Signed" in followed.said("span", class_="badge")
    (listed,) = [text for text in owner.read("/admin/envelopes?state=sent").said("td") if " of " in text]
    assert listed == "1 of 2"
    download = owner.get(f"{here}/documents/{sent_again['documents'][0]['id']}")
    assert (download.body, download.headers["cache-control"]) == (OFFER, "no-store")

    # The acts stand in the contact's timeline, among what was logged.
    here_too = f"/admin/contacts/{contact['id']}"
    owner.send(here_too + "/activities", {"what": "Visit", "text": "All is signed."})
    story = owner.read(here_too + "#timeline").said("li")
    acts = [text for text in story if text.startswith(("Jane Doe signed Offer", "Sent to be signed: Offer", "Visit"))]
    assert [text.partition(" ")[0] for text in acts[:3]] == ["Visit", "Jane", "Sent"], story

    completed(operator, tenant, sent_again, "lin@example.com")
    done = owner.read(here)
    assert "Signed by all" in done.said("span", class_="badge")
    assert any(link.endswith("?sealed=true") for link in done.links)
    assert owner.read(here + "?verify=yes").said("div", role="status") == [], "no link has documents read"
    assert owner.get(here + "/seals").status == 405
    (verdict,) = page(owner.send(here + "/seals"), 200).said("div", role="status")
    assert verdict.startswith("A signed document is not intact.") and "missing or damaged" in verdict


def test_what_was_sent_is_withdrawn_and_deleted(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, contact: Any
) -> None:
    here = begun(owner, contact)
    envelope_id = here.rpartition("/")[2]
    owner.follow(owner.send(here + "/documents", *uploading()))
    envelope = asked(server, tenant, "GET", f"/api/envelopes/{envelope_id}")
    places = [
        {
            "recipientId": one["id"],
            "documentId": envelope["documents"][0]["id"],
            "kind": "signature",
            "anchor": "/sig:buyer/",
        }
        for one in envelope["recipients"]
    ]
    asked(server, tenant, "PATCH", f"/api/envelopes/{envelope_id}", {"fields": places})
    owner.follow(owner.send(here + "/send", owner.read(here).form(here + "/send").fields))
    void = owner.read(here).form(here + "/void")
    voided = owner.follow(owner.send(here + "/void", void.filled(reason="The price\nhas changed.")))
    assert "Withdrawn" in voided.said("span", class_="badge") and "The price has changed." in voided.said("dd")
    owner.send(here + "/purge", owner.read(here).form(here + "/purge").fields)
    assert owner.get(here).status in (200, 404)
    assert owner.read("/admin/envelopes?state=voided").said("td") == []

    draft = begun(owner, contact)
    gone = owner.follow(owner.send(draft + "/discard", owner.read(draft).form(draft + "/discard").fields))
    assert "The draft was discarded." in gone.said("p", role="status")
    assert owner.get(draft).status == 404


def test_documents_go_out_from_a_template(server: Server, tenant: Tenant, owner: Reader, contact: Any) -> None:
    new = "/admin/envelopes/templates/new"
    form = owner.read(new).form(new)
    rows = [("role_name", "buyer"), ("role_does", "signer"), ("role_order", "1")]
    rows += [("role_name", "broker"), ("role_does", "copy"), ("role_order", "2")]
    sent = [(name, value) for name, value in form.filled(name="Offer", subject="Your offer", message="Please sign.")]
    without = [one for one in sent if not one[0].startswith("role_")]
    again = page(owner.send(new, [(n, v if n != "deadlineDays" else "999") for n, v in without] + rows), 400)
    assert "120 or less" in again.problem and ("role_name", "buyer") in again.form(new).fields
    here = led_to(owner.send(new, without + rows)).partition("?")[0]
    assert "not a PDF" in page(owner.send(here + "/documents", *uploading(b"no PDF at all")), 400).problem
    owner.follow(owner.send(here + "/documents", *uploading()))
    shown = owner.read(here)
    assert any("Marks: /sig:buyer/" in text for text in shown.said("small"))
    marked = owner.follow(owner.send(here + "/marks", shown.form(here + "/marks").fields))
    assert here + "/marks" not in [form.action for form in marked.forms], "each mark has its field"
    (placing,) = [form for form in owner.read(here + "/fields").forms if "kind" in form.names]
    assert "Click on the page" in page(owner.send(here + "/fields", placing.fields), 400).problem
    assert "does not stand in" in page(owner.send(here + "/fields", placing.filled(anchor="/nowhere/")), 400).problem
    clicked = [*placing.filled(kind="date", page="2"), ("large.x", "100"), ("large.y", "100")]
    owner.follow(owner.send(here + "/fields", clicked))
    words = "Date of signing of buyer, page 2 of Offer.pdf"
    assert any(text.startswith(words) for text in owner.read(here).said("li"))

    # Two people change it at once, and a role gets another name.
    first, second = (owner.read(here).form(here) for _ in range(2))
    owner.follow(owner.send(here, first.filled(role_name=["purchaser", "broker", ""])))
    lost = page(owner.send(here, second.filled(name="Offer of today", role_name=["buyer", "broker", ""])), 400)
    assert "changed after you opened it" in lost.problem and lost.form(here)["name"] == "Offer of today"
    shown = owner.read(here)
    assert any(text.startswith("Date of signing of purchaser") for text in shown.said("li"))
    owner.follow(owner.send(here, shown.form(here).filled(role_name=["buyer", "broker", ""])))

    (document_id,) = [link.rpartition("/")[2] for link in shown.links if link.startswith(here + "/documents/")]
    other = document(1, "Offer of another year /sig:buyer/")
    replaced = owner.follow(owner.send(f"{here}/documents/{document_id}/replace", *uploading(other, "Other.pdf")))
    assert [text for text in replaced.said("li") if " of buyer, " in text] == [
        "Signature of buyer, at /sig:buyer/ in Other.pdf"
    ]
    said = replaced.said("b", class_="what")
    assert said[0] == "Placed the fields" and said[-1] == "Created the template"
    assert "Offer" in owner.read("/admin/envelopes/templates").said("a")

    # On the page of the contact, then from the template: the contact is the first of its persons.
    empty = owner.read(f"/admin/envelopes/new?contactId={contact['id']}")
    (start,) = [link for link in empty.links if "template=" in link]
    begin = owner.read(start).form("/admin/envelopes/new")
    assert {("subject", "Your offer"), ("person_name", "Jane Doe"), ("person_part", "buyer")} < set(begin.fields)
    missing = page(owner.send("/admin/envelopes/new", begin.fields), 400)
    assert "Name a person for the role broker" in missing.problem
    assert ("person_email", "jane@example.com") in missing.form("/admin/envelopes/new").fields
    typed = {"person_name": ["Bo Broker", "Jane Doe"], "person_email": ["bo@example.com", "jane@example.com"]}
    fields = [(n, typed[n].pop() if n in typed else "" if n == "message" else value) for n, value in begin.fields]
    draft = led_to(owner.send("/admin/envelopes/new", fields)).partition("?")[0]
    envelope = asked(server, tenant, "GET", f"/api/envelopes/{draft.rpartition('/')[2]}")
    assert envelope["message"] is None and envelope["contactId"] == contact["id"]
    assert [one["role"] for one in envelope["recipients"]] == ["signer", "copy"]
    assert [one["anchor"] for one in envelope["fields"]] == ["/sig:buyer/"]
    owner.follow(owner.send(here + "/remove", owner.read(here).form(here + "/remove").fields))
    assert owner.get(here).status == 404
    ready = owner.read(draft)
    owner.follow(owner.send(draft + "/send", ready.form(draft + "/send").fields))

    # What was sent becomes a template again, without its persons.
    (saving,) = [link for link in owner.read(draft).links if link.startswith(new)]
    form = owner.read(saving).form(new)
    made = led_to(owner.send(new, form.filled(name="Offer again")))
    shown = owner.read(made)
    assert "Check that its documents name no client." in shown.said("p", role="status")[0]
    assert "Signature of buyer, at /sig:buyer/ in Other.pdf" in shown.said("li")
    assert b"Jane" not in owner.get(made).body


def test_a_person_has_a_language(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    form = owner.read("/admin/envelopes/new").form("/admin/envelopes/new")
    typed = [(n, "Oferta" if n == "subject" else v) for n, v in people(form, ("Ana", "ana@example.com", "signer"))]
    spanish = [(n, "es" if n == "person_language" else v) for n, v in typed]
    here = led_to(owner.send("/admin/envelopes/new", spanish)).partition("?")[0]
    envelope = f"/api/envelopes/{here.rpartition('/')[2]}"
    assert [one["language"] for one in asked(server, tenant, "GET", envelope)["recipients"]] == ["es"]
    draft = owner.read(here).form(here)
    assert [v for n, v in draft.fields if n == "person_language"] == ["es", ""], "and a row for another person"
    owner.follow(owner.send(here, draft.fields))
    assert [one["language"] for one in asked(server, tenant, "GET", envelope)["recipients"]] == ["es"]

    out = sent(server, operator, tenant, person(1, language="es"))
    here = f"/admin/envelopes/{out['id']}"
    assert "mails in Spanish" in owner.get(here).body.decode()
    (form,) = [one for one in owner.read(here).forms if one.action == f"{here}/replace"]
    owner.follow(owner.send(form.action, form.filled(name="Eva", email="eva@example.com", language="en")))
    assert asked(server, tenant, "GET", f"/api/envelopes/{out['id']}")["recipients"][1]["language"] == "en"


def test_acts_stand_on_the_page_of_the_timeline_that_has_their_time() -> None:
    acts = [Entry(0, f"2026-11-{day:02}T12:00:00.000Z", f"act {day}", "", "work") for day in (28, 20, 12, 3)]

    def shown(days: list[int], until: str = "", more: bool = True) -> list[str]:
        body = [{"at": f"2026-11-{day:02}T13:00:00.000Z"} for day in days]
        answer = ApiAnswer(body, "", {"cursor": "next"} if more else None)
        return [one.what for one in beside_page(acts, answer, until)]

    assert shown([25, 19]) == ["act 28", "act 20"]
    assert shown([18, 10], "2026-11-19T13:00:00.000Z") == ["act 12"]
    assert shown([], "2026-11-10T13:00:00.000Z", more=False) == ["act 3"]
    assert shown([], more=False) == ["act 28", "act 20", "act 12", "act 3"]


def test_agents_and_small_plans(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, contact: Any
) -> None:
    here = begun(owner, contact)
    agent = as_staff(server, operator.staff(tenant.id, "agent", "Ann Agent"))
    assert agent.get(here).status == 200, "it belongs to a contact, whom all see"
    assert agent.get("/admin/settings/signing").status == 403
    starter = operator.brokerage("Starter")
    other = as_staff(server, operator.staff(starter.id, "brokerage_owner", "Otto Owner"))
    assert "Grow" in refused(other.get("/admin/envelopes"), 403)
    theirs = asked(server, starter, "GET", "/api/contacts", status=403)
    assert theirs["upgrade"]


def test_the_settings_of_signing(owner: Reader) -> None:
    here = "/admin/settings/signing"
    form = owner.read(here).form(here)
    assert (form["retain_years"], form["remind_after_days"]) == ("7", "3, 7")
    saved = owner.follow(owner.send(here, form.filled(retain_years="10", remind_after_days="2,5")))
    assert "The settings were saved." in saved.said("p", role="status")
    assert (saved.form(here)["retain_years"], saved.form(here)["remind_after_days"]) == ("10", "2, 5")
    again = page(owner.send(here, saved.form(here).filled(retain_years="never")), 400)
    assert "retain_years" in again.problem and again.form(here)["retain_years"] == "never"
