"""A server on the loopback address that plays DocuSign: token, envelopes with their state, signing, Connect's calls.

It checks the signature of each grant, each request against the official document, and each of its own answers, too. It
was written from DocuSign's documentation: DocuSign's own servers were never asked.
"""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.signing.docusign.official import answer_problems, complaints

KEY: RSAPrivateKey = generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

INTEGRATION_KEY, USER_ID, ACCOUNT_ID = (str(uuid4()) for _ in range(3))
CONNECT_KEY = "Zx3yP0uK8m5q7s9vBdFgJkLnQrTwYz1A2C4E6G8I0M0="

API = "/restapi"
NOON = "2026-11-30T12:00:0{}.1230000Z"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """What the peer says; ``cut`` bytes of the body are promised and never sent."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


def refusal(status: int, code: str) -> Answer:
    """As DocuSign refuses; the message names a person, as its own do."""
    return Answer(status, {"errorCode": code, "message": "jane@example.com: " + code})


@dataclass
class Peer:
    """DocuSign's state. *planned* are answers that are given instead of the right ones, by a part of the path."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    planned: list[tuple[str, Answer]] = field(default_factory=list)
    envelopes: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    views: dict[str, tuple[str, str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """Parts of paths: the next such request is done, and its answer is lost."""
    lasts: int = 3600
    consented: bool = True
    document: bytes = b"%PDF-1.7 all documents and the certificate %%EOF"
    lock: threading.RLock = field(default_factory=threading.RLock)

    def calls(self, part: str = API) -> list[tuple[str, str]]:
        """The requests whose path has *part*: method, and path below the account."""
        below = f"{API}/v2.1/accounts/{ACCOUNT_ID}"
        return [(one.method, one.path.removeprefix(below)) for one in self.asked if part in one.path]

    def plan(self, part: str, *answers: Answer) -> None:
        """Answer the next requests whose path has *part* with these."""
        self.planned += [(part, answer) for answer in answers]

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        with self.lock:
            self.asked.append(asked)
            for index, (part, answer) in enumerate(self.planned):
                if part in asked.path:
                    del self.planned[index]
                    return answer
            if asked.path == "/oauth/token":
                return self.token(asked)
            if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                return refusal(401, "AUTHORIZATION_INVALID_TOKEN")
            if asked.path == "/oauth/userinfo":
                account = {"account_id": ACCOUNT_ID, "is_default": True, "account_name": "Gem", "base_uri": self.url}
                other = {"account_id": str(uuid4()), "is_default": False, "account_name": "X", "base_uri": "https://x"}
                return Answer(200, {"sub": USER_ID, "name": "Ann", "accounts": [other, account]})
            path = asked.path.removeprefix(API)
            wrong = complaints(asked.method, path, asked.query, asked.json)
            if wrong:
                self.complaints += wrong
                return refusal(400, "INVALID_REQUEST_BODY")
            given = self.api(asked, path.removeprefix(f"/v2.1/accounts/{ACCOUNT_ID}").strip("/").split("/"))
            for part in self.lost:
                if part in asked.path:
                    self.lost.remove(part)
                    return Answer(502, b"<html>")
            if given.status < 300 and not isinstance(given.body, bytes):
                self.complaints += answer_problems(asked.method, path, given.status, given.body)
            return given

    def token(self, asked: Asked) -> Answer:
        """A token for a right grant."""
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        head, claims, signature = form["assertion"].split(".")
        try:
            KEY.public_key().verify(unbase64(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return Answer(400, {"error": "invalid_grant", "error_description": "no_valid_keys_or_signatures"})
        said = json.loads(unbase64(claims))
        assert json.loads(unbase64(head)) == {"alg": "RS256", "typ": "JWT"}
        assert said["aud"] == urlsplit(self.url).netloc and said["scope"] == "signature impersonation"
        assert 0 < said["exp"] - said["iat"] <= 3600
        if said["iss"] != INTEGRATION_KEY:
            return Answer(400, {"error": "issuer_not_found"})
        if said["sub"] != USER_ID:
            return Answer(400, {"error": "invalid_grant", "error_description": "user_not_found"})
        if not self.consented:
            return Answer(400, {"error": "consent_required"})
        token = uuid4().hex
        self.tokens.add(token)
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts})

    def api(self, asked: Asked, parts: list[str]) -> Answer:
        """What stands below the account."""
        match asked.method, parts:
            case "GET", [""]:
                return Answer(200, {"accountName": "Gem State Realty", "accountIdGuid": ACCOUNT_ID})
            case "POST", ["envelopes"]:
                return self.create(asked.json)
            case "GET", ["envelopes"]:
                wanted = asked.query["transaction_ids"].split(",")
                found = [one for one in self.envelopes.values() if one["transactionId"] in wanted]
                names = ("envelopeId", "status", "transactionId")
                listed = [{name: one[name] for name in names} for one in found]
                return Answer(200, {"resultSetSize": str(len(listed)), "envelopes": listed})
            case "PUT", ["folders", "recyclebin"]:
                for envelope_id in asked.json["envelopeIds"]:
                    self.envelopes[envelope_id]["status"] = "deleted"
                return Answer(200, {})
            case method, ["envelopes", envelope_id, *rest]:
                envelope = self.envelopes.get(envelope_id)
                return (
                    refusal(404, "ENVELOPE_DOES_NOT_EXIST")
                    if envelope is None
                    else self.one(method, envelope, rest, asked)
                )
        return refusal(404, "RESOURCE_NOT_FOUND")

    def create(self, said: dict[str, Any]) -> Answer:
        """A new envelope, unless its transaction was seen before."""
        for one in self.envelopes.values():
            if one["transactionId"] == said["transactionId"]:
                return Answer(201, {"envelopeId": one["envelopeId"], "status": one["status"]})
        envelope_id = str(uuid4())
        signers = [
            {
                **{name: one[name] for name in ("recipientId", "clientUserId", "name", "email", "routingOrder")},
                "status": "created",
            }
            for one in said.get("recipients", {}).get("signers", [])
        ]
        self.envelopes[envelope_id] = {
            "envelopeId": envelope_id,
            "transactionId": said["transactionId"],
            "status": said["status"],
            "emailSubject": said["emailSubject"],
            "statusChangedDateTime": NOON.format(0),
            "recipients": {"signers": signers},
        }
        self.route(self.envelopes[envelope_id])
        return Answer(201, {"envelopeId": envelope_id, "status": said["status"], "uri": f"/envelopes/{envelope_id}"})

    def one(self, method: str, envelope: dict[str, Any], rest: list[str], asked: Asked) -> Answer:
        """What is asked of one envelope."""
        match method, rest:
            case "GET", []:
                return Answer(200, envelope)
            case "PUT", []:
                if envelope["status"] not in ("sent", "delivered"):
                    return refusal(400, "ENVELOPE_CANNOT_VOID_INVALID_STATE")
                envelope |= asked.json | {"voidedDateTime": NOON.format(9)}
                return Answer(200, {"envelopeId": envelope["envelopeId"]})
            case "POST", ["views", "recipient"]:
                return self.view(envelope, asked.json)
            case "GET", ["documents", "combined"]:
                if envelope["status"] != "completed":
                    return refusal(400, "INVALID_REQUEST_PARAMETER")
                return Answer(200, self.document, {"Content-Type": "application/pdf"})
        return refusal(404, "RESOURCE_NOT_FOUND")

    def view(self, envelope: dict[str, Any], said: dict[str, Any]) -> Answer:
        """Where a signer whose turn it is signs."""
        for one in envelope["recipients"]["signers"]:
            names = {"clientUserId": "clientUserId", "userName": "name", "email": "email", "recipientId": "recipientId"}
            if all(said[theirs] == one[ours] for theirs, ours in names.items()):
                if one["status"] not in ("sent", "delivered"):
                    return refusal(400, "RECIPIENT_NOT_IN_SEQUENCE")
                code = uuid4().hex
                self.views[code] = (envelope["envelopeId"], one["recipientId"])
                return Answer(201, {"url": f"{self.url}/Signing/MTRedeem/v1/{code}?slt=secret"})
        return refusal(400, "UNKNOWN_ENVELOPE_RECIPIENT")

    def route(self, envelope: dict[str, Any]) -> None:
        """Send it to those whose turn it is; complete it after the last."""
        if envelope["status"] not in ("sent", "delivered"):
            return
        open_ones = [one for one in envelope["recipients"]["signers"] if one["status"] != "completed"]
        if not open_ones:
            envelope |= {"status": "completed", "completedDateTime": NOON.format(8)}
        turn = min((int(one["routingOrder"]) for one in open_ones), default=0)
        for one in open_ones:
            if int(one["routingOrder"]) == turn and one["status"] == "created":
                one |= {"status": "sent", "sentDateTime": NOON.format(1)}

    def act(self, envelope_id: str, number: int, what: str) -> None:
        """What a signer does: ``delivered``, ``completed`` or ``declined``."""
        with self.lock:
            envelope = self.envelopes[envelope_id]
            signer = envelope["recipients"]["signers"][number - 1]
            times = {"delivered": "deliveredDateTime", "completed": "signedDateTime", "declined": "declinedDateTime"}
            signer |= {"status": what, times[what]: NOON.format(number + 1)}
            if what == "declined":
                signer["declinedReason"] = "The price is wrong."
                envelope |= {"status": "declined", "declinedDateTime": NOON.format(7)}
            self.route(envelope)

    def connect_call(
        self,
        event: str,
        envelope_id: str,
        *,
        number: int = 0,
        data: bool = True,
        key: str = CONNECT_KEY,
        retry: int = 0,
    ) -> tuple[bytes, dict[str, str]]:
        """A call of Connect: its body and the headers that sign it."""
        about: dict[str, Any] = {"accountId": ACCOUNT_ID, "userId": USER_ID, "envelopeId": envelope_id}
        if number:
            about["recipientId"] = str(number)
        if data:
            about["envelopeSummary"] = self.envelopes[envelope_id]
        said = {
            "event": event,
            "uri": f"/restapi/v2.1/accounts/{ACCOUNT_ID}/envelopes/{envelope_id}",
            "retryCount": retry,
            "configurationId": 12345,
            "apiVersion": "v2.1",
            "generatedDateTime": NOON.format(5),
            "data": about,
        }
        body = json.dumps(said).encode()
        right = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
        return body, {"Content-Type": "application/json", "X-DocuSign-Signature-1": right}


def unbase64(text: str) -> bytes:
    """base64url without its end."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    peer: Peer

    def respond(self) -> None:
        """Read a request, and answer it."""
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.peer.answer(Asked(self.command, address.path, query, headers, body))
        said = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said) + answer.cut))
        self.end_headers()
        self.wfile.write(said)
        self.close_connection = bool(answer.cut)

    do_GET = do_POST = do_PUT = respond

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@contextmanager
def playing() -> Iterator[Peer]:
    """A peer; what it had against requests, or its own answers, fails the test at the end."""
    peer = Peer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("PeerHandler", (Handler,), {"peer": peer}))
    server.daemon_threads = True
    peer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield peer
        assert peer.complaints == []
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
