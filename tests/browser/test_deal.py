"""A whole deal in a browser: staff send an envelope by the API; two clients follow their mails, prove their addresses
by a code, read, agree and sign, one on a phone and one on a large screen; the worker seals. What they download is
judged by our verdict, by pdfsig, and by the page at which anyone can check a file."""

import hashlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from aureum.pdf.verifying import Trusted, Verdict, verify
from tests.browser.test_signing import NAME, axe, follow, is_fine, press, scroll_through
from tests.browser.visitor import DESKTOP, PATIENCE_MS, PHONE, Visitor, visiting
from tests.http.api.webhooks.test_webhooks_live import beside
from tests.http.operator import Operator, Tenant
from tests.http.portal.client import SETTINGS
from tests.http.serving import Server
from tests.mail.mail_server import MailServer, mail_server
from tests.mail.queued import mailing
from tests.pdf.papers import contract
from tests.pdf.sealed import PDFSIG, pdfsig

__all__ = ["axe"]

pytestmark = pytest.mark.browser

SAM = "Sam Seller"
CODE = re.compile(r"\b\d{6}\b")
LINK = re.compile(r"https?://[^\s>\")]+/portal[^\s>\")]*")


@pytest.fixture
def post(served_url: str, tmp_path: Path) -> Iterator[MailServer]:
    """A worker, and a server that takes the mails it sends."""

    @asynccontextmanager
    async def office() -> AsyncIterator[MailServer]:
        async with mail_server() as box, mailing(served_url, box.at(), tmp_path, letters=SETTINGS):
            yield box

    with beside(office()) as box:
        yield box


def text_of(mail: EmailMessage) -> str:
    """What a mail says."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def mail_to(post: MailServer, address: str, has: re.Pattern[str], seen: int = 0) -> str:
    """The text of the newest mail to *address* that *has* something, once there are more than *seen* of them."""
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while time.monotonic() < deadline:
        found = [text_of(mail) for mail in post.mails if address in mail["To"] and has.search(text_of(mail))]
        if len(found) > seen:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"No such mail came to {address}: {[(mail['To'], mail['Subject']) for mail in post.mails]}")


def begin(server: Server, tenant: Tenant, signers: list[tuple[str, str]]) -> dict[str, Any]:
    """What staff do: an envelope by the API, as it was sent."""

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = server.by_key(tenant, method, path, body, headers)
        assert answer.status in (200, 201), (path, answer.body)
        return answer.json

    recipients = [{"name": name, "email": email, "order": order} for order, (name, email) in enumerate(signers, 1)]
    new = {"subject": "Purchase of 12 Oak Lane", "message": "Please sign by Friday.", "recipients": recipients}
    made = ask("POST", "/api/envelopes", new | {"inOrder": True})
    path = f"/api/envelopes/{made['id']}"
    paper = contract(3, anchors=["/sig:buyer/", "/sig:seller/"])
    media = {"Content-Type": "application/pdf"}
    document = ask("POST", f"{path}/documents?name=Contract.pdf", paper, **media)
    fields = []
    for one, anchor, x in zip(made["recipients"], ("/sig:buyer/", "/sig:seller/"), (60.0, 330.0), strict=True):
        own = {"recipientId": one["id"], "documentId": document["id"]}
        at = {"page": 2, "x": x, "width": 200.0, "height": 30.0}
        fields += [
            own | {"kind": "signature", "anchor": anchor},
            own | {"kind": "initials", "y": 300.0} | at,
            own | {"kind": "date", "y": 350.0} | at,
            own | {"kind": "text", "y": 400.0, "label": "The town", "required": False} | at,
        ]
    ask("PATCH", path, {"fields": fields})
    sent: dict[str, Any] = ask("POST", f"{path}/send", {})
    return sent


def arrive(visitor: Visitor, post: MailServer, email: str) -> Page:
    """From the mail that invites to the envelope's page: the address is proved by the code of another mail."""
    invited = mail_to(post, email, re.compile(r"/portal/documents/"))
    link = next(one for one in LINK.findall(invited) if "/portal/documents/" in one)
    page = visitor.page
    visitor.go(urlsplit(link).path)
    page.get_by_label("Email address").fill(email)
    press(page, "Send me a mail")
    page.get_by_label("Code").fill(CODE.findall(mail_to(post, email, CODE))[0])
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Purchase of 12 Oak Lane")
    return page


def read_and_agree(page: Page) -> None:
    press(page, "Read the documents")
    scroll_through(page)
    follow(page, "I have read everything")
    page.get_by_role("checkbox").check()
    press(page, "Agree and continue")


def sign(page: Page, town: str) -> None:
    page.get_by_label("Place my signature here").check()
    page.get_by_label("Place my initials here").check()
    page.get_by_label("The town").fill(town)
    press(page, "Sign and finish")


def draw(page: Page) -> None:
    page.get_by_label("Draw it").check()
    box = page.get_by_role("img", name="Box for your signature").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 20, steps=10)
    page.mouse.move(box["x"] + 240, box["y"] + 70, steps=10)
    page.mouse.up()


def heading(page: Page, text: str) -> None:
    """What the page says about how things stand."""
    expect(page.get_by_role("heading", level=2).first).to_have_text(text)


def reload_until(page: Page, text: str) -> None:
    """The page says so after a while."""
    deadline = time.monotonic() + PATIENCE_MS / 1_000
    while page.get_by_role("heading", level=2).first.inner_text() != text and time.monotonic() < deadline:
        page.wait_for_timeout(200)
        page.reload()
    heading(page, text)


def download(page: Page) -> bytes:
    """The sealed document, as the client keeps it."""
    with page.expect_download() as started:
        follow(page, "Download: Contract.pdf")
    assert started.value.suggested_filename == "signed-document-1.pdf"
    return Path(started.value.path()).read_bytes()


def verdict_of(server: Server, tenant: Tenant, data: bytes) -> Verdict:
    """Our own verdict, by the certificate that the brokerage publishes."""
    answer = server.ask("GET", "/.well-known/aureum-signing.pem", host=tenant.domain)
    ders = [
        ssl.PEM_cert_to_DER_cert(one)
        for one in re.findall(r"-----BEGIN.*?END CERTIFICATE-----", answer.body.decode(), re.S)
    ]
    with ThreadPoolExecutor(1) as thread:  # in this one runs the event loop of Playwright
        return thread.submit(verify, data, [Trusted(ders[0], tuple(ders[1:]))]).result()


def test_a_whole_deal(
    browser: Browser,
    server: Server,
    operator: Operator,
    tenant: Tenant,
    post: MailServer,
    axe: str,
    tmp_path: Path,
) -> None:
    operator.rows("DELETE FROM login_failures RETURNING 1")
    buyer, seller = (f"{name}@{tenant.slug}.example.net" for name in ("nora", "sam"))
    sent = begin(server, tenant, [(NAME, buyer), (SAM, seller)])
    site = f"http://{tenant.domain}:{server.port}"
    with visiting(browser, site, PHONE) as nora, visiting(browser, site, DESKTOP, "dark") as sam:
        page = arrive(nora, post, buyer)
        heading(page, "Snake River Realty asks you to sign")
        assert not [mail for mail in post.mails if seller in mail["To"]], "it is not Sam's turn yet"
        read_and_agree(page)
        sign(page, "Boise")
        heading(page, "You have signed")

        others = arrive(sam, post, seller)
        read_and_agree(others)
        draw(others)
        sign(others, "Łódź")
        reload_until(others, "The documents are complete")
        page.reload()
        heading(page, "The documents are complete")
        is_fine(nora, axe)
        data = download(page)
        assert download(others) == data
        expect(page.locator("dd.hash").first).to_have_text(hashlib.sha256(data).hexdigest())

        found = verdict_of(server, tenant, data)
        assert (found.sealed, found.unchanged, found.by, found.problems) == (True, True, "Snake River Realty", ())
        if PDFSIG is not None:
            said = pdfsig(data, tmp_path)
            assert "Signature is Valid." in said and "Total document signed" in said
        file = tmp_path / "kept.pdf"
        for content, verdict in (
            (data, "This document is genuine and unchanged"),
            (data + b"\n% changed", "This document was changed after it was sealed"),
        ):
            file.write_bytes(content)
            nora.go("/portal/verify")
            page.get_by_label("Signed document (PDF)").set_input_files(file)
            press(page, "Check the file")
            heading(page, verdict)
    envelope = server.by_key(tenant, "GET", f"/api/envelopes/{sent['id']}").json
    assert (envelope["state"], [one["state"] for one in envelope["recipients"]]) == ("completed", ["signed", "signed"])
    document = envelope["documents"][0]
    original = data[: document["bytes"]]
    assert hashlib.sha256(original).hexdigest() == document["sha256"], "what was sent is where the sealed file begins"
    assert document["sealedSha256"] == hashlib.sha256(data).hexdigest()
