"""What the documentation shows works: the consumer of the tour, and both ways to verify a signature."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aureum.webhooks.sending.signing import new_secret, sign

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENT = Path(__file__).parent / "documents" / "verify-signature.js"
BODY = b'{"event":"lead.created","data":{"name":"J\xc3\xbcrgen"}}'


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def receiver(secret: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, str(DOCS / "examples" / "receiver.py"), secret, "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process
    process.kill()
    process.wait(10)
    process.stdout.close()


def headers(body: bytes, secret: str) -> dict[str, str]:
    return sign(body, message_id="msg_1", event="lead.created", secrets=[secret], timestamp=1)


def test_the_consumer_of_the_tour(receiver: "subprocess.Popen[str]", secret: str) -> None:
    assert receiver.stdout is not None
    url = urlsplit(receiver.stdout.readline().removeprefix("Listening on ").strip())

    def post(given: dict[str, str]) -> int:
        connection = HTTPConnection(url.hostname or "", url.port, timeout=10)
        connection.request("POST", "/", BODY, given)
        status = connection.getresponse().status
        connection.close()
        return status

    assert post(headers(BODY, secret)) == 204
    assert receiver.stdout.readline() == "signature is right\n"
    printed = ""
    while not printed.endswith("\n}\n"):
        printed += receiver.stdout.readline()
    assert json.loads(printed) == json.loads(BODY)
    assert post(headers(BODY, new_secret())) == 400
    assert receiver.stdout.readline() == "signature IS WRONG\n"
    assert post({}) == 400


def test_the_snippets_verify(secret: str) -> None:
    text = (DOCS / "webhooks.md").read_text()
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert snippet is not None
    names: dict[str, object] = {}
    exec(snippet[1], names)  # noqa: S102  # our own documentation
    verify = names["verify_signature"]
    assert callable(verify)
    signature = headers(BODY, secret)["X-Aureum-Signature"]
    assert verify(BODY, signature, secret) is True
    assert verify(BODY + b" ", signature, secret) is False


def test_the_node_snippet_is_the_documents_own() -> None:
    _, _, sample = DOCUMENT.read_text().partition("\n")
    assert sample.strip() in (DOCS / "webhooks.md").read_text()
