"""Is this webhook from Aureum? Two functions to copy, one for each signature. They need Python 3.8 and no package.

    verify_aureum_signature(body, headers, secret)   # the body is genuine
    verify_standard_webhook(body, headers, secret)   # and it was sent within the last five minutes

*body* is the request's raw bytes, before anything parses them; *headers* a mapping of names, in any case, to values.
While you rotate, name the old secret and the new one, as two arguments. Both return nothing, or raise Refused.

    python3 verify.py webhook-vectors.json

prints what they make of each case of that file, one JSON document a line.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import time

TOLERANCE = 300  # seconds between our clock and yours, either way


class Refused(Exception):
    """The request is not to be trusted. Its text is a code, one of "errors" in webhook-vectors.json."""


def verify_aureum_signature(body, headers, *secrets):
    """Check X-Aureum-Signature: 64 lower-case hex digits, keyed with the whole text of the secret."""
    if not secrets or not all(secrets):
        raise Refused("bad_secret")  # with an empty key, anybody could sign
    sent = _header(headers, "x-aureum-signature")
    if not re.fullmatch("[0-9a-f]{64}", sent):
        raise Refused("bad_signature_format")
    for secret in secrets:
        if hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), sent):
            return
    raise Refused("no_matching_signature")


def verify_standard_webhook(body, headers, *secrets, now=None, tolerance=TOLERANCE):
    """Check webhook-id, webhook-timestamp and webhook-signature; *now* and *tolerance* are in seconds."""
    keys = [_standard_key(secret) for secret in secrets]
    if not keys:
        raise Refused("bad_secret")
    message_id = _header(headers, "webhook-id")
    timestamp = _header(headers, "webhook-timestamp")
    signatures = _header(headers, "webhook-signature")
    if not re.fullmatch("[0-9]{1,15}", timestamp):
        raise Refused("bad_timestamp")
    age = (time.time() if now is None else now) - int(timestamp)
    if age > tolerance:
        raise Refused("timestamp_too_old")
    if age < -tolerance:
        raise Refused("timestamp_too_new")
    sent = [one for one in signatures.split(" ") if re.fullmatch("[A-Za-z0-9]+,[A-Za-z0-9+/]+={0,2}", one)]
    if not sent:
        raise Refused("bad_signature_format")
    signed = (message_id + "." + timestamp + ".").encode() + body
    for key in keys:
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(expected, one) for one in sent):
            return
    raise Refused("no_matching_signature")


def _header(headers, name):
    value = next((value for key, value in headers.items() if key.lower() == name), "")
    if not value:
        raise Refused("missing_header")
    return value


def _standard_key(secret):
    """The bytes that follow "whsec_" in base64; without that prefix or the padding they are understood, too."""
    encoded = (secret[6:] if secret.startswith("whsec_") else secret).rstrip("=")
    if not re.fullmatch("[A-Za-z0-9+/]+", encoded) or len(encoded) % 4 == 1:
        raise Refused("bad_secret")
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4))


def _error_of(case):
    body = base64.b64decode(case["body_base64"]) if "body_base64" in case else case["body"].encode()
    try:
        if case["scheme"] == "x-aureum-signature":
            verify_aureum_signature(body, case["headers"], *case["secrets"])
        else:
            clock = {"now": case["now"], "tolerance": case["tolerance"]}
            verify_standard_webhook(body, case["headers"], *case["secrets"], **clock)
    except Refused as refused:
        return str(refused)
    return None


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as vectors:
        for case in json.load(vectors)["cases"]:
            error = _error_of(case)
            print(json.dumps({"name": case["name"], "valid": error is None, "error": error}))
