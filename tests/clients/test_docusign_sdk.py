"""The same wishes by our calls and by DocuSign's own client library: the requests are the same, and it understands the
answers that our tests give. Neither knows the other."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aureum.signing.docusign import calls
from aureum.signing.docusign.account import DEMO
from aureum.signing.docusign.failures import Failed
from aureum.signing.docusign.grant import GRANT_TYPE, assertion
from aureum.signing.docusign.http import Docusign
from tests.clients.tools import HERE, PATIENCE, Tools
from tests.signing.docusign.conftest import ACCOUNT, document, outgoing
from tests.signing.docusign.peer import ACCOUNT_ID, INTEGRATION_KEY, KEY, PEM, USER_ID, Answer, Asked, Peer, playing

pytestmark = pytest.mark.clients

RETURN = "https://gem.example.com/portal/documents/c1"


def shape(asked: Asked) -> tuple[Any, ...]:
    """What of a request DocuSign looks at."""
    media = asked.headers.get("content-type", "").partition(";")[0] if asked.body else ""
    return asked.method, asked.path, asked.query, asked.json, media


def test_the_requests_are_those_of_docusigns_own_library(tools: Tools) -> None:
    envelope = outgoing(document(data=b"%PDF-1.7 a" * 1_000), document("Two.pdf"))
    signer = envelope.signers[0]

    async def ours(peer: Peer) -> str:
        async with Docusign(peer.url) as docusign:
            provider_id = await calls.create(docusign, ACCOUNT, envelope)
            assert isinstance(provider_id, str)
            view = await calls.recipient_view(
                docusign,
                ACCOUNT,
                provider_id,
                signer_id=signer.id,
                number=1,
                name=signer.name,
                email=signer.email,
                return_url=RETURN,
            )
            assert isinstance(view, str)
            peer.act(provider_id, 1, "completed")
            peer.act(provider_id, 2, "completed")
            assert not isinstance(await calls.status(docusign, ACCOUNT, provider_id), Failed)
            assert await calls.created_before(docusign, ACCOUNT, envelope.id) == provider_id
            assert [part async for part in calls.download(docusign, ACCOUNT, provider_id)]
            peer.envelopes[provider_id]["status"] = "sent"
            assert await calls.void(docusign, ACCOUNT, provider_id, "The price is wrong.") is None
            assert await calls.delete_draft(docusign, ACCOUNT, provider_id) is None
            assert not isinstance(await calls.account_info(docusign, ACCOUNT), Failed)
            return provider_id

    with playing() as peer:
        provider_id = asyncio.run(ours(peer))
        made = [shape(one) for one in peer.asked if one.path.startswith("/restapi")]
        peer.asked.clear()
        peer.envelopes[provider_id]["status"] = "sent"
        peer.envelopes[provider_id]["recipients"]["signers"][0]["status"] = "sent"
        # The library asks for its documents while it can still be voided.
        peer.plan("/combined", Answer(200, peer.document, {"Content-Type": "application/pdf"}))
        said = by_library(tools, peer, provider_id, made)
        theirs = [shape(one) for one in peer.asked]
    assert theirs == made
    assert said["understood"][0] == provider_id and said["understood"][1].startswith(peer.url)
    assert said["understood"][3] == [one.id for one in envelope.signers]
    assert said["understood"][4:] == [[provider_id], len(peer.document), "Gem State Realty"]

    grant, own = said["grant"], said["ours"]
    assert (grant["type"], grant["url"]) == (GRANT_TYPE, "https://account-d.docusign.com/oauth/token")
    assert own["header"] == grant["header"]
    assert [{**one["claims"], "iat": 0, "exp": 0} for one in (own, grant)] == [
        {
            "iss": INTEGRATION_KEY,
            "sub": USER_ID,
            "aud": DEMO.host,
            "scope": "signature impersonation",
            "iat": 0,
            "exp": 0,
        }
    ] * 2
    assert all(one["claims"]["exp"] - one["claims"]["iat"] == 3_600 for one in (own, grant))


def by_library(tools: Tools, peer: Peer, provider_id: str, made: list[tuple[Any, ...]]) -> Any:
    """What the library's script prints, asked for what the requests *made* say."""
    (token, *_) = peer.tokens
    bodies = {(method, path.rpartition("/")[2]): body for method, path, _, body, _ in made}
    wanted = {
        "server": peer.url,
        "token": token,
        "account": ACCOUNT_ID,
        "envelope": provider_id,
        "create": bodies["POST", "envelopes"],
        "view": bodies["POST", "recipient"],
        "void": bodies["PUT", provider_id],
        "delete": bodies["PUT", "recyclebin"],
        "integration_key": INTEGRATION_KEY,
        "user": USER_ID,
        "key": PEM,
        "public_key": KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "assertion": assertion(ACCOUNT, DEMO, int(time.time())),
    }
    python: Path = tools.folder / "python" / "bin" / "python"
    done = subprocess.run(
        [python, HERE / "docusign_sdk.py"],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=dict(tools.environment),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
