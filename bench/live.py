"""What pages that listen for changes cost: the processor time of a server and its database sessions with 200 streams on
which nothing happens; and how soon a stream, and a page that is open in Chromium, shows a lead after its commit.
"""

import asyncio
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles

import orjson
import psycopg
from playwright.sync_api import Page, sync_playwright

from aureum.app import open_store
from aureum.commands.api_keys import hash_key
from aureum.commands.users import CreateUser, create_user
from aureum.settings import Settings
from aureum.store.cipher import MasterKey
from aureum.store.metadata import COMMAND_LINE, Origin
from aureum.store.postgres.migrate import migrate
from bench.databases import database, server
from bench.load import post
from bench.panel import TOKEN
from bench.processes import MASTER_KEY, Server, aureum
from bench.rows import Row
from bench.tenants import Tenant, contact_requests, form, numbers, open_tenant

STREAMS, USERS = 200, 20
SECONDS = 20
AT_MOST = 0.03
"""Of a core."""

GATHERED_SECONDS = 0.1
"""So long a page waits for further changes before it asks for itself again (``modules/live.js``)."""

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""As in ``tests/browser``."""

WATCH = """
(name) => {
  window.shown = new Promise((resolve) => {
    const look = () =>
      document.querySelector("#unanswered")?.textContent.includes(name) && resolve(Date.now());
    new MutationObserver(look).observe(document, { childList: true, characterData: true, subtree: true });
  });
}
"""
"""The script that waits until the page lists a person under the leads without an answer."""

NEWEST = "SELECT 1000 * extract(epoch FROM max(recorded_at)) FROM events WHERE type = 'lead.captured'"

LEADS = 30
SOON_MS = 1_000.0
"""A lead is on the screen within this time; the page is asked for in it as well."""

SETTLE_SECONDS = 3.0

ON_SCREEN = "from the commit of a lead until Today, open in Chromium, shows it"


async def opened(url: str) -> tuple[Tenant, list[str]]:
    """A brokerage, and the tokens of users who are logged in."""
    await migrate(url, MasterKey(MASTER_KEY))
    async with open_store(Settings(database_url=url), url, MASTER_KEY) as store:
        tenant = await open_tenant(store, 0)
        tokens = []
        for number in range(USERS):
            joining = CreateUser(
                tenant_id=tenant.tenant_id, email=f"broker{number}@b0.example.com", name="Bo", role="broker"
            )
            user = await create_user(store, joining, Origin(COMMAND_LINE))
            tokens.append("aut_" + secrets.token_urlsafe(32))
            said = {"hash": hash_key(tokens[-1]), "tenant": tenant.tenant_id, "user": user.id}
            await store.database.rows(TOKEN, said)
    return tenant, tokens


@contextmanager
def listening(port: int, host: str, token: str) -> Iterator[socket.socket]:
    """A stream, of which the first message has come. Raises RuntimeError."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET /admin/live HTTP/1.1\r\nHost: {host}\r\nCookie: aureum={token}\r\n\r\n".encode())
        came = b""
        while b"data:" not in came:
            part = connection.recv(65536)
            if not part or not came.startswith(b"HTTP/1.1 200"[: len(came)]):
                raise RuntimeError(f"A stream is refused: {came + part!r}")
            came += part
        yield connection


def idle(served: Server, seconds: int) -> float:
    """How much of a core the server and its sessions take."""
    time.sleep(SETTLE_SECONDS)
    before, began = served.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    after = served.cpu_seconds()
    if before is None or after is None:
        raise FileNotFoundError
    return (sum(after) - sum(before)) / (time.monotonic() - began)


def told(
    served: Server, tenant: Tenant, token: str, stream: socket.socket, leads: int
) -> tuple[Sequence[float], Sequence[float]]:
    """Milliseconds from the answer to a form, which is sent after its commit: to the stream's message, and until the
    whole page is there that shows the lead, asked for as a browser does when it has heard."""
    took, shown = [], []
    lines = ("GET /admin HTTP/1.1", f"Host: {tenant.host}", f"Cookie: aureum={token}", "Connection: close", "", "")
    asking = "\r\n".join(lines).encode()
    for request in contact_requests([tenant], leads):
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(request)
            answer = connection.recv(65536)
            began = time.perf_counter()
            if b" 200 " not in answer[:20]:
                raise RuntimeError(f"A form is refused: {answer[:300]!r}")
        while b"leads" not in stream.recv(65536):
            pass
        took.append((time.perf_counter() - began) * 1_000)
        time.sleep(GATHERED_SECONDS)
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(asking)
            page = b""
            while part := connection.recv(65536):
                page += part
        shown.append((time.perf_counter() - began) * 1_000)
        if b" 200 " not in page[:20] or b"</html>" not in page:
            raise RuntimeError(f"The page is refused: {page[:300]!r}")
        time.sleep(0.2)
    return took, shown


@contextmanager
def today_in_chromium(port: int, token: str) -> Iterator[Page]:
    """Today, open in Chromium, with its stream. At this machine's own name, where tabs share one, as over https."""
    site = f"http://localhost:{port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        context.add_cookies([{"name": "aureum", "value": token, "url": site}])
        page = context.new_page()
        with page.expect_request("**/admin/live*"):
            page.goto(f"{site}/admin")
        page.locator("#unanswered").wait_for()
        yield page
        browser.close()


def on_screen(served: Server, tenant: Tenant, page: Page, leads: int) -> Sequence[float]:
    """Milliseconds from the commit of a lead until an open page of Chromium shows it."""
    took = []
    for place in range(leads):
        person = {"firstName": f"Nora{place}", "lastName": "Screen"}
        page.evaluate(WATCH, " ".join(person.values()))
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(post(tenant.host, "/api/contact", orjson.dumps(form(next(numbers)) | person)))
            answer = connection.recv(65536)
        if b" 200 " not in answer[:20]:
            raise RuntimeError(f"A form is refused: {answer[:300]!r}")
        shown: float = page.evaluate("() => window.shown")
        took.append(shown - committed_ms(served.url))
    return took


def committed_ms(url: str) -> float:
    """When the newest lead was recorded, just before its commit; in milliseconds of this machine's clock."""
    with psycopg.connect(url) as connection:
        found = connection.execute(NEWEST).fetchone()
    assert found is not None
    return float(found[0])


def run(*, quick: bool = False) -> list[Row]:
    """About a minute."""
    streams, seconds, leads = (40, 5, 5) if quick else (STREAMS, SECONDS, LEADS)
    what = f"processor time of a server and its database with {streams} streams on which nothing happens"
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "live") as url,
        ExitStack() as stack,
    ):
        tenant, tokens = asyncio.run(opened(url))
        served = stack.enter_context(aureum(url, Path(directory)))
        try:
            without = idle(served, seconds)
        except FileNotFoundError:
            return [Row(what, "left out: this system has no /proc")]
        open_streams = [
            stack.enter_context(listening(served.port, tenant.host, tokens[number % USERS]))
            for number in range(streams)
        ]
        share = idle(served, seconds)
        took, shown = told(served, tenant, tokens[0], open_streams[0], leads)
        seen = None
        if Path(CHROMIUM).exists():
            with today_in_chromium(served.port, tokens[1]) as page:
                seen = on_screen(served, tenant, page, leads)
    return [
        Row(
            what,
            f"{share:.2%} of a core",
            f"{without:.2%} without streams",
            f"{max(0.0, share - without):.2%} more",
            f"< {AT_MOST:.0%}",
            share < AT_MOST,
        ),
        soon("from the answer to a form to the message on a stream", took),
        soon("from the answer to a form to the page that shows the lead", shown),
        Row(ON_SCREEN, "left out: there is no Chromium") if seen is None else soon(ON_SCREEN, seen),
    ]


def soon(what: str, took: Sequence[float]) -> Row:
    """How long *what* *took*, in milliseconds."""
    slow = quantiles(took, n=20)[-1]
    middle = f"median {quantiles(took, n=2)[0]:.0f} ms"
    return Row(what, middle, "", f"p95 {slow:.0f} ms", f"< {SOON_MS:,.0f} ms", slow < SOON_MS)
