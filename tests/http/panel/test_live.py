"""The stream of changes that open pages listen to: who hears what, how soon, and when it ends."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from aureum.domain.ids import PLATFORM
from tests.http.operator import Operator, Staff, Tenant
from tests.http.panel.reader import Reader, as_staff
from tests.http.serving import PATIENCE, Server, served, until

HERE = "/admin/live"


@dataclass
class Listening:
    """A connection that listens, and what has come so far."""

    connection: socket.socket
    came: str = ""

    def heard(self) -> list[tuple[int, list[str]]]:
        """The position and the names of each whole message that has come."""
        found = []
        for one in self.came.replace("\r\n", "\n").split("\n\n"):
            said = dict(line.split(": ", 1) for line in one.splitlines() if line.startswith(("id: ", "data: ")))
            if len(said) == 2:
                found.append((int(said["id"]), json.loads(said["data"])["resources"]))
        return found

    def next(self, after: int = 0) -> tuple[int, list[str]]:
        """The first message beyond so many."""
        while len(self.heard()) <= after:
            part = self.connection.recv(65536)
            self.came += part.decode()
            assert part and self.came.startswith("HTTP/1.1 200 OK\r\n"), self.came
        return self.heard()[after]

    def ends(self) -> bool:
        """Whether the server has ended the stream, which is waited for."""
        while not self.came.endswith("\r\n0\r\n\r\n"):
            part = self.connection.recv(65536)
            if not part:
                return False
            self.came += part.decode()
        return True


@contextmanager
def listening(server: Server, reader: Reader, query: str = "", **headers: str) -> Iterator[Listening]:
    """A stream of a user who is logged in, of which the head and the first message have come."""
    cookie = "; ".join(f"{name}={value}" for name, value in reader.cookies.items())
    sent = {"Host": reader.host, "Cookie": cookie, "Accept-Encoding": "gzip, br"} | headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET {HERE}{query} HTTP/1.1\r\n{lines}\r\n".encode())
        one = Listening(connection)
        one.next()
        assert "content-type: text/event-stream" in one.came and "retry: 1000\n" in one.came
        yield one


@pytest.fixture
def agent(operator: Operator, tenant: Tenant) -> Staff:
    return operator.staff(tenant.id, "agent", "Ana Agent")


def test_who_listens_hears_the_names_of_what_changes(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader, agent: Staff
) -> None:
    other = operator.brokerage()
    with listening(server, owner) as boss, listening(server, as_staff(server, agent)) as ana:
        head = operator.head(tenant)
        assert boss.next() == ana.next() == (head, [])
        server.lead(other)
        server.by_key(tenant, "POST", "/api/webhooks", {"url": "https://example.com/", "events": ["lead.created"]})
        assert boss.next(1) == (head + 1, ["webhooks"])
        server.lead(tenant)
        assert boss.next(2) == (head + 2, ["leads"])
        # An agent hears nothing of what only owners have.
        assert ana.next(1) == (head + 2, ["leads"])
        assert "Jane" not in boss.came + ana.came
        assert server.by_key(tenant, "POST", "/api/tasks", {"title": "Call"}).status == 201
        assert boss.next(3) == ana.next(2) == (head + 3, ["tasks"])
        assert len(boss.heard()) == 4


def test_a_browser_that_comes_back_has_missed_nothing(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    page = owner.get("/admin").body.decode()
    head = operator.head(tenant)
    assert f' data-position="{head}"' in page
    server.lead(tenant)
    for query, headers in ((f"?since={head}", {}), ("?since=1", {"Last-Event-ID": str(head)})):
        with listening(server, owner, query, **headers) as again:
            assert again.next(1) == (head + 1, ["leads"])
    # Of a log that has gone on for long, all is said to have changed.
    operator.fill(tenant, 1_001)
    with listening(server, owner, f"?since={head}") as late:
        assert {"leads", "users", "webhooks"} <= set(late.next(1)[1])
    # A position that the log does not have yet is none.
    with listening(server, owner, f"?since={10**15}") as wrong:
        assert wrong.next() == (operator.head(tenant), [])


def test_a_stream_ends_with_its_session(server: Server, operator: Operator, tenant: Tenant, agent: Staff) -> None:
    reader = as_staff(server, agent)
    with listening(server, reader) as one:
        boss = operator.staff(tenant.id, "brokerage_owner")
        answer = server.ask("PATCH", f"/api/v1/admin/users/{agent.number}", {"disabled": True}, boss.bearer)
        assert answer.status == 200, answer.body
        assert one.ends()
    # Asked again, a browser is told to stop.
    assert (reader.get(HERE).status, Reader(server).get(HERE).status) == (204, 204)
    assert server.ask("POST", HERE, host=tenant.domain).status == 405


def test_a_logout_ends_the_stream(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    with listening(server, owner) as one:
        owner.send("/admin/logout")
        # A change of any user has all sessions looked at, at once.
        operator.staff(tenant.id, "agent")
        assert one.ends()


def test_a_platform_admin_listens_to_the_brokerage_that_is_chosen(
    server: Server, operator: Operator, tenant: Tenant
) -> None:
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin"))
    assert admin.get(HERE).status == 204
    number = operator.rows("SELECT number FROM brokerages WHERE tenant_id = %(tenant)s", tenant=tenant.id)[0][0]
    with listening(server, admin, f"?of={number}") as one:
        server.lead(tenant)
        assert one.next(1)[1] == ["leads"]
    # Of another brokerage than one's own only they hear.
    ana = as_staff(server, operator.staff(operator.brokerage().id, "agent"))
    with listening(server, ana, f"?of={number}") as other:
        server.lead(tenant)
        admin_heard = operator.head(tenant)
        assert other.next()[0] < admin_heard and len(other.heard()) == 1


def test_a_user_has_so_many_streams_and_no_more(server: Server, owner: Reader) -> None:
    opened = [listening(server, owner) for _ in range(20)]
    try:
        for one in opened:
            one.__enter__()
        refused = owner.get(HERE)
        assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    finally:
        for one in opened:
            one.__exit__(None, None, None)
    # The server notices that they have gone.
    until(lambda: opens(server, owner))


def opens(server: Server, reader: Reader) -> bool:
    """Whether a stream can be opened."""
    try:
        with listening(server, reader):
            return True
    except AssertionError:
        return False


def test_a_server_that_stops_ends_all_streams_at_once(served_url: str, operator: Operator, tenant: Tenant) -> None:
    boss = operator.staff(tenant.id, "brokerage_owner")
    with served(served_url) as own, listening(own, as_staff(own, boss)) as one:
        own.process.terminate()
        assert one.ends()
        assert own.process.wait(PATIENCE) == 0
