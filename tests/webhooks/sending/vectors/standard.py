"""The cases of Standard Webhooks: those that its libraries publish, and ours."""

import base64
import hmac
from collections.abc import Iterator, Sequence

from tests.webhooks.sending.vectors.case import (
    ALTERED,
    BODIES,
    BODY,
    ID,
    NEW,
    NOW,
    OLD,
    SHORT,
    STANDARD,
    TOLERANCE,
    Case,
    Headers,
    case,
    other,
    signed,
)

# From the tests of the Standard Webhooks libraries: most of them have the first, that for Rust the second.
PUBLISHED = [
    (
        "published example",
        b'{"test": 2432232314}',
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "published example of the Rust library",
        b'{"email":"test@example.com","username":"test_user"}',
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        "1649367553",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
]


def standard(
    name: str,
    body: bytes = BODY,
    *,
    headers: Headers | None = None,
    secrets: Sequence[str] = (OLD,),
    error: str | None = None,
    **replaced: str | None,
) -> Case:
    """A case with *body*'s headers, but for *replaced* (``id``, ``timestamp``, ``signature``); None removes one."""
    given = (headers or signed(body)) | {f"webhook-{part}": value for part, value in replaced.items()}
    sent = {name: value for name, value in given.items() if name.startswith("webhook-") and value is not None}
    return case(STANDARD, name, body, sent, secrets, error=error)


def raw(key: bytes, timestamp: str = str(NOW), body: bytes = BODY) -> str:
    """A signature of Standard Webhooks that our own code refuses to make: any key, any text for a time."""
    digest = hmac.digest(key, f"{ID}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def standard_cases() -> Iterator[Case]:
    """All, the genuine ones first."""
    for name, body, message_id, at, secret, signature in PUBLISHED:
        trio = {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": signature}
        yield case(STANDARD, name, body, trio, [secret], now=int(at))
    yield case(STANDARD, "all headers of a delivery", BODY, signed())
    for name, body in BODIES.items():
        yield standard(f"body: {name}", body)
    for name, form in {"lower": str.lower, "upper": str.upper, "title": str.title}.items():
        headers = {form(name): value for name, value in signed().items() if name.startswith("webhook-")}
        yield case(STANDARD, f"headers in {name} case", BODY, headers)
    for age in (TOLERANCE, -TOLERANCE, TOLERANCE - 1, 1 - TOLERANCE):
        yield standard(f"{abs(age)} s in the {'past' if age > 0 else 'future'}", headers=signed(at=NOW - age))
    one, two = signed(BODY, OLD, NEW)["webhook-signature"].split(" ")
    for name, secrets in {"old": [OLD], "new": [NEW]}.items():
        yield standard(f"rotation: only the {name} secret known", signature=f"{one} {two}", secrets=secrets)
    yield standard("rotation: both secrets known", signature=f"{one} {two}", secrets=[NEW, OLD])
    yield standard("rotation over: signed with the new secret, both known", signature=two, secrets=[OLD, NEW])
    right, value = one, one.removeprefix("v1,")
    zeros = "v1," + base64.b64encode(bytes(32)).decode()
    yield standard("signatures: the last of three matches", signature=f"{zeros} {two} {right}")
    yield standard("signatures: the first of three matches", signature=f"{right} {two} {zeros}")
    yield standard("signatures: version v2 skipped", signature=f"v2,{value} {right}")
    yield standard("signatures: version v1a skipped", signature=f"v1a,{base64.b64encode(bytes(64)).decode()} {right}")
    yield standard("secret without whsec_", secrets=[OLD.removeprefix("whsec_")])
    yield standard("secret without its =", secrets=[OLD.rstrip("=")])
    yield standard("secret without its ==", headers=signed(BODY, SHORT), secrets=[SHORT.rstrip("=")])
    yield standard("secret with + and / in it", signature=two, secrets=[NEW])

    wrong = "no_matching_signature"
    for name, (body, arrived) in ALTERED.items():
        yield standard(f"body altered: {name}", arrived, headers=signed(body), error=wrong)
    yield standard("id altered", id=ID + "0", error=wrong)
    yield standard("timestamp altered by a second", timestamp=str(NOW + 1), error=wrong)
    yield standard(
        "sent again a minute later with a new timestamp", headers=signed(at=NOW - 60), timestamp=str(NOW), error=wrong
    )
    yield standard("another secret", secrets=[NEW], error=wrong)
    yield standard("keyed with the whole text of the secret", signature=raw(OLD.encode()), error=wrong)
    for name, signature in {
        "none of three matches": f"{zeros} {two} v2,{value}",
        "only version v2": f"v2,{value}",
        "only version v1a": f"v1a,{value}",
        "only version V1": f"V1,{value}",
        "first character altered": "v1," + other(value[0]) + value[1:],
        "cut short": right[:-4],
        "hexadecimal": "v1," + base64.b64decode(value).hex(),
        "that of X-Aureum-Signature": "v1," + signed()["X-Aureum-Signature"],
    }.items():
        yield standard(f"signatures: {name}", signature=signature, error=wrong)
    for name, signature in {
        "nothing after v1,": "v1,",
        "no version": value,
        "= for the comma": f"v1={value}",
        "not base64": "v1,~" + value[1:],
        "commas between two": f"{right},{right}",
    }.items():
        yield standard(f"form: {name}", signature=signature, error="bad_signature_format")

    missing = "missing_header"
    yield standard("no id", id=None, error=missing)
    yield standard("no timestamp", timestamp=None, error=missing)
    yield standard("no signature", signature=None, error=missing)
    yield case(STANDARD, "no headers", BODY, {}, error=missing)
    yield standard("id empty", id="", error=missing)
    yield standard("timestamp empty", timestamp="", error=missing)
    yield standard("signature empty", signature="", error=missing)

    key = base64.b64decode(OLD.removeprefix("whsec_"))
    for name, timestamp in {
        "a word": "now",
        "a fraction": f"{NOW}.0",
        "an exponent": "1.795322439e9",
        "hexadecimal": hex(NOW),
        "a plus sign": f"+{NOW}",
        "a minus sign": f"-{NOW}",
        "an RFC 3339 time": "2026-11-22T04:40:39Z",
        "a space before it": f" {NOW}",
        "a line feed after it": f"{NOW}\n",
        "twenty digits": "1" * 20,
        "digits that are not ASCII": str(NOW).translate({48 + digit: 0x660 + digit for digit in range(10)}),
    }.items():
        yield standard(
            f"time: {name}", timestamp=timestamp, signature=raw(key, timestamp=timestamp), error="bad_timestamp"
        )
    yield standard("301 s in the past", headers=signed(at=NOW - 301), error="timestamp_too_old")
    yield standard("sent again a day later", headers=signed(at=NOW - 86_400), error="timestamp_too_old")
    yield standard("time: zero", headers=signed(at=0), error="timestamp_too_old")
    yield standard("301 s in the future", headers=signed(at=NOW + 301), error="timestamp_too_new")
    yield standard("time: in milliseconds", headers=signed(at=NOW * 1000), error="timestamp_too_new")

    unkeyed = raw(b"")
    yield standard("no secret", secrets=[], error="bad_secret")
    yield standard("empty secret, signed with no key", signature=unkeyed, secrets=[""], error="bad_secret")
    yield standard(
        "secret of whsec_ alone, signed with no key", signature=unkeyed, secrets=["whsec_"], error="bad_secret"
    )
    yield standard("one secret empty, signed with no key", signature=unkeyed, secrets=[OLD, ""], error="bad_secret")
    yield standard("secret that is not base64", secrets=["whsec_not~base64"], error="bad_secret")
    yield standard("secret a character short", secrets=[OLD[:-3]], error="bad_secret")
    url_safe = NEW.replace("+", "-").replace("/", "_").replace("whsec-", "whsec_")
    yield standard("secret in the URL-safe alphabet", signature=two, secrets=[url_safe], error="bad_secret")
