"""The cases of X-Aureum-Signature: genuine, signed with something else, of another form."""

import base64
import hmac
from collections.abc import Iterator, Sequence

from tests.webhooks.sending.vectors.case import ALTERED, AUREUM, BODIES, BODY, NEW, OLD, Case, case, other, signed


def aureum(
    name: str,
    body: bytes = BODY,
    *,
    signature: str | None = None,
    header: str = "X-Aureum-Signature",
    secrets: Sequence[str] = (OLD,),
    error: str | None = None,
) -> Case:
    """A case whose signature is *body*'s with the old secret, unless another *signature* is given."""
    sent = signed(body)["X-Aureum-Signature"] if signature is None else signature
    return case(AUREUM, name, body, {header: sent}, secrets, error=error)


def aureum_cases() -> Iterator[Case]:
    """All, the genuine ones first."""
    published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    digest = "80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
    yield aureum("published example", b'{"test": 2432232314}', signature=digest, secrets=[published])
    yield case(AUREUM, "all headers of a delivery", BODY, signed())
    for name, body in BODIES.items():
        yield aureum(f"body: {name}", body)
    yield aureum("body: not UTF-8", b"\xff\xfe\x00\x80")
    yield aureum("header in lower case", header="x-aureum-signature")
    yield aureum("header in upper case", header="X-AUREUM-SIGNATURE")
    yield aureum("secret with + and / in it", signature=signed(BODY, NEW)["X-Aureum-Signature"], secrets=[NEW])
    rotating = signed(BODY, OLD, NEW)["X-Aureum-Signature"]
    yield aureum("rotation: both secrets known", signature=rotating, secrets=[OLD, NEW])
    yield aureum("rotation: both secrets known, the new one first", signature=rotating, secrets=[NEW, OLD])

    wrong = "no_matching_signature"
    yield aureum("rotation: signed with the old secret, only the new one known", secrets=[NEW], error=wrong)
    for name, (body, arrived) in ALTERED.items():
        yield aureum(f"body altered: {name}", arrived, signature=signed(body)["X-Aureum-Signature"], error=wrong)
    right = signed()["X-Aureum-Signature"]
    yield aureum("another secret", secrets=[published], error=wrong)
    key = base64.b64decode(OLD.removeprefix("whsec_"))
    yield aureum("first digit altered", signature=other(right[0]) + right[1:], error=wrong)
    yield aureum("last digit altered", signature=right[:-1] + other(right[-1]), error=wrong)
    yield aureum("all zeros", signature="0" * 64, error=wrong)
    yield aureum("secret without whsec_", secrets=[OLD.removeprefix("whsec_")], error=wrong)
    yield aureum("keyed with the secret base64-decoded", signature=hmac.digest(key, BODY, "sha256").hex(), error=wrong)

    yield case(AUREUM, "header missing", BODY, {}, error="missing_header")
    trio = {name: value for name, value in signed().items() if name.startswith("webhook-")}
    yield case(AUREUM, "only the other scheme's headers", BODY, trio, error="missing_header")
    yield aureum("header empty", signature="", error="missing_header")
    for name, signature in {
        "upper case": right.upper(),
        "a digit short": right[:-1],
        "a digit long": right + "0",
        "a single digit": "a",
        "sha256= before it": "sha256=" + right,
        "two, with a comma": f"{right},{right}",
        "two, with a space": f"{right} {right}",
        "base64": base64.b64encode(bytes.fromhex(right)).decode(),
        "not a hexadecimal digit": "g" + right[1:],
        "64 characters that are not ASCII": "é" * 64,
        "a space before it": " " + right,
        "a line feed after it": right + "\n",
    }.items():
        yield aureum(f"form: {name}", signature=signature, error="bad_signature_format")

    unkeyed = hmac.digest(b"", BODY, "sha256").hex()
    yield aureum("no secret", secrets=[], error="bad_secret")
    yield aureum("empty secret, signed with no key", signature=unkeyed, secrets=[""], error="bad_secret")
    yield aureum("one secret empty, signed with no key", signature=unkeyed, secrets=[OLD, ""], error="bad_secret")
