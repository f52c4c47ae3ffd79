"""Programs that scan mails open every link, press every button and fill in every form. They come before the person
does, from another machine, and must neither sign in nor use anything up."""

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aureum.commands.person import find_person
from aureum.http.api.people.exporting import everything
from aureum.mail.letters.about import LetterSettings
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import MEDIA
from tests.http.portal.client import SESSION, Client
from tests.http.serving import Server
from tests.mail.queued import mailing

ADDRESS = "/portal/data/address"

LINK = re.compile(r"https?://[^\s\"'<>]+")

SKIP_OTHERS = """
INSERT INTO checkpoints (tenant_id, consumer, position)
SELECT tenant_id, 'mail', position FROM heads WHERE tenant_id <> %(tenant)s
    ON CONFLICT (tenant_id, consumer) DO UPDATE SET position = greatest(checkpoints.position, excluded.position)
"""
"""A worker that follows the logs of all tests before would be at it for minutes."""

BODIES = ("", urlencode({"code": "000000"}), urlencode({"email": "nora@example.net", "code": "000000"}))


def mails_to(folder: Path, address: str) -> list[EmailMessage]:
    """Other tests have mails queued in the same database."""
    found = map(read, folder.glob("*.eml"))
    return [mail for mail in found if mail["To"].addresses[0].addr_spec == address]


async def write_mails(url: str, folder: Path, address: str) -> None:
    """A worker writes the mails into the *folder*, as it does without a mail server, until one to *address* is
    there."""
    letters = LetterSettings(base_domain="crm.example.org")
    async with mailing(url, None, folder, letters=letters), asyncio.timeout(60):
        while True:
            if mails_to(folder, address):
                return
            await asyncio.sleep(0.02)


def read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)


def bodies_of(mail: EmailMessage) -> dict[str, str]:
    return {
        part.get_content_subtype(): part.get_content() for part in mail.iter_parts() if isinstance(part, EmailMessage)
    }


async def everything_about(store: EventStore, tenant: Tenant, email: str) -> dict[str, Any]:
    return await everything(store, tenant.id, await find_person(store, tenant.id, email=email))


def test_no_scanner_signs_in_or_uses_anything_up(
    visitor: Client,
    server: Server,
    proxied: Server,
    operator: Operator,
    tenant: Tenant,
    served_url: str,
    tmp_path: Path,
) -> None:
    operator.rows("UPDATE portal_sign_ins SET waits = false")
    operator.rows("DELETE FROM domains_seen WHERE tenant_id = %(t)s", t=tenant.id)
    visitor.asks()

    asyncio.run(write_mails(served_url, tmp_path / "mail", visitor.email))
    (mail,) = mails_to(tmp_path / "mail", visitor.email)

    assert str(mail["Subject"]) == "Sign in to Snake River Realty"
    bodies = bodies_of(mail)
    found = {name: [unescape(one).rstrip(".") for one in LINK.findall(text)] for name, text in bodies.items()}
    (link,) = set(found["plain"] + found["html"])
    begin, path = link.split("/portal/", 1)
    assert begin in (f"https://{tenant.domain}", f"https://{tenant.slug}.crm.example.org"), "a host of the brokerage"
    path = urlsplit(f"/portal/{path}").path
    (code,) = re.findall(r"^ {4}([0-9]{6})$", bodies["plain"].replace("\r", ""), re.MULTILINE)

    # As staff find it in the panel, and in what a person gets who asks for all that is known.
    broker = operator.staff(tenant.id, "broker")
    (listed,) = server.ask("GET", "/api/v1/admin/mail", headers=broker.bearer).json["items"]
    shown = server.ask("GET", f"/api/v1/admin/mail/{listed['id']}", headers=broker.bearer).json["text"]
    exported = operator.run(lambda store: everything_about(store, tenant, visitor.email))
    (mailed,) = (one["text"] for one in exported["mails"] if one["kind"] == "portal_sign_in")
    for text in (shown, mailed):
        assert "/portal/sign-in/…" in text and code not in text and path.rpartition("/")[2] not in text

    before = operator.rows("SELECT * FROM portal_sign_ins WHERE tenant_id = %(t)s", t=tenant.id)
    for one, method, body in product((server, proxied), ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"), BODIES):
        headers = {"Content-Type": MEDIA, "User-Agent": "Scanner/1.0"} if body or method == "POST" else {}
        answer = one.ask(method, path, body.encode() or None, headers, host=tenant.domain)
        assert answer.status in (200, 405), (method, answer.status)
        assert not any(SESSION + "=autp_" in cookie for cookie in answer.cookies)
    assert operator.rows("SELECT * FROM portal_sign_ins WHERE tenant_id = %(t)s", t=tenant.id) == before
    assert operator.rows("SELECT FROM portal_sessions WHERE tenant_id = %(t)s", t=tenant.id) == []

    assert visitor.send(path).status == 303 and visitor.is_in
    logged = server.logged() + proxied.logged()
    assert code not in logged and path.rpartition("/")[2] not in logged and visitor.email not in logged


def test_no_scanner_gives_a_client_another_address(
    client: Client,
    server: Server,
    proxied: Server,
    operator: Operator,
    tenant: Tenant,
    served_url: str,
    tmp_path: Path,
) -> None:
    operator.rows("UPDATE portal_sign_ins SET waits = false")
    operator.rows("UPDATE portal_moves SET waits = false")
    operator.rows(SKIP_OTHERS, tenant=tenant.id)
    folder, new = tmp_path / "mail", f"new@{tenant.slug}.example.net"
    assert client.send(ADDRESS, {"email": new}).status == 202
    asyncio.run(write_mails(served_url, folder, new))
    (mail,) = mails_to(folder, new)

    bodies = bodies_of(mail)
    (link,) = {unescape(one).rstrip(".") for text in bodies.values() for one in LINK.findall(text)}
    path = urlsplit(link).path
    assert path == f"{ADDRESS}/code", "a page, which knows the client by the session alone"
    (code,) = re.findall(r"^ {4}([0-9]{6})$", bodies["plain"].replace("\r", ""), re.MULTILINE)
    broker = operator.staff(tenant.id, "broker")
    (listed,) = server.ask("GET", "/api/v1/admin/mail", headers=broker.bearer).json["items"]
    shown = server.ask("GET", f"/api/v1/admin/mail/{listed['id']}", headers=broker.bearer).json["text"]
    assert ADDRESS in shown and code not in shown
    exported = operator.run(lambda store: everything_about(store, tenant, client.email))
    assert [code in str(one["text"]) for one in exported["mails"] if one["kind"] == "portal_address"] == [False]

    waiting = "SELECT * FROM portal_moves WHERE tenant_id = %(t)s"
    before = operator.rows(waiting, t=tenant.id)
    found = (*BODIES, urlencode({"code": code}), urlencode({"code": code, "email": new}))
    for one, method, body in product((server, proxied), ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"), found):
        headers = {"Content-Type": MEDIA, "User-Agent": "Scanner/1.0"} if body or method == "POST" else {}
        answer = one.ask(method, path, body.encode() or None, headers, host=tenant.domain)
        assert answer.status in (303, 403, 405), (method, answer.status)
    assert operator.rows(waiting, t=tenant.id) == before != []

    assert client.send(path, {"code": code}).headers["location"] == "/portal/data?done=moved"
    asyncio.run(write_mails(served_url, folder, client.email))
    (told,) = mails_to(folder, client.email)
    assert [LINK.findall(text) for text in bodies_of(told).values()] == [[], []], "there is nothing to press"
    assert new not in str(told), "it may be read by others"
    logged = server.logged() + proxied.logged()
    assert code not in logged and new not in logged and client.email not in logged
