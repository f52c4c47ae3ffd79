"""docs/webhook-vectors.json: what it says of itself, and its cases.

    python -m tests.webhooks.sending.vectors

writes it; a test holds the file equal to what is made here.
"""

import json
from pathlib import Path

from tests.webhooks.sending.vectors.aureum import aureum_cases
from tests.webhooks.sending.vectors.case import AUREUM, STANDARD
from tests.webhooks.sending.vectors.standard import standard_cases

FILE = Path(__file__).parents[4] / "docs" / "webhook-vectors.json"

DESCRIPTION = (
    "Signatures of Aureum's webhooks, genuine and not, to test a verifier with. For each of 'cases', give it the "
    "secrets, the headers and the raw body, and of standard-webhooks the clock 'now' and its 'tolerance', both in "
    "seconds. It must accept the case if 'valid' is true, and refuse it if not; 'error' says why. The body's bytes are "
    "'body_base64' decoded where there is one, otherwise 'body' in UTF-8. The names of headers may come in any case."
)

SCHEMES = {
    AUREUM: {
        "headers": ["X-Aureum-Signature"],
        "key": "the whole text of the secret, with whsec_, in UTF-8",
        "signed": "the raw body",
        "signature": "HMAC-SHA256 in hexadecimal: always exactly 64 digits, always lower case, one and never a list",
        "rotation": "made with the old secret until the overlap ends; accept it with any secret you know",
    },
    STANDARD: {
        "headers": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "key": "what follows whsec_, base64-decoded; the prefix and the padding may be missing",
        "signed": "webhook-id, a dot, webhook-timestamp, a dot, the raw body",
        "signature": "'v1,' and HMAC-SHA256 in base64; several are parted by single spaces, other versions are "
        "skipped, and one that matches is enough",
        "rotation": "one signature with each secret until the overlap ends; accept any with any secret you know",
    },
}

# In the order in which the samples look: the first that holds is the one they name.
ERRORS = {
    "bad_secret": "no secret was given, or one is empty or, for standard-webhooks, not base64",
    "missing_header": "a header of the scheme is missing or empty",
    "bad_timestamp": "webhook-timestamp is anything but 1 to 15 ASCII digits",
    "timestamp_too_old": "webhook-timestamp is more than 'tolerance' before 'now'; exactly as much is accepted",
    "timestamp_too_new": "webhook-timestamp is more than 'tolerance' after 'now'; exactly as much is accepted",
    "bad_signature_format": "X-Aureum-Signature is not 64 lower-case hexadecimal digits; nothing in webhook-signature "
    "is a version, a comma and base64",
    "no_matching_signature": "the form is right, but no secret makes any of the signatures from this body",
}


def document() -> str:
    """The text of the file."""
    cases = [*aureum_cases(), *standard_cases()]
    content = {"description": DESCRIPTION, "schemes": SCHEMES, "errors": ERRORS, "cases": cases}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
