"""``aureum esign`` against a server that plays DocuSign."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aureum.cli.installation import tenant_of
from aureum.commands.docusign_connections import connection
from aureum.domain.docusign_connection import DocusignConnection
from aureum.store.event_store import EventStore
from tests.cli.conftest import Terminal
from tests.signing.docusign.peer import ACCOUNT_ID, CONNECT_KEY, INTEGRATION_KEY, PEM, USER_ID, Peer, playing

IDS = ("--integration-key", INTEGRATION_KEY, "--user-id", USER_ID, "--account-id", ACCOUNT_ID)


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with playing() as one:
        monkeypatch.setenv("AUREUM_DOCUSIGN_URL", one.url)
        yield one


def kept(terminal: Terminal, slug: str) -> DocusignConnection | None:
    async def work(store: EventStore) -> DocusignConnection | None:
        return await connection(store, await tenant_of(store.database, slug))

    return terminal.in_store(work)


def test_a_connection_from_its_beginning_to_its_end(terminal: Terminal, peer: Peer, tmp_path: Path) -> None:
    slug = terminal.brokerage()
    unconnected = terminal.run("esign", "check", "--brokerage", slug)
    assert unconnected.code == 1 and "The operator connects it with 'aureum esign connect'." in unconnected.err
    said = terminal.json("esign", "connect", "--brokerage", slug, *IDS, "--private-key", "-", stdin=PEM)
    assert said == {
        "connected": True,
        "environment": "demo",
        "integrationKey": INTEGRATION_KEY,
        "userId": USER_ID,
        "accountId": ACCOUNT_ID,
        "connectKeys": 0,
    }
    checked = terminal.json("esign", "check", "--brokerage", slug)
    assert checked["ok"] and [one["step"] for one in checked["steps"]] == ["token", "account", "draft", "deletion"]
    assert checked["account"] == {"name": "Gem State Realty", "server": peer.url}
    (tmp_path / "keys").write_text(f"{CONNECT_KEY}\n\n{CONNECT_KEY}\n")
    told = terminal.run(
        "esign", "connect", "--brokerage", slug, "--connect-keys", "keys", "--environment", "production"
    )
    assert told.code == 0 and f"with 1 HMAC keys, at /webhooks/docusign/{slug}" in told.out
    one = kept(terminal, slug)
    assert one is not None and (one.private_key, one.connect_keys, one.production) == (PEM, (CONNECT_KEY,), True)
    version = one.version
    terminal.json("esign", "connect", "--brokerage", slug, "--connect-keys", "keys")
    again = kept(terminal, slug)
    assert again is not None and again.version == version
    ended = terminal.run("esign", "disconnect", "--brokerage", slug)
    assert ended.code == 2 and "--yes" in ended.err
    for _ in range(2):
        assert terminal.json("esign", "disconnect", "--brokerage", slug, "--yes") == {
            "brokerage": slug,
            "connected": False,
        }
    assert kept(terminal, slug) is None
    missing = terminal.run("esign", "connect", "--brokerage", slug, *IDS)
    assert missing.code == 1 and missing.err.startswith("private_key is needed")


def test_a_check_that_fails_says_what_to_do(terminal: Terminal, peer: Peer) -> None:
    slug = terminal.brokerage()
    terminal.json("esign", "connect", "--brokerage", slug, *IDS, "--private-key", "-", stdin=PEM)
    peer.consented = False
    ended = terminal.run("esign", "check", "--brokerage", slug, "--json")
    assert ended.code == 1
    (step,) = json.loads(ended.out)["steps"]
    assert step["step"] == "token" and not step["ok"] and f"client_id={INTEGRATION_KEY}" in step["problem"]
    people = terminal.run("esign", "check", "--brokerage", slug)
    assert people.out.startswith("Get a token: failed. The user has not yet allowed Aureum")
    assert PEM.splitlines()[1] not in ended.out + ended.err + people.out + people.err


def pem(key: RSAPrivateKey | EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SHORT = pem(generate_private_key(65537, 1024))  # noqa: S505  it is refused


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense\0",
        PEM.replace("MII", "MIJ"),
        pem(elliptic_key(SECP256R1())),
        SHORT,
    ],
    ids=["empty", "NUL", "broken", "elliptic", "short"],
)
def test_what_is_no_key_is_refused_and_not_quoted(terminal: Terminal, text: str) -> None:
    slug = terminal.brokerage()
    ended = terminal.run("esign", "connect", "--brokerage", slug, *IDS, "--private-key", "-", stdin=text)
    assert ended.code == 1 and ended.out == "" and "Traceback" not in ended.err
    assert not any(line in ended.err for line in text.splitlines()[1:-1])
    assert kept(terminal, slug) is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--user-id", "ann@example.com"), "user_id must be an id"),
        (("--private-key", "missing.pem"), "missing.pem cannot be read"),
        (("--private-key", "-", "--connect-keys", "-"), "Only one of"),
        (("--connect-keys", "short"), "connect_keys must be as"),
        (("--connect-keys", "binary"), "must hold the text"),
    ],
)
def test_what_cannot_be_used_is_refused(
    terminal: Terminal, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    (tmp_path / "short").write_text("abc\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "key.pem").write_text(PEM)
    slug = terminal.brokerage()
    ended = terminal.run("esign", "connect", "--brokerage", slug, *IDS, "--private-key", "key.pem", *arguments)
    assert ended.code == 1 and why in ended.err, ended


def test_an_environment_that_is_none_is_wrong_usage(terminal: Terminal) -> None:
    ended = terminal.run("esign", "connect", "--brokerage", terminal.brokerage(), "--environment", "test")
    assert ended.code == 2 and "Choose demo or production." in ended.err
