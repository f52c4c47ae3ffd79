"""Connect's calls: which of them are genuine, and what they say."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.domain import ids
from aureum.signing.docusign.connect import is_genuine, read_call
from aureum.signing.docusign.status import moment, status_of

KEY = "Zx3yP0uK8m5q7s9vBdFgJkLnQrTwYz1A2C4E6G8I0M0="
ENVELOPE = "6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55"


def signature(raw: bytes, key: str = KEY) -> bytes:
    return base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest())


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_only_the_very_bytes_that_were_signed_are_genuine(raw: bytes, other: bytes) -> None:
    signed = [(b"x-docusign-signature-1", signature(raw))]
    assert is_genuine(raw, signed, (KEY,))
    assert is_genuine(other, signed, (KEY,)) == (raw == other)


def test_any_signature_by_any_key_will_do_while_keys_are_changed() -> None:
    raw = b'{"event":"envelope-sent"}'
    old, new = "o" * 40, "n" * 40
    headers = [(b"Host", b"x"), (b"X-DocuSign-Signature-1", b"wrong"), (b"X-DocuSign-Signature-2", signature(raw, new))]
    assert is_genuine(raw, headers, (old, new)) and is_genuine(raw, headers, (new,))
    assert not is_genuine(raw, headers, (old,))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"x-docusign-signature", signature(b"raw"))],
        [(b"x-docusign-signature-0", signature(b"raw"))],
        [(b"x-docusign-signature-101", signature(b"raw"))],
        [(b"x-docusign-signature-1x", signature(b"raw"))],
        [(b"x-docusign-signature-1", b"")],
        [(b"x-docusign-signature-1", b"\xff\xfe" * 30)],
        [(b"x-docusign-signature-1", signature(b"raw").rstrip(b"="))],
        [(b"x-docusign-signature-1", signature(b"raw").lower())],
        [(b"x-authorization-digest", b"HMACSHA256"), (b"x-docusign-signature-1", signature(b"raw", ""))],
    ],
)
def test_anything_else_is_not_genuine(headers: list[tuple[bytes, bytes]]) -> None:
    assert not is_genuine(b"raw", headers, (KEY,))


def test_without_a_key_nothing_is_genuine() -> None:
    assert not is_genuine(b"raw", [(b"x-docusign-signature-1", signature(b"raw", ""))], ())


def call(event: str, **about: Any) -> bytes:
    said = {
        "event": event,
        "retryCount": 0,
        "generatedDateTime": "2026-11-30T12:00:05.1234567Z",
        "data": {"accountId": "A", "envelopeId": ENVELOPE.upper(), **about},
    }
    return json.dumps(said).encode()


def test_what_a_call_with_data_says() -> None:
    ours, signer = ids.new_id(), ids.new_id()
    summary = {
        "status": "completed",
        "completedDateTime": "2026-11-30T12:00:04Z",
        "transactionId": ids.to_wire(ours),
        "recipients": {
            "signers": [
                {"clientUserId": ids.to_wire(signer), "recipientId": "1", "status": "completed"},
                {"clientUserId": "theirs", "recipientId": "2", "status": "delivered"},
                {"clientUserId": 7, "recipientId": "-1", "status": "created"},
                "nonsense",
            ]
        },
    }
    said = read_call(call("envelope-completed", envelopeSummary=summary))
    assert said is not None
    assert (said.envelope_id, said.transaction_id, said.account_id) == (ENVELOPE, ours, "a")
    assert said.status.state == "completed" and str(said.status.at) == "2026-11-30 12:00:04+00:00"
    assert [(one.id, one.number, one.state) for one in said.status.signers] == [
        (signer, 1, "signed"),
        (None, 2, "viewed"),
    ]


@pytest.mark.parametrize(
    ("event", "state", "signer"),
    [
        ("envelope-sent", "sent", None),
        ("envelope-voided", "voided", None),
        ("envelope-completed", "completed", None),
        ("recipient-delivered", "unknown", "viewed"),
        ("recipient-completed", "unknown", "signed"),
        ("recipient-declined", "unknown", "declined"),
        ("recipient-finish-later", "unknown", None),
        ("template-created", "unknown", None),
    ],
)
def test_a_call_without_data_says_what_its_name_says(event: str, state: str, signer: str | None) -> None:
    said = read_call(call(event, recipientId="2"))
    assert said is not None and said.status.state == state
    assert [(one.number, one.state) for one in said.status.signers] == ([(2, signer)] if signer else [])
    if signer == "signed":
        assert str(said.status.signers[0].signed_at) == "2026-11-30 12:00:05.123000+00:00"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        b"[]",
        b'{"event":"envelope-sent"}',
        b'{"event":"envelope-sent","data":[]}',
        b'{"event":7,"data":{"envelopeId":"6f1e29d1-7a3b-4a06-9f6e-2d0c7c1b8a55"}}',
        b'{"event":"envelope-sent","data":{"envelopeId":"../x"}}',
        b'{"event":"envelope-sent","data":{"envelopeId":"\\ud800"}}',
    ],
)
def test_what_is_no_event_of_an_envelope(raw: bytes) -> None:
    assert read_call(raw) is None


odd: list[Any] = [None, True, 7, "", "completed", "delivered", "2026-11-30T12:00:00Z", "\0", "\ud800", "2", [], {}]
names = ("status", "clientUserId", "recipientId", "signedDateTime", "voidedReason", "completedDateTime")
objects = st.dictionaries(st.sampled_from(names), st.sampled_from(odd), max_size=4)
signers = st.lists(objects | st.sampled_from(odd), max_size=3) | st.sampled_from(odd)
recipients = st.fixed_dictionaries({}, optional={"signers": signers}) | st.sampled_from(odd)
summaries = st.builds(lambda one, other: one | {"recipients": other}, objects, recipients)


@given(summaries)
def test_whatever_docusign_says_it_can_be_read(summary: dict[str, Any]) -> None:
    assert status_of(summary).state in ("created", "sent", "completed", "declined", "voided", "unknown")


@given(st.text("0123456789-:.TZ+ ", max_size=40))
def test_a_time_is_one_or_none(text: str) -> None:
    found = moment(text)
    assert found is None or (found.tzinfo is not None and 2000 <= found.year <= 2100)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-30T15:04:05.1230000Z", "2026-11-30T15:04:05.123000+00:00"),
        ("2026-11-30T15:04:05Z", "2026-11-30T15:04:05+00:00"),
        ("2026-11-30T15:04:05.5", "2026-11-30T15:04:05.500000+00:00"),
        ("2026-11-30T15:04:05.9999999-07:00", "2026-11-30T22:04:05.999000+00:00"),
    ],
)
def test_times_as_docusign_writes_them(text: str, iso: str) -> None:
    found = moment(text)
    assert found is not None and found.isoformat() == iso
