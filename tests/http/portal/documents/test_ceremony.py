"""The ceremony over HTTP: what a client reads, agrees to and signs, and a page that says what to do for all that can
come between."""

import hashlib
import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_ceremony import Presence
from aureum.domain.ids import id_of_bytes
from aureum.pdf.rendering import WIDTH
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff
from tests.http.panel.reading import Reading
from tests.http.portal.client import Client, client_at, code_of
from tests.http.portal.documents.deals import Deal, deal
from tests.http.portal.documents.test_signing_form import drawing
from tests.http.serving import Answer, Server

NAME = "Nora Lindqvist"
FIELDS = {"field-1": "yes", "field-3": NAME, "field-4": "Boise", "field-5": "yes", "field-6": "yes"}
CONSENT = {"version": "2026-11.en", "agree": "yes"}


@pytest.fixture
def begun(operator: Operator, tenant: Tenant, contact: Mapping[str, Any]) -> Deal:
    return deal(operator, tenant, [(NAME, contact["email"])])


@pytest.fixture
def other(uncounted: None, server: Server, operator: Operator, tenant: Tenant) -> Client:
    """Another client of the same brokerage, signed in."""
    email = f"sam@{tenant.slug}.example.net"
    new = {"firstName": "Sam", "lastName": "Seller", "email": email, "type": "SELLER"}
    assert server.by_key(tenant, "POST", "/api/contacts", new).status == 201
    return client_at(server, operator, tenant, email).signs_in()


def filled(begun: Deal, **changed: str) -> dict[str, str]:
    """The form as a client fills it in."""
    return {"method": "typed", "typed": NAME, **FIELDS, **begun.hashes} | changed


def heading(answer: Answer) -> str:
    """What a page says first, which is the subject, and what its card says."""
    reading = Reading(answer.body.decode())
    return next(iter(reading.said("h2")), "") or reading.said("h1")[0]


def led(client: Client, path: str, fields: Mapping[str, str] | None = None) -> str:
    """Where a form leads."""
    answer = client.send(path, fields or {})
    assert answer.status == 303, (answer.status, answer.body.decode())
    return answer.headers["location"]


def ready(client: Client, begun: Deal) -> None:
    """The client has read and agreed."""
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    assert led(client, f"{begun.path}/consent", CONSENT) == f"{begun.path}/sign"


def grow_old(operator: Operator, tenant: Tenant) -> None:
    """The sign-ins of the brokerage's clients were 16 minutes ago."""
    operator.rows(
        "UPDATE portal_sessions SET signed_in_at = now() - interval '16 minutes' WHERE tenant_id = %(tenant)s "
        "RETURNING 1",
        tenant=tenant.id,
    )


def test_from_the_first_page_to_the_signature(client: Client, begun: Deal, server: Server, tenant: Tenant) -> None:
    assert 'aria-label="Read and sign: Purchase of 12 Oak Lane"' in client.get("/portal/documents").body.decode()
    assert "Purchase of 12 Oak Lane" in client.get("/portal").body.decode()
    assert heading(client.get(begun.path)) == "Snake River Realty asks you to sign"
    assert client.get(f"{begun.path}/read").headers["location"] == begun.path
    for path in ("/1.pdf", "/1/pages/1"):
        assert client.get(begun.path + path).status == 404, "no byte comes before the button"
    assert begun.states == ["invited"], "nothing but the button says that the client reads"
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    reading = client.read(f"{begun.path}/read")
    assert "Page 1: the buyer pays the price at closing." in reading.said("p")
    picture = client.get(f"{begun.path}/1/pages/1")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "no-store")
    assert Image.open(io.BytesIO(picture.body)).width == WIDTH
    original = client.get(f"{begun.path}/1.pdf")
    (document,) = begun.now.documents.values()
    assert hashlib.sha256(original.body).hexdigest() == document.sha256
    assert original.headers["cache-control"] == "no-store"
    refused = client.send(f"{begun.path}/consent", {"version": "2026-11.en"})
    assert refused.status == 422 and b"Tick the box to agree" in refused.body
    assert client.get(f"{begun.path}/sign").headers["location"] == f"{begun.path}/consent"
    assert led(client, f"{begun.path}/consent", CONSENT) == f"{begun.path}/sign"
    form = client.read(f"{begun.path}/sign").forms[-3]
    assert [(name, form[name]) for name in ("typed", "field-3", "shown-1")] == [
        ("typed", NAME),
        ("field-3", NAME),
        ("shown-1", document.sha256),
    ]
    assert led(client, f"{begun.path}/sign", filled(begun)) == begun.path
    assert heading(client.get(begun.path)) == "Everyone has signed"
    envelope = begun.now
    (nora,) = envelope.recipients.values()
    assert (envelope.state, nora.state, nora.consent_version) == ("completing", "signed", "2026-11.en")
    assert nora.signature is not None and (nora.signature.method, nora.signature.typed) == ("typed", NAME)
    kinds = {one.id.hex: one.kind for one in envelope.fields}
    values = {kinds[field_id]: value for field_id, value in (nora.values or {}).items()}
    zone = "America/Boise"
    assert values.pop("date") in {moment.date().isoformat() for moment in around(ids.now(), zone)}
    assert values == {"initials": "NL", "name": NAME, "text": "Boise", "checkbox": "true", "signature": NAME}


def around(at: datetime, zone: str) -> list[datetime]:
    """The clock of a zone, now and a minute ago."""
    return [(at - timedelta(minutes=minutes)).astimezone(ZoneInfo(zone)) for minutes in (0, 1)]


def test_what_is_wrong_in_the_form_is_said_there_and_the_rest_is_kept(client: Client, begun: Deal) -> None:
    ready(client, begun)
    answer = client.send(f"{begun.path}/sign", filled(begun, typed="გიორ", **{"field-4": "Oak Lane 12", "field-6": ""}))
    assert answer.status == 422
    reading = Reading(answer.body.decode())
    said = " ".join(reading.said("p", class_="problem"))
    assert "We cannot print the letters გიორ" in said and "Draw your signature instead" in said
    assert "Tick this box to place your signature here." in said
    form = reading.forms[-3]
    assert (form["typed"], form["field-4"]) == ("გიორ", "Oak Lane 12")
    assert begun.states == ["consented"]


def test_a_drawn_signature_is_kept_as_our_own_picture(client: Client, begun: Deal, operator: Operator) -> None:
    ready(client, begun)
    sent = filled(begun, method="drawn", drawn=drawing())
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.send(f"{begun.path}/sign", sent), range(2)))
    assert [answer.status for answer in answers] == [303, 303], "a double click signs once"
    (nora,) = begun.now.recipients.values()
    assert nora.signature is not None and nora.signature.image_sha256 is not None
    assert nora.signature.image_id == id_of_bytes(nora.id, nora.signature.image_sha256)
    stored = operator.rows("SELECT 1 FROM documents WHERE document_id = %(id)s AND whole", id=nora.signature.image_id)
    assert len(stored) == 1
    before = begun.events
    assert led(client, f"{begun.path}/sign", sent) == begun.path
    assert led(client, f"{begun.path}/decline", {"reason": "No"}) == begun.path
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    assert begun.events == before, "what is sent again changes nothing"


def test_an_old_sign_in_opens_nothing_and_signs_nothing_without_a_code(
    client: Client, begun: Deal, operator: Operator, tenant: Tenant
) -> None:
    grow_old(operator, tenant)
    assert led(client, f"{begun.path}/open") == f"{begun.path}/identify" and begun.states == ["invited"]
    assert client.read(f"{begun.path}/identify").forms[0].action == f"{begun.path}/identify"
    assert client.send(f"{begun.path}/identify").status == 200
    first = client.reads()
    assert client.send(f"{begun.path}/identify").status == 200, "a mail that does not come is asked for again"
    second = client.reads()
    assert code_of(first) != code_of(second)
    assert led(client, "/portal/code", {"code": code_of(second)}) == begun.path
    ready(client, begun)
    grow_old(operator, tenant)
    operator.rows("DELETE FROM login_failures RETURNING 1")  # an address gets three mails in 15 minutes
    drawn = drawing()
    asked = client.send(f"{begun.path}/sign", filled(begun, method="drawn", drawn=drawn))
    assert asked.status == 200 and begun.states == ["consented"]
    form = Reading(asked.body.decode()).forms[0]
    assert form["drawn"] == drawn and form["field-4"] == "Boise", "nothing that was filled in is lost"
    wrong = client.send(form.action, form.filled(code="000000"))
    assert wrong.status == 422 and begun.states == ["consented"]
    code = code_of(client.reads())
    assert led(client, form.action, dict(form.filled(code=code))) == begun.path
    envelope = begun.now
    assert envelope.state == "completing"
    assert client.get("/portal/documents").status == 200, "the browser has the new session"


def test_others_find_nothing(client: Client, other: Client, begun: Deal, visitor: Client, operator: Operator) -> None:
    ready(client, begun)
    unknown = f"/portal/documents/{ids.to_wire(uuid4())}"
    for path in ("", "/read", "/consent", "/sign", "/decline", "/identify", "/1/pages/1", "/1.pdf", "/1/sealed.pdf"):
        assert other.get(begun.path + path).status == 404, path
        assert other.get(begun.path + path).body.replace(begun.path.encode(), b"") == other.get(
            unknown + path
        ).body.replace(unknown.encode(), b""), "as if there were none"
    for path in ("/open", "/consent", "/sign", "/decline", "/identify"):
        assert other.send(begun.path + path, filled(begun) | CONSENT).status == 404, path
    assert other.get("/portal/documents/nonsense").status == 404
    assert "Oak Lane" not in other.get("/portal/documents").body.decode()
    anyone = client_at(client.server, operator, begun.tenant, client.email)
    assert anyone.get(f"{begun.path}/1.pdf").headers["location"].startswith("/portal?next=")
    for path in ("/0/pages/1", "/2/pages/1", "/1/pages/0", "/1/pages/3", "/1/pages/99999999999", "/7.pdf"):
        assert client.get(begun.path + path).status == 404, path
    assert client.get(f"{begun.path}/1/sealed.pdf").status == 404, "nothing is sealed yet"
    forged = {"Origin": "https://evil.example"}
    assert client.send(f"{begun.path}/sign", filled(begun), forged).status == 403
    assert begun.states == ["consented"]


def test_no_page_may_be_framed_or_run_anything_else(client: Client, begun: Deal) -> None:
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    for path in ("/portal/documents", begun.path, f"{begun.path}/read", f"{begun.path}/consent"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and answer.status == 200
        scripts = [given for tag, given, _ in Reading(answer.body.decode()).texts if tag == "script"]
        assert all(f"'nonce-{given['nonce']}'" in policy for given in scripts)
        assert answer.headers["cache-control"] == "no-store"


def test_the_turn_goes_from_one_to_the_next(client: Client, other: Client, operator: Operator, tenant: Tenant) -> None:
    begun = deal(operator, tenant, [(NAME, client.email), ("Sam Seller", other.email)])
    assert heading(other.get(begun.path)) == "It is not your turn yet"
    assert other.get(f"{begun.path}/1.pdf").status == other.get(f"{begun.path}/1/pages/1").status == 404
    assert led(other, f"{begun.path}/open") == led(other, f"{begun.path}/sign", filled(begun)) == begun.path
    ready(client, begun)
    assert led(client, f"{begun.path}/sign", filled(begun)) == begun.path
    assert heading(client.get(begun.path)) == "You have signed"
    assert "One more person has to sign." in client.get(begun.path).body.decode()
    assert "Sam Seller" not in client.get(begun.path).body.decode(), "who else signs is nobody else's business"
    ready(other, begun)
    assert led(other, f"{begun.path}/sign", filled(begun, typed="Sam Seller")) == begun.path
    assert begun.now.state == "completing"


@pytest.mark.parametrize("step", ["/open", "/consent", "/sign", "/decline"])
def test_what_ended_meanwhile_is_said_on_a_page(client: Client, begun: Deal, step: str) -> None:
    if step != "/open":
        assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    if step in ("/sign", "/decline"):
        assert led(client, f"{begun.path}/consent", CONSENT) == f"{begun.path}/sign"
    begun.void("The price has changed.")
    before = begun.events
    answer = client.send(begun.path + step, filled(begun) | CONSENT)
    assert answer.status == 303 and begun.events == before
    page = client.get(begun.path)
    assert heading(page) == "These documents were withdrawn" and "The price has changed." in page.body.decode()
    assert client.get(f"{begun.path}/sign").headers["location"] == begun.path


def test_the_deadline_passes_while_the_form_is_open(client: Client, operator: Operator, tenant: Tenant) -> None:
    def agreed(envelope: Envelope, at: datetime) -> None:
        (one,) = envelope.recipients.values()
        envelope.open_document(one.id, Presence(at), at)
        envelope.consent(one.id, "2026-11.en", Presence(at), at)

    at = ids.now() - timedelta(days=2)
    begun = deal(operator, tenant, [(NAME, client.email)], at=at, then=agreed, deadline_days=1)
    before = begun.events
    assert led(client, f"{begun.path}/sign", filled(begun)) == begun.path
    page = client.get(begun.path)
    assert heading(page) == "The deadline to sign has passed" and "send them again" in page.body.decode()
    assert begun.events == before
    assert client.get(f"{begun.path}/read").status == 200, "the documents stay readable"
    assert "Expired" in client.get("/portal/documents").body.decode()


def test_other_documents_than_those_shown_are_not_signed(client: Client, begun: Deal) -> None:
    ready(client, begun)
    for shown in ("0" * 64, ""):
        answer = client.send(f"{begun.path}/sign", filled(begun, **{"shown-1": shown}))
        assert answer.status == 409 and "Read them again" in answer.body.decode()
    assert begun.states == ["consented"]


def test_a_client_declines_with_a_reason(client: Client, begun: Deal) -> None:
    too_long = client.send(f"{begun.path}/decline", {"reason": "x" * 1_001})
    assert too_long.status == 422 and b"x" * 1_001 in too_long.body
    assert led(client, f"{begun.path}/decline", {"reason": "<b>The roof</b>"}) == begun.path
    assert heading(client.get(begun.path)) == "You have declined to sign"
    (nora,) = begun.now.recipients.values()
    assert (begun.now.state, nora.declined_reason) == ("declined", "<b>The roof</b>")


def test_a_copy_waits_until_all_have_signed(client: Client, other: Client, operator: Operator, tenant: Tenant) -> None:
    begun = deal(operator, tenant, [(NAME, client.email)], copies=[("Sam Seller", other.email)])
    assert heading(other.get(begun.path)) == "You will get a copy"
    assert other.get(f"{begun.path}/1.pdf").status == 404
    assert led(other, f"{begun.path}/sign", filled(begun)) == led(other, f"{begun.path}/decline") == begun.path
    assert begun.states == ["invited", "waiting"]


def test_the_pages_are_in_spanish(client: Client, begun: Deal) -> None:
    client.cookies["aureum-portal-language"] = "es"
    assert heading(client.get(begun.path)) == "Snake River Realty le pide que firme"
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    consent = client.get(f"{begun.path}/consent").body.decode()
    assert "Consentimiento para documentos y firmas electrónicos" in consent and "2026-11.es" in consent
    assert led(client, f"{begun.path}/consent", CONSENT | {"version": "2026-11.es"}) == f"{begun.path}/sign"
    assert "Poner aquí mi firma" in client.get(f"{begun.path}/sign").body.decode()
    (nora,) = begun.now.recipients.values()
    assert nora.consent_version == "2026-11.es"


def test_the_pages_are_in_the_language_that_the_sender_named_until_the_client_chooses(
    client: Client, operator: Operator, tenant: Tenant
) -> None:
    begun = deal(operator, tenant, [(NAME, client.email)], language="es")
    first = client.get(begun.path)
    assert heading(first) == "Snake River Realty le pide que firme"
    assert first.headers["content-language"] == "es" and b'<html lang="es"' in first.body
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    assert client.get(f"{begun.path}/read").headers["content-language"] == "es"
    assert "2026-11.es" in client.get(f"{begun.path}/consent").body.decode()
    refused = client.send(f"{begun.path}/consent", {"version": "2026-11.es"})
    assert refused.status == 422 and "Marque la casilla" in refused.body.decode()
    assert client.get("/portal").headers["content-language"] == "en", "only these pages are the sender's"
    client.send("/portal/language", {"language": "en", "next": begun.path})
    assert "2026-11.en" in client.get(f"{begun.path}/consent").body.decode()


def test_bytes_that_are_not_those_that_were_sent_are_not_shown(client: Client, begun: Deal, operator: Operator) -> None:
    (document,) = begun.now.documents.values()
    operator.rows("DELETE FROM documents WHERE document_id = %(id)s RETURNING 1", id=document.id)
    operator.rows("DELETE FROM document_chunks WHERE document_id = %(id)s RETURNING 1", id=document.id)
    begun.keep(document.id, b"%PDF-1.7 something else")
    assert led(client, f"{begun.path}/open") == f"{begun.path}/read"
    for path in ("/read", "/1.pdf", "/1/pages/1"):
        assert client.get(begun.path + path).status == 503, path


def test_staff_see_the_list_as_the_client_does_and_an_agent_only_what_is_theirs(
    server: Server, begun: Deal, operator: Operator, tenant: Tenant, contact: Mapping[str, Any]
) -> None:
    path = f"/admin/contacts/{contact['id']}/portal/documents"
    seen = {role: as_staff(server, operator.staff(tenant.id, role, "Ana")) for role in ("brokerage_owner", "agent")}
    shown = seen["brokerage_owner"].get(path).body.decode()
    assert "Purchase of 12 Oak Lane" in shown and begun.path not in shown, "it cannot be opened from there"
    assert "No documents have been sent to you yet." in seen["agent"].get(path).body.decode()


def test_two_signers_at_once_both_sign(client: Client, other: Client, operator: Operator, tenant: Tenant) -> None:
    begun = deal(operator, tenant, [(NAME, client.email), ("Sam Seller", other.email)], in_order=False)
    for one in (client, other):
        ready(one, begun)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(one.send, f"{begun.path}/sign", filled(begun)) for one in (client, other, client, other)]
    assert [one.result().status for one in sent] == [303] * 4
    assert (begun.states, begun.now.state) == (["signed", "signed"], "completing")
