"""Documents of envelopes over HTTP: what is uploaded comes back byte for byte, and what is refused leaves nothing."""

import hashlib
import socket
import threading
from typing import Any
from uuid import uuid4

import pytest

from aureum.commands.kept_bytes import delete_gone, sweep_unsure
from aureum.domain.envelope import Envelope
from aureum.domain.ids import from_wire, id_of_bytes, to_wire
from aureum.store.blobs.keeping import KeptBlobs
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.sending import asked, completed, draft, person, refused
from tests.http.serving import Answer, Server, served, until
from tests.pdf.making import document, raw

PATH = "/api/envelopes"
TEMPLATES = "/api/envelope-templates"
OFFER = document(3, "Offer for 12 Oak Street /sig:buyer/", "and again /sig:buyer/ here /date:buyer/")
LEDGER = "SELECT document_id, bytes, whole FROM documents WHERE tenant_id = %(tenant)s AND NOT gone"
CHUNKS = "SELECT count(*) FROM document_chunks WHERE tenant_id = %(tenant)s"
MB = 1_000_000


def upload(
    server: Server,
    tenant: Tenant,
    envelope: Any,
    content: bytes = OFFER,
    query: str = "?name=Offer.pdf",
    media: str = "application/pdf",
    path: str = PATH,
    **headers: str,
) -> Answer:
    sent = {"Content-Type": media} | {name.replace("_", "-"): value for name, value in headers.items()}
    return server.by_key(tenant, "POST", f"{path}/{envelope['id']}/documents{query}", content, sent)


def uploaded(server: Server, tenant: Tenant, envelope: Any, content: bytes = OFFER, **more: Any) -> Any:
    answer = upload(server, tenant, envelope, content, **more)
    assert answer.status == 201, answer.body
    return answer.json


def get(server: Server, tenant: Tenant, envelope: Any, one: Any, query: str = "", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.by_key(tenant, "GET", f"{PATH}/{envelope['id']}/documents/{one['id']}{query}", None, sent)


def ledger(operator: Operator, tenant: Tenant) -> list[Any]:
    return operator.rows(LEDGER, tenant=tenant.id)


def filled(size: int) -> bytes:
    """A PDF of exactly that size: a comment makes it as large as it has to be."""
    made = raw({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>", 3: PAGE})
    head, rest = made[:9], made[9:]
    # A reader finds the table at its new place.
    start = int(rest.split(b"startxref\n")[1].split()[0])
    for width in range(1, 9):
        grown = b"%" + b"x" * (size - len(made) - width) + b"\n"
        moved = rest.replace(b"startxref\n%d" % start, b"startxref\n%d" % (start + len(grown)))
        whole = head + grown + shifted(moved, len(grown))
        if len(whole) == size:
            return whole
    raise AssertionError(size)


PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<<>>>>"


def shifted(rest: bytes, by: int) -> bytes:
    """The table of objects, each *by* so many bytes later."""
    lines = rest.split(b"\n")
    return b"\n".join(
        b"%010d %s" % (int(line[:10]) + by, line[11:]) if line.endswith(b" n ") else line for line in lines
    )


def test_what_is_uploaded_comes_back_byte_for_byte(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    answer = upload(server, tenant, envelope)
    one = answer.json
    sha256 = hashlib.sha256(OFFER).hexdigest()
    assert answer.status == 201
    assert one == {"id": one["id"], "name": "Offer.pdf", "bytes": len(OFFER), "pages": 3, "sha256": sha256}
    found = asked(server, tenant, "GET", f"{PATH}/{envelope['id']}")
    assert found["documents"] == [one | {"sealedSha256": None}]
    assert server.by_key(tenant, "GET", f"{PATH}/{envelope['id']}").etag == answer.etag

    got = get(server, tenant, envelope, one)
    assert (got.status, got.body) == (200, OFFER)
    assert got.headers["content-type"] == "application/pdf" and got.headers["content-length"] == str(len(OFFER))
    assert got.headers["cache-control"] == "no-store" and got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"] == "attachment; filename=\"Offer.pdf\"; filename*=UTF-8''Offer.pdf"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert get(server, tenant, envelope, one, If_None_Match=got.etag).status == 304
    head = server.by_key(tenant, "HEAD", f"{PATH}/{envelope['id']}/documents/{one['id']}")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(OFFER)))
    refused(get(server, tenant, envelope, one, "?sealed=true"), 404, "not_found")

    # Its anchors are known, so that fields can stand there.
    signer = found["recipients"][0]["id"]
    for anchor, status in (("/sig:buyer/", 200), ("/sig:nobody/", 400)):
        field = {"recipientId": signer, "documentId": one["id"], "kind": "signature", "anchor": anchor}
        asked(server, tenant, "PATCH", f"{PATH}/{envelope['id']}", {"fields": [field]})
        if status == 400:
            text = refused(server.by_key(tenant, "POST", f"{PATH}/{envelope['id']}/send"), 400, "invalid_fields")
            assert "/sig:nobody/" in text

    assert server.by_key(tenant, "DELETE", f"{PATH}/{envelope['id']}/documents/{one['id']}").status == 204
    assert asked(server, tenant, "GET", f"{PATH}/{envelope['id']}")["documents"] == []
    refused(get(server, tenant, envelope, one), 404, "not_found")
    assert ledger(operator, tenant) == [] and operator.rows(CHUNKS, tenant=tenant.id) == [(0,)]


@pytest.mark.parametrize(
    ("query", "name", "shown"),
    [
        ("?name=Kaufvertrag%20%C3%9C%22%3B%20%0D%0Aweg.pdf", 'Kaufvertrag Ü"; weg.pdf', "Kaufvertrag _; weg.pdf"),
        ("?name=..%2F..%2Fetc%2Fpasswd", "../../etc/passwd", ".._.._etc_passwd.pdf"),
        ("?name=%E5%A5%91%E7%B4%84", "契約", "__.pdf"),
        ("", "Document.pdf", "Document.pdf"),
        ("?name=%20", "Document.pdf", "Document.pdf"),
    ],
)
def test_any_name_is_shown_safely(server: Server, tenant: Tenant, query: str, name: str, shown: str) -> None:
    envelope = draft(server, tenant)
    one = uploaded(server, tenant, envelope, query=query)
    assert one["name"] == name
    disposition = get(server, tenant, envelope, one).headers["content-disposition"]
    assert disposition.isascii() and disposition.isprintable()
    if '"' not in name:
        assert disposition.startswith(f'attachment; filename="{shown}"')
    assert disposition.count('"') == 2


def test_a_form_may_bring_the_file(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    body = (
        b'--cut\r\nContent-Disposition: form-data; name="once"\r\n\r\nabc\r\n--cut\r\nContent-Disposition: form-data; '
        b'name="file"; filename="C:\\Deals\\Offer 7.pdf"\r\nContent-Type: application/pdf\r\n\r\n%s\r\n--cut--\r\n'
    ) % OFFER
    one = uploaded(server, tenant, envelope, body, query="", media="multipart/form-data; boundary=cut")
    assert one["name"] == "Offer 7.pdf" and one["bytes"] == len(OFFER)
    assert get(server, tenant, envelope, one).body == OFFER


def test_what_is_refused_leaves_nothing(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    for content, media, query, status, code in (
        (b"%PDF-1.7 not really", "application/pdf", "", 415, "pdf_cut_off"),
        (b"GIF89a", "application/pdf", "", 415, "pdf_not_one"),
        (OFFER[:-200], "application/pdf", "", 415, "pdf_cut_off"),
        (OFFER + b"more", "application/pdf", "", 415, "pdf_bytes_after"),
        (b"", "application/pdf", "", 400, "invalid_fields"),
        (OFFER, "application/json", "", 415, "media_type_unsupported"),
        (OFFER, "application/pdf", "?name=a%00b", 400, "invalid_parameters"),
        (OFFER, "application/pdf", "?name=" + "x" * 201, 400, "invalid_parameters"),
        (document(201), "application/pdf", "", 415, "pdf_too_many_pages"),
        (bytes(25 * MB + 1), "application/pdf", "", 413, "pdf_too_large"),
    ):
        answer = upload(server, tenant, envelope, content, query, media)
        assert (answer.status, answer.code) == (status, code), answer.body
    assert upload(server, tenant, envelope, OFFER, Content_Encoding="gzip").code == "encoding_unsupported"
    assert upload(server, tenant, envelope, If_Match='"v99"').code == "version_stale"
    assert upload(server, tenant, {"id": to_wire(uuid4())}).status == 404
    assert ledger(operator, tenant) == [] and operator.rows(CHUNKS, tenant=tenant.id) == [(0,)]
    assert asked(server, tenant, "GET", f"{PATH}/{envelope['id']}")["documents"] == []


def test_25_mb_are_taken_and_one_byte_more_is_not(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    largest = filled(25 * MB)
    one = uploaded(server, tenant, envelope, largest)
    assert one["bytes"] == 25 * MB
    assert hashlib.sha256(get(server, tenant, envelope, one).body).hexdigest() == one["sha256"]
    answer = server.raw(
        f"POST {PATH}/{envelope['id']}/documents HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Authorization: {tenant.bearer['Authorization']}\r\nContent-Type: application/pdf\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (largest[: 24 * MB], bytes(MB + 1)))
        + b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ") and b"pdf_too_large" in answer
    assert [size for _, size, _ in ledger(operator, tenant)] == [25 * MB]


def test_an_upload_that_is_broken_off_or_too_slow_leaves_nothing(
    served_url: str, operator: Operator, tenant: Tenant
) -> None:
    with served(served_url, body_timeout="1") as server:
        envelope = draft(server, tenant)
        head = (
            f"POST {PATH}/{envelope['id']}/documents HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {tenant.bearer['Authorization']}\r\nContent-Type: application/pdf\r\n"
            f"Content-Length: {2 * MB}\r\n\r\n"
        ).encode()
        for wait in (False, True):
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
                connection.sendall(head + bytes(3 * MB // 2))
                until(lambda: operator.rows(CHUNKS, tenant=tenant.id) != [(0,)])
                if wait:
                    assert connection.recv(1_000).startswith(b"HTTP/1.1 408 ")
            until(lambda: ledger(operator, tenant) == [] and operator.rows(CHUNKS, tenant=tenant.id) == [(0,)])
        assert uploaded(server, tenant, envelope)["pages"] == 3


def test_the_same_upload_happens_once(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    first = upload(server, tenant, envelope, Idempotency_Key="one")
    again = upload(server, tenant, envelope, Idempotency_Key="one")
    assert (again.status, again.json, again.headers["idempotent-replayed"]) == (201, first.json, "true")
    assert upload(server, tenant, envelope, document(1), Idempotency_Key="one").code == "idempotency_key_reused"
    answers: list[Answer] = []

    def twin() -> None:
        answers.append(upload(server, tenant, envelope, document(2), Idempotency_Key="two"))

    threads = [threading.Thread(target=twin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == 1
    found = asked(server, tenant, "GET", f"{PATH}/{envelope['id']}")
    assert [one["pages"] for one in found["documents"]] == [3, 2]
    assert sorted(to_wire(one) for one, _, _ in ledger(operator, tenant)) == sorted(
        one["id"] for one in found["documents"]
    )


def test_only_a_draft_takes_documents_and_at_most_ten(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    ones = [uploaded(server, tenant, envelope, document(1)) for _ in range(10)]
    assert "at most 10 documents" in refused(upload(server, tenant, envelope), 400, "invalid_fields")
    signer = envelope["recipients"][0]["id"]
    place = {"page": 1, "x": 72.0, "y": 72.0, "width": 200.0, "height": 30.0}
    field = {"recipientId": signer, "documentId": ones[0]["id"], "kind": "signature"} | place
    asked(server, tenant, "PATCH", f"{PATH}/{envelope['id']}", {"fields": [field]})
    asked(server, tenant, "POST", f"{PATH}/{envelope['id']}/send")
    assert upload(server, tenant, envelope).code == "wrong_state"
    one = f"{PATH}/{envelope['id']}/documents/{ones[0]['id']}"
    refused(server.by_key(tenant, "DELETE", one), 409, "wrong_state")
    operator.run(swept)
    assert get(server, tenant, envelope, ones[0]).body == document(1)


async def swept(store: EventStore) -> None:
    """What the worker does, a day later."""
    await store.database.rows("UPDATE documents SET begun_at = begun_at - interval '25 hours'")
    await sweep_unsure(store, KeptBlobs(store.database))


def test_no_one_else_gets_them(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant)
    one = uploaded(server, tenant, envelope)
    other = operator.brokerage()
    theirs = draft(server, other)
    for who, of in ((other, envelope), (other, theirs)):
        refused(get(server, who, of, one), 404, "not_found")
        path = f"{PATH}/{of['id']}/documents/{one['id']}"
        refused(server.by_key(who, "DELETE", path), 404, "not_found")
    refused(upload(server, other, envelope), 404, "not_found")
    agent = operator.staff(tenant.id, "agent", "Ann Agent")
    path = f"{PATH}/{envelope['id']}/documents/{one['id']}"
    assert server.ask("GET", path, None, agent.bearer).status == 404, "she sees no envelope of others"
    assert server.ask("GET", path).status == 401
    starter = operator.brokerage("Starter")
    assert upload(server, starter, envelope).code == "plan_required"
    assert get(server, tenant, envelope, one).body == OFFER


def test_a_quota_that_is_full(served_url: str, operator: Operator, tenant: Tenant) -> None:
    with served(served_url, documents_quota_gb=f"{(len(OFFER) + 100) / 1e9:.9f}") as server:
        envelope = draft(server, tenant)
        uploaded(server, tenant, envelope)
        text = refused(upload(server, tenant, envelope), 409, "wrong_state")
        assert "AUREUM_DOCUMENTS_QUOTA_GB" in text

        # The documents of templates count as well, and so do the copies that an envelope begins with.
        other = operator.brokerage()
        template = asked(server, other, "POST", TEMPLATES, {"name": "Offer", "subject": "Offer"}, 201)
        uploaded(server, other, template, path=TEMPLATES)
        before = ledger(operator, other)
        begun = server.by_key(other, "POST", PATH, {"templateId": template["id"], "recipients": []})
        assert "AUREUM_DOCUMENTS_QUOTA_GB" in refused(begun, 409, "wrong_state")
        refused(upload(server, other, template, path=TEMPLATES), 409, "wrong_state")
        assert ledger(operator, other) == before and asked(server, other, "GET", PATH) == []


def test_sealed_files_and_the_end_of_all_bytes(server: Server, operator: Operator, tenant: Tenant) -> None:
    envelope = draft(server, tenant, person(1))
    one = uploaded(server, tenant, envelope)
    field = {
        "recipientId": envelope["recipients"][0]["id"],
        "documentId": one["id"],
        "kind": "signature",
        "anchor": "/sig:buyer/",
    }
    asked(server, tenant, "PATCH", f"{PATH}/{envelope['id']}", {"fields": [field]})
    asked(server, tenant, "POST", f"{PATH}/{envelope['id']}/send")
    completed(operator, tenant, envelope, "person1@example.com")
    refused(get(server, tenant, envelope, one, "?sealed=true"), 503, "busy")
    envelope_id, document_id = from_wire(envelope["id"]), from_wire(one["id"])
    assert envelope_id is not None and document_id is not None
    sealed = id_of_bytes(document_id, "cd" * 32)

    async def seal(store: EventStore) -> None:
        stream = await store.load(tenant.id, envelope_id)
        assert stream.subject_key is not None

        async def parts() -> Any:
            yield b"sealed".ljust(2_000)

        await KeptBlobs(store.database).put(tenant.id, sealed, stream.subject_key, parts(), of=envelope_id)

    operator.run(seal)
    operator.run(swept)
    got = get(server, tenant, envelope, one, "?sealed=true")
    assert (got.status, got.body, got.etag) == (200, b"sealed".ljust(2_000), '"' + "cd" * 32 + '"')
    assert get(server, tenant, envelope, one).body == OFFER

    discarded = draft(server, tenant)
    gone = uploaded(server, tenant, discarded)
    assert server.by_key(tenant, "DELETE", f"{PATH}/{discarded['id']}").status == 204
    refused(get(server, tenant, discarded, gone), 404, "not_found")

    async def clear(store: EventStore) -> set[Any]:
        await delete_gone(store.database, KeptBlobs(store.database))
        found: Envelope = (await store.load(tenant.id, envelope_id)).aggregate()
        return set(found.kept_documents)

    named = operator.run(clear)
    assert named == {document_id, sealed} == {document for document, _, _ in ledger(operator, tenant)}
