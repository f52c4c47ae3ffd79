"""Where a user is logged in, and ending that; when keys and sessions were last used."""

import asyncio
from datetime import UTC, datetime, timedelta

from aureum.commands.api_keys import hash_key
from aureum.http.access.devices import device_of
from aureum.http.access.uses import EACH_SECONDS, Uses
from aureum.store.event_store import EventStore
from tests.http.api.staff.logins import PASSWORD, joined, log_in, opens
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, led_to
from tests.http.panel.test_login import log_in as log_in_page
from tests.http.serving import Server

PATH = "/api/me/sessions"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
    "Mobile/15E148 Safari/604.1"
)


def test_devices_in_words() -> None:
    assert device_of(CHROME) == "Chrome on Windows"
    assert device_of(IPHONE) == "Safari on iPhone"
    assert device_of(CHROME + " Edg/140.0") == "Edge on Windows"
    assert device_of("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0") == "Firefox on Linux"
    assert device_of("python-httpx/0.28") == "python-httpx"
    for unknown in (None, "", "Mozilla/5.0", "<script>/1", "x" * 900 + "Firefox/1"):
        assert device_of(unknown) == "An unknown program"


def test_listed_and_ended(proxied: Server, operator: Operator, tenant: Tenant) -> None:
    user, other = joined(operator, tenant.id), joined(operator, tenant.id)
    agents = [(CHROME, "203.0.113.5"), (IPHONE, "203.0.113.6"), ("curl/8", "2001:db8::1")]
    tokens = []
    for user_agent, address in agents:
        answer = log_in(proxied, user.email, **{"User-Agent": user_agent, "X-Forwarded-For": address})
        tokens.append({"Authorization": f"Bearer {answer.json['token']}"})
    stranger = {"Authorization": f"Bearer {log_in(proxied, other.email).json['token']}"}

    mine = proxied.ask("GET", PATH, headers=tokens[1]).json

    assert (mine[0]["device"], mine[0]["address"]) == ("Safari on iPhone", "203.0.113.6")
    assert [one["current"] for one in mine] == [True, False, False]
    assert {one["address"] for one in mine} == {"203.0.113.5", "203.0.113.6", "2001:db8::/64"}
    assert len(proxied.ask("GET", PATH, headers=stranger).json) == 1
    for gone in (f"{PATH}/{mine[1]['id']}", f"{PATH}/{mine[1]['id']}"):
        assert proxied.ask("DELETE", gone, headers=stranger).status == 404, "another user's is not there"
    first = next(one["id"] for one in mine if one["device"] == "Chrome on Windows")
    assert proxied.ask("DELETE", f"{PATH}/{first}", headers=tokens[1]).json == {"success": True}
    assert [opens(proxied, token) for token in tokens] == [False, True, True]
    assert proxied.ask("DELETE", f"{PATH}/{first}", headers=tokens[1]).status == 404
    assert proxied.ask("DELETE", PATH, headers=tokens[1]).json == {"ended": 1}
    assert [opens(proxied, token) for token in (*tokens, stranger)] == [False, True, False, True]


def test_the_page(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, here, there = joined(operator, tenant.id), Reader(server), Reader(server)
    for reader in (here, there):
        log_in_page(reader, user.email, PASSWORD, **{"User-Agent": IPHONE})
    page = here.read("/admin/account/sessions")
    assert page.said("strong")[-2:] == ["Safari on iPhone"] * 2 and "this session" in page.said("span", class_="badge")
    own, another = [form.action for form in page.forms if form.action.endswith("/end")]

    done = here.follow(here.send(another))

    assert done.said("p", role="status") == ["The session was ended."]
    assert there.get("/admin").status == 303 and led_to(here.send(another)) == "/admin/account/sessions"
    log_in_page(there, user.email, PASSWORD)
    here.follow(here.send("/admin/account/sessions/end-others"))
    assert there.get("/admin").status == 303 and here.get("/admin").status == 200
    assert led_to(here.send(own)) == "/admin/login" and here.cookies == {}


def test_when_a_key_and_a_session_were_last_used(server: Server, operator: Operator, tenant: Tenant) -> None:
    async def noted(store: EventStore) -> list[int]:
        moment, written = [0.0], []
        uses = Uses(store.database, lambda: moment[0])
        for seconds in (0.0, EACH_SECONDS - 1, EACH_SECONDS):
            moment[0] = seconds
            uses.used(b"x")
            written.append(len(uses.unwritten))
            uses.unwritten.clear()
        return written

    assert operator.run(noted) == [1, 0, 1], "once a minute"
    user = joined(operator, tenant.id)
    token = log_in(server, user.email).json["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    owner = operator.staff(tenant.id, "brokerage_owner")
    assert server.ask("GET", "/api/v1/admin/api-keys", headers=owner.bearer).json["items"][0]["last_used_at"] is None

    server.by_key(tenant, "GET", "/api/me")
    server.ask("GET", "/api/me", headers=bearer)

    async def until_written(store: EventStore) -> None:
        for table, name, hash in (
            ("user_tokens", "token_hash", hash_key(token)),
            ("api_keys", "key_hash", hash_key(tenant.key)),
        ):
            query = f"SELECT used_at FROM {table} WHERE {name} = %(hash)s AND used_at IS NOT NULL"
            for _ in range(400):
                if await store.database.rows(query, {"hash": hash}):
                    break
                await asyncio.sleep(0.05)

    operator.run(until_written)
    (key,) = server.ask("GET", "/api/v1/admin/api-keys", headers=owner.bearer).json["items"]
    assert key["last_used_at"] is not None
    assert server.ask("GET", PATH, headers=bearer).json[0]["lastUsedAt"] >= key["created_at"][:10]


def test_a_key_expires(server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, keys = operator.staff(tenant.id, "brokerage_owner"), "/api/v1/admin/api-keys"
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    assert server.ask("POST", keys, {"name": "Old", "expires_at": past}, owner.bearer).status == 422
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = server.ask("POST", keys, {"name": "Soon", "expires_at": soon}, owner.bearer).json
    assert made["expires_at"][:16] == soon[:16]
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert opens(server, bearer)

    operator.rows("UPDATE api_keys SET expires_at = now() WHERE key_hash = %(h)s", h=hash_key(made["key"]))

    for _ in range(2):
        assert not opens(server, bearer)
    assert opens(server, tenant.bearer)
