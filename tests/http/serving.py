"""Servers as the supervisor starts them, asked over real sockets."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast

from aureum.http.wire.error_codes import CODES, Code
from tests.conftest import MASTER_KEY
from tests.http.forking import Forked, fork
from tests.http.operator import Tenant

PATIENCE = 60.0
READ_WHOLE = 50_000
BASE_DOMAIN = "crm.example.org"

FORM = {
    "firstName": "John",
    "lastName": "Smith",
    "email": "john.smith@example.com",
    "phone": "208-555-0123",
    "subject": "Interested in property at 123 Main St",
    "message": "I'd like to learn more about this listing...",
    "source_page": "/property/202412345",
    "utm_source": "google",
    "utm_medium": "organic",
    "utm_campaign": "spring-2024",
}
"""The example of the Leads API document."""

JANE = {"name": "Jane Doe", "email": "jane@example.com"}
"""The least that a lead needs in the Aureum API."""

NUMBERS = count(2024)
"""What tells one form from the one before: the same form again is the same one."""

MUCH = "x" * 12_000
"""A chunk of leads with such messages is more than the sockets on the way take up: the server waits for its reader."""


@dataclass(frozen=True)
class Answer:
    """What came back; ``headers`` by name in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    """Each that it sets, as its header has it."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The text of a refusal in the Aureum dialect, which has its code and the fields that are wrong beside it."""
        assert list(self.json) in (["error", "code"], ["error", "code", "fields"]), self.body
        text: str = self.json["error"]
        return text

    @property
    def code(self) -> str:
        """The code of a refusal, in either dialect."""
        return self.headers["x-error-code"]

    @property
    def detail(self) -> Any:
        """The same in the Leads dialect."""
        assert list(self.json) == ["detail"], self.body
        return self.json["detail"]

    @property
    def ids(self) -> list[str]:
        """Of a list: what stands in it."""
        assert self.status == 200, self.body
        return [item["id"] for item in self.json]

    @property
    def etag(self) -> str:
        return self.headers["etag"]


def answer_of(response: HTTPResponse) -> Answer:
    """A whole answer, read to its end."""
    headers = response.getheaders()
    cookies = tuple(value for name, value in headers if name.lower() == "set-cookie")
    answer = Answer(response.status, {name.lower(): value for name, value in headers}, response.read(), cookies)
    check_code(answer)
    return answer


def check_code(answer: Answer) -> None:
    """Every refusal by an API has a code of ``aureum.http.wire.error_codes``, whose status it has."""
    if answer.status < 400 or answer.headers.get("content-type") != "application/json":
        return
    meaning = CODES.get(cast(Code, answer.code))
    assert meaning is not None, f"{answer.code} is not in aureum/http/wire/error_codes.py"
    assert answer.status in (meaning.status, meaning.leads_status), (answer.code, answer.status)
    if answer.body and "code" in answer.json:
        assert answer.json["code"] == answer.code


@dataclass(frozen=True)
class Server:
    """One HTTP process."""

    port: int
    process: subprocess.Popen[bytes] | Forked
    log: Path
    kept: dict[int, HTTPConnection] = field(default_factory=dict)
    """A connection for each thread that asks, as browsers and programs keep theirs."""

    def connection(self) -> HTTPConnection:
        """This thread's, which opens itself anew where the server has ended it."""
        connection = self.kept.get(threading.get_ident())
        if connection is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.kept[threading.get_ident()] = connection
        elif connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            # Between two requests nothing comes but the end.
            connection.close()
        return connection

    def disconnect(self) -> None:
        """End the connections that are kept."""
        for connection in self.kept.values():
            connection.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        host: str | None = "127.0.0.1",
    ) -> Answer:
        """One request. *body*: bytes as they are, anything else as JSON."""
        connection = self.connection()
        answered = False
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            sent = {} if host is None else {"Host": host}
            content = b""
            if body is not None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                sent |= {"Content-Type": "application/json"}
                if "Transfer-Encoding" not in (headers or {}):
                    sent |= {"Content-Length": str(len(content))}
            for name, value in (sent | dict(headers or {})).items():
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(content or None)
            answer = answer_of(connection.getresponse())
            # A server may answer before it has read a long body to its end, and end the connection then. After a length
            # that is not the body's it waits for the rest.
            answered = len(content) < READ_WHOLE and "Content-Length" not in (headers or {})
            return answer
        finally:
            if not answered:
                connection.close()

    def by_key(
        self, tenant: Tenant, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request to the Aureum API."""
        return self.ask(method, path, body, tenant.bearer | dict(headers or {}))

    def form(self, tenant: Tenant, headers: Mapping[str, str] | None = None, /, **fields: Any) -> Answer:
        """The document's contact form, with other *fields*, on the brokerage's domain: another one each time, but with
        an Idempotency-Key."""
        other = {} if "Idempotency-Key" in (headers or {}) else {"utm_campaign": f"spring-{next(NUMBERS)}"}
        return self.ask("POST", "/api/contact", FORM | other | fields, headers, host=tenant.domain)

    def lead(self, tenant: Tenant, **fields: Any) -> dict[str, Any]:
        """A new lead, as it was answered."""
        answer = self.by_key(tenant, "POST", "/api/leads", JANE | fields)
        assert answer.status == 201, answer.body
        lead: dict[str, Any] = answer.json
        return lead

    def leads(self, tenant: Tenant, query: str = "") -> list[dict[str, Any]]:
        """A list of leads."""
        answer = self.by_key(tenant, "GET", f"/api/leads{query}")
        assert answer.status == 200, answer.body
        leads: list[dict[str, Any]] = answer.json
        return leads

    def raw(self, request: bytes) -> bytes:
        """Everything that comes back until the server ends the connection, for bytes that http.client does not send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def logged(self) -> str:
        """What it has written to standard error so far."""
        return self.log.read_text()


@contextmanager
def served(
    url: str,
    open_files: int | None = None,
    model: Path | None = None,
    site: Path | None = None,
    port: int = 0,
    /,
    **settings: str,
) -> Iterator[Server]:
    """An HTTP process on a free port of the loopback address, that may open so many files; *settings* are ``AUREUM_*``
    without the prefix. *model* is where the routing model's process answers, if there is one, *site* the folder of a
    ``sitecustomize.py``, *port* that of a process before it."""
    own = {
        "DATABASE_URL": url,
        "MASTER_KEY": b64encode(MASTER_KEY).decode(),
        "BASE_DOMAIN": BASE_DOMAIN,
        # The machine may be busy: most tests ask who gets a lead, not how soon.
        "ROUTING_TIMEOUT": "5",
    } | {name.upper(): value for name, value in settings.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUREUM_")}
    with (
        tempfile.TemporaryDirectory(prefix="aureum-served-") as directory,
        socket.create_server(("127.0.0.1", port), backlog=512) as listener,
    ):
        log = Path(directory) / "stderr"
        with log.open("wb") as stderr:
            environment = inherited | {f"AUREUM_{name}": value for name, value in own.items()}
            models = [] if model is None else [str(model)]
            process = (
                fork("http", listener, models, environment, stderr, open_files)
                if site is None
                else started("http", listener, models, environment | {"PYTHONPATH": str(site)}, stderr)
            )
        server = Server(listener.getsockname()[1], process, log)
        # From now on the process alone listens: if it dies, no client waits for an answer.
        listener.close()
        try:
            # A model that loads is the only thing that it waits for without being asked again.
            until(lambda: ready(server) or model is None, server.logged)
            assert ready(server), server.logged()
            yield server
        finally:
            server.disconnect()
            process.terminate()
            assert process.stdin is not None
            process.stdin.close()
            ended = process.wait(PATIENCE)
        # Some tests kill it.
        assert ended in (0, -signal.SIGKILL), server.logged()


def started(
    kind: str, listener: socket.socket, arguments: Sequence[str], environment: Mapping[str, str], stderr: BinaryIO
) -> subprocess.Popen[bytes]:
    """A process from its first import on, as ``fork`` makes those that have imported everything."""
    return subprocess.Popen(
        [sys.executable, "-m", "aureum.processes.child", kind, str(listener.fileno()), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stderr=stderr,
        pass_fds=[listener.fileno()],
    )


def ready(server: Server) -> bool:
    """Whether it answers; it need not have begun to."""
    try:
        return server.ask("GET", "/readyz").status == 200
    except OSError:
        return False


def until(
    holds: Callable[[], bool], why: Callable[[], str] = lambda: "it did not become so", within: float = PATIENCE
) -> float:
    """Wait until a condition holds; the seconds that it took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < within, why()
        time.sleep(0.01)
    return time.monotonic() - started
