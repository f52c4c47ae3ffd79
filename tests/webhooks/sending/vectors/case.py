"""What the cases of both schemes share: the clock, secrets, bodies, and how one case is written.

What is genuine is signed by the product's own code; test_vectors.py has it judged by others'. A negative case is wrong
in one thing, so that it has one error.
"""

import base64
from collections.abc import Sequence
from typing import Any

from aureum.webhooks.sending.signing import sign

AUREUM, STANDARD = "x-aureum-signature", "standard-webhooks"
NAMES = {AUREUM: "aureum", STANDARD: "standard"}
Case = dict[str, Any]
Headers = dict[str, str]

NOW = 1_795_322_439
TOLERANCE = 300
ID = "msg_03ha4voe9wuiw6zyci11ehxed_216"
BODY = (
    b'{"event":"lead.created","timestamp":"2026-11-22T04:40:39.160Z","data":{"id":"c03ha4vo1xq7d5k2m8s0w9b3zt",'
    b'"name":"Ada Example","status":"new"},"id":"msg_03ha4voe9wuiw6zyci11ehxed_216","sequence":216}'
)

# Both are used nowhere else. 32 bytes need padding in base64; those of the second also make '+' and '/'.
OLD = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NEW = "whsec_" + base64.b64encode(bytes(range(224, 256))).decode()
SHORT = "whsec_" + base64.b64encode(bytes(range(16))).decode()

BODIES = {
    "empty": b"",
    "not ASCII": '{"name":"Jürgen Grün 😀"}'.encode(),
    "escaped instead of not ASCII": b'{"name":"J\\u00fcrgen Gr\\u00fcn \\ud83d\\ude00"}',
    "lines that end in CRLF": b'{\r\n  "a": 1\r\n}\r\n',
    "a line feed at the end": b'{"a":1}\n',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "a NUL": b'{"a":"\x00"}',
    "numbers that parsing changes": b'{"price":450000.00,"id":12345678901234567890,"rate":1e2}',
    "the same key twice": b'{"a":1,"a":2}',
}
# What was signed, and what arrives.
ALTERED = {
    "one bit of one byte": (BODY, BODY.replace(b"Ada", b"Ade")),
    "a byte more": (BODY, BODY + b" "),
    "a byte less": (BODY, BODY[:-1]),
    "nothing left": (BODY, b""),
    "serialised again, with spaces": (b'{"a":1,"b":2}', b'{"a": 1, "b": 2}'),
    "serialised again, keys in another order": (b'{"b":2,"a":1}', b'{"a":1,"b":2}'),
    "serialised again, escaped": (BODIES["not ASCII"], BODIES["escaped instead of not ASCII"]),
    "line feeds for CRLF": (b'{\r\n"a": 1}', b'{\n"a": 1}'),
    "the line feed at the end removed": (b'{"a":1}\n', b'{"a":1}'),
    "the byte order mark removed": (BODIES["a byte order mark"], b'{"a":1}'),
}


def signed(body: bytes = BODY, *secrets: str, at: int = NOW, message_id: str = ID) -> Headers:
    """All headers of a delivery."""
    return sign(body, message_id=message_id, event="lead.created", secrets=secrets or (OLD,), timestamp=at)


def case(
    scheme: str,
    name: str,
    body: bytes,
    headers: Headers,
    secrets: Sequence[str] = (OLD,),
    *,
    now: int = NOW,
    error: str | None = None,
) -> Case:
    """One case; it is valid unless it has an *error*. Only Standard Webhooks look at the clock."""
    clock = {"now": now, "tolerance": TOLERANCE} if scheme == STANDARD else {}
    verdict = {"valid": False, "error": error} if error else {"valid": True}
    asked = {"secrets": [*secrets], "headers": headers, **_body(body), **clock}
    return {"name": f"{NAMES[scheme]}: {name}", "scheme": scheme, **asked, **verdict}


def other(character: str) -> str:
    """A character that is not the one given; both are digits of base64 and of hexadecimal numbers."""
    return "b" if character == "a" else "a"


def _body(body: bytes) -> dict[str, str]:
    """The text; and the bytes wherever an editor or a parser might make other ones of it."""
    encoded = {"body_base64": base64.b64encode(body).decode()}
    try:
        text = {"body": body.decode()}
    except UnicodeDecodeError:
        return encoded
    plain = body and body.isascii() and text["body"].isprintable() and b"\\" not in body
    return text if plain else text | encoded
