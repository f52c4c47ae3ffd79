"""Every call against a server that plays DocuSign and judges each request by the official document."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aureum.signing.docusign import calls
from aureum.signing.docusign.account import DEMO, PRODUCTION, is_docusign
from aureum.signing.docusign.checking import check
from aureum.signing.docusign.failures import Broken, Failed
from aureum.signing.docusign.grant import assertion
from aureum.signing.docusign.http import Docusign
from aureum.signing.docusign.request import body_of, encoded
from aureum.signing.docusign.tokens import Tokens
from tests.signing.docusign.conftest import ACCOUNT, document, outgoing
from tests.signing.docusign.official import complaints
from tests.signing.docusign.peer import ACCOUNT_ID, INTEGRATION_KEY, PEM, USER_ID, Answer, Peer, refusal, unbase64

ENVELOPES = f"/v2.1/accounts/{ACCOUNT_ID}/envelopes"


@asynccontextmanager
async def opened(peer: Peer, **options: Any) -> AsyncIterator[Docusign]:
    async with Docusign(peer.url, **options) as docusign:
        yield docusign


def test_an_envelope_from_its_creation_to_its_documents(peer: Peer) -> None:
    big = bytes(range(256)) * 4_000
    envelope = outgoing(document(data=b"%PDF-1.7 a"), document("Ü.pdf", big, 65_537))

    async def run() -> None:
        async with opened(peer) as docusign:
            assert await calls.created_before(docusign, ACCOUNT, envelope.id) is None
            provider_id = await calls.create(docusign, ACCOUNT, envelope)
            assert isinstance(provider_id, str)
            assert await calls.create(docusign, ACCOUNT, envelope) == provider_id
            assert await calls.created_before(docusign, ACCOUNT, envelope.id) == provider_id

            async def url(number: int) -> str | Failed:
                signer = envelope.signers[number - 1]
                return await calls.recipient_view(
                    docusign,
                    ACCOUNT,
                    provider_id,
                    signer_id=signer.id,
                    number=number,
                    name=signer.name,
                    email=signer.email,
                    return_url="https://gem.example.com/portal/documents/c1",
                )

            first, again = await url(1), await url(1)
            assert isinstance(first, str) and first.startswith(f"{peer.url}/Signing/") and first != again
            assert await url(2) == Failed("refused", 400, "RECIPIENT_NOT_IN_SEQUENCE")
            broken = await drained(docusign, provider_id)
            assert broken == Failed("refused", 400, "INVALID_REQUEST_PARAMETER")
            peer.act(provider_id, 1, "delivered")
            peer.act(provider_id, 1, "completed")
            said = await calls.status(docusign, ACCOUNT, provider_id)
            assert not isinstance(said, Failed)
            assert (said.state, [one.state for one in said.signers]) == ("sent", ["signed", "invited"])
            assert [str(one.id is not None) for one in said.signers] == ["True", "True"]
            assert str(said.signers[0].signed_at) == "2026-11-30 12:00:02.123000+00:00"
            peer.act(provider_id, 2, "completed")
            said = await calls.status(docusign, ACCOUNT, provider_id)
            assert not isinstance(said, Failed) and said.state == "completed"
            assert await drained(docusign, provider_id) == peer.document
            assert await calls.void(docusign, ACCOUNT, provider_id, "Too late") == Failed(
                "refused", 400, "ENVELOPE_CANNOT_VOID_INVALID_STATE"
            )

    asyncio.run(run())
    (sent, _) = [one.json for one in peer.asked if one.method == "POST" and one.path.endswith("/envelopes")]
    assert [base64.b64decode(one["documentBase64"]) for one in sent["documents"]] == [b"%PDF-1.7 a", big]
    assert sent["emailBlurb"] == envelope.message
    assert peer.calls("/oauth/token") == [("POST", "/oauth/token")]


async def drained(docusign: Docusign, provider_id: str) -> bytes | Failed:
    try:
        return b"".join([part async for part in calls.download(docusign, ACCOUNT, provider_id)])
    except Broken as broken:
        return broken.failed


def test_a_void_ends_it(peer: Peer) -> None:
    async def run() -> None:
        async with opened(peer) as docusign:
            provider_id = await calls.create(docusign, ACCOUNT, outgoing())
            assert isinstance(provider_id, str)
            assert await calls.void(docusign, ACCOUNT, provider_id, "x" * 5_000) is None
            said = await calls.status(docusign, ACCOUNT, provider_id)
            assert not isinstance(said, Failed) and said.state == "voided" and said.reason == "x" * 200
            unknown = "00000000-0000-0000-0000-000000000000"
            assert await calls.status(docusign, ACCOUNT, unknown) == Failed("missing", 404, "ENVELOPE_DOES_NOT_EXIST")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("server", "audience"),
    [
        (DEMO, "account-d.docusign.com"),
        (PRODUCTION, "account.docusign.com"),
        (URL("http://127.0.0.1:8099"), "127.0.0.1:8099"),
    ],
)
def test_a_grant_names_its_server_as_docusign_does(server: URL, audience: str) -> None:
    head, claims, _ = assertion(ACCOUNT, server, 1_796_000_000).split(".")
    assert orjson.loads(unbase64(head)) == {"alg": "RS256", "typ": "JWT"}
    assert orjson.loads(unbase64(claims)) == {
        "iss": INTEGRATION_KEY,
        "sub": USER_ID,
        "aud": audience,
        "iat": 1_796_000_000,
        "exp": 1_796_003_600,
        "scope": "signature impersonation",
    }


def test_one_token_for_all_until_shortly_before_its_end(peer: Peer) -> None:
    now = [1000.0]

    async def run() -> None:
        async with opened(peer, tokens=Tokens(lambda: now[0])) as docusign:
            await asyncio.gather(*(calls.account_info(docusign, ACCOUNT) for _ in range(5)))
            assert len(peer.calls("/oauth/token")) == 1
            now[0] += 3600 - 301
            await calls.account_info(docusign, ACCOUNT)
            assert len(peer.calls("/oauth/token")) == 1
            now[0] += 2
            await calls.account_info(docusign, ACCOUNT)
            assert len(peer.calls("/oauth/token")) == 2
            peer.tokens.clear()  # DocuSign ended it early
            assert not isinstance(await calls.account_info(docusign, ACCOUNT), Failed)
            assert len(peer.calls("/oauth/token")) == 3
            peer.plan("/accounts/", *[refusal(401, "AUTHORIZATION_INVALID_TOKEN")] * 2)
            refused = await calls.account_info(docusign, ACCOUNT)
            assert refused == Failed("credentials", 401, "AUTHORIZATION_INVALID_TOKEN")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("part", "answer", "failed"),
    [
        ("/oauth/token", Answer(400, {"error": "consent_required"}), Failed("consent", 400, "consent_required")),
        ("/oauth/token", Answer(400, {"error": "jane@x"}), Failed("credentials", 400)),
        ("/oauth/token", Answer(503, b"<html>"), Failed("unavailable", 503)),
        ("/oauth/token", Answer(200, {"access_token": "a\r\nX: y", "expires_in": 3600}), Failed("unreadable")),
        ("/oauth/token", Answer(200, {"access_token": "a", "expires_in": -1}), Failed("unreadable")),
        ("/oauth/token", Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), Failed("credentials", 302)),
        (
            "/oauth/userinfo",
            Answer(200, {"accounts": [{"account_id": "x"}]}),
            Failed("credentials", None, "account_not_found"),
        ),
        (
            "/oauth/userinfo",
            Answer(200, {"accounts": [{"account_id": ACCOUNT_ID, "base_uri": "https://evil.example.com"}]}),
            Failed("unreadable"),
        ),
        ("/oauth/userinfo", Answer(200, {"accounts": 7}), Failed("unreadable")),
        ("/envelopes/", Answer(429, b"", {"Retry-After": "60"}), Failed("limited", 429, None, 60)),
        (
            "/envelopes/",
            refusal(400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED"),
            Failed("limited", 400, "HOURLY_APIINVOCATION_LIMIT_EXCEEDED"),
        ),
        ("/envelopes/", Answer(500, {"errorCode": "X", "message": "jane@x"}), Failed("unavailable", 500, "X")),
        ("/envelopes/", Answer(200, b"[]"), Failed("unreadable")),
        ("/envelopes/", Answer(200, b"{", cut=100), Failed("unreadable")),
        ("/envelopes/", Answer(200, b" " * 5_000_000), Failed("unreadable", 200)),
        ("/envelopes/", Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), Failed("unreadable", 302)),
    ],
)
def test_what_goes_wrong_is_data(peer: Peer, part: str, answer: Answer, failed: Failed) -> None:
    peer.plan(part, answer)

    async def run() -> None:
        async with opened(peer) as docusign:
            found = await calls.status(docusign, ACCOUNT, "00000000-0000-0000-0000-000000000000")
            assert found == failed
            assert "jane" not in repr(found) and "jane" not in failed.text("https://consent")

    asyncio.run(run())


def test_no_answer_and_no_server(peer: Peer) -> None:
    async def run() -> None:
        async with Docusign("http://127.0.0.1:1") as docusign:
            assert await calls.account_info(docusign, ACCOUNT) == Failed("unreachable")
        async with Docusign("http://10.0.0.1:80") as docusign:  # not loopback: no socket is opened
            assert await calls.account_info(docusign, ACCOUNT) == Failed("unreachable")
        async with opened(peer) as docusign:
            other = replace(ACCOUNT, private_key=PEM.replace("A", "B", 5))
            assert await calls.account_info(docusign, other) == Failed("credentials")

    asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"url": "https://evil.example.com/sign"}),
        Answer(200, {"url": "javascript:alert(1)"}),
        Answer(200, {"url": "//docusign.net/"}),
        Answer(200, {"url": 7}),
        Answer(200, {}),
    ],
)
def test_no_one_is_led_elsewhere_to_sign(peer: Peer, answer: Answer) -> None:
    peer.plan("/views/", answer)

    async def run() -> Any:
        async with opened(peer) as docusign:
            return await calls.recipient_view(
                docusign, ACCOUNT, "0" * 8, signer_id="c", number=1, name="n", email="e", return_url="https://x/"
            )

    assert asyncio.run(run()) == Failed("unreadable")


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (Answer(200, b"%PDF", {"Content-Type": "application/pdf"}, cut=100), Failed("unreadable")),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), Failed("unreadable", 200)),
        (Answer(503, b"", {"Retry-After": "7"}), Failed("unavailable", 503, None, 7)),
    ],
)
def test_a_download_that_breaks_off_is_no_document(peer: Peer, answer: Answer, failed: Failed) -> None:
    peer.plan("/combined", answer)

    async def run() -> bytes | Failed:
        async with opened(peer) as docusign:
            return await drained(docusign, "00000000-0000-0000-0000-000000000000")

    assert asyncio.run(run()) == failed


def test_the_check_goes_as_far_as_it_can(peer: Peer) -> None:
    async def run() -> None:
        async with opened(peer) as docusign:
            peer.consented = False
            consent = await check(docusign, ACCOUNT)
            assert (consent.done, consent.failed) == ((), "token")
            assert f"{peer.url}/oauth/auth?response_type=code&scope=signature+impersonation" in consent.text
            peer.consented = True
            peer.plan("/folders/", refusal(400, "FOLDER"))
            left = await check(docusign, ACCOUNT)
            assert (left.done, left.failed) == (("token", "account", "draft"), "deletion")
            whole = await check(docusign, ACCOUNT)
            assert whole.failed is None and whole.account is not None and whole.account.name == "Gem State Realty"

    asyncio.run(run())
    assert [one["status"] for one in peer.envelopes.values()] == ["created", "deleted"]


def test_the_official_document_knows_what_is_wrong() -> None:
    """Without this the check of every request might accept anything."""
    path = ENVELOPES
    right = {"status": "sent", "documents": [{"documentId": "1"}]}
    assert complaints("POST", path, {}, right) == []
    assert complaints("POST", path, {}, {"statuss": "sent"})
    assert complaints("POST", path, {}, {"documents": [{"documentID": "1"}]})
    assert complaints("POST", path, {}, {"recipients": {"signers": [{"routingOrder": 1}]}})
    assert complaints("POST", path, {"x": "1"}, right)
    assert complaints("POST", path + "/1/view/recipient", {}, {})
    assert complaints("DELETE", path, {}, None)


@given(st.lists(st.binary(max_size=200_000), max_size=4))
def test_base64_of_parts_is_that_of_the_whole(parts: list[bytes]) -> None:
    async def run() -> bytes:
        async def given_parts() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        return b"".join([piece async for piece in encoded(given_parts())])

    assert asyncio.run(run()) == base64.b64encode(b"".join(parts))


def test_the_length_of_a_body_is_known_before_its_documents_are_read() -> None:
    body = body_of(outgoing(document(data=b"a" * 100_000), document(data=b"b"), document(data=b"cc")))

    async def run() -> int:
        return sum([len(piece) async for piece in body.pieces()])

    assert asyncio.run(run()) == body.length


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("https://demo.docusign.net", True),
        ("https://na3.docusign.net/x", True),
        ("https://app.docusign.com", True),
        ("https://docusign.net.evil.com", False),
        ("https://evildocusign.net", False),
        ("http://demo.docusign.net", False),
        ("https://demo.docusign.net:8443", False),
        ("https://docusign.net@evil.com", False),
        ("https://u@demo.docusign.net", False),
        ("/relative", False),
    ],
)
def test_docusigns_own_servers(url: str, right: bool) -> None:
    assert is_docusign(URL(url), None) is right
