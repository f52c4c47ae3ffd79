"""Behind a real PgBouncer in transaction mode everything works by default, and goes on when the pooler is restarted."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.conftest import fresh_database
from tests.e2e.system import Running, eventually, system
from tests.e2e.test_story import FORM, inbox
from tests.pgbouncer import SESSIONS, Pooler, pgbouncer

CLIENTS = 4 * SESSIONS


@pytest.fixture
def pooler(server_url: str, template: str) -> Iterator[Pooler]:
    with fresh_database(server_url, template) as url, pgbouncer(url) as made:
        yield made


def asked(serving: Running, bearer: dict[str, str]) -> Counter[tuple[str, int]]:
    """What a client is answered: forms, lists, a new contact and a change of it."""
    found: Counter[tuple[str, int]] = Counter()
    for _ in range(4):
        answer = serving.ask("POST", "/api/contact", FORM | {"message": uuid4().hex})
        found["form", answer.status] += 1
        for path in ("/api/leads?limit=5", "/api/leads?search=hopper", "/api/properties", "/api/tasks?status=pending"):
            found["list", serving.ask("GET", path, headers=bearer).status] += 1
        answer = serving.ask("POST", "/api/contacts", {"firstName": "Ada", "lastName": "Byron"}, bearer)
        found["contact", answer.status] += 1
        path = f"/api/contacts/{answer.json['id']}"
        found["change", serving.ask("PATCH", path, {"lastName": "Lovelace"}, bearer).status] += 1
    return found


def test_it_works_by_default_and_the_pooler_may_be_restarted(pooler: Pooler) -> None:
    settings = {"AUREUM_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8", "AUREUM_FORM_RATE_LIMIT": "0"}
    with system(pooler.url, **settings) as home, inbox() as consumer:
        refused = home.run("migrate")
        assert refused.code == 1 and "connection pooler" in refused.err
        demo = home.json("demo")
        serving = home.serve()
        token = serving.ask("POST", "/api/v1/auth/login", demo["admin"]).json["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        hook = {"url": consumer.url, "events": ["lead.created"]}
        assert serving.ask("POST", "/api/webhooks", hook, bearer).status == 201
        before = serving.ask("GET", "/api/leads/count").json["total"]
        with ThreadPoolExecutor(CLIENTS) as pool:
            answered = sum(pool.map(lambda _: asked(serving, bearer), range(CLIENTS)), Counter[tuple[str, int]]())
        forms = 4 * CLIENTS
        assert answered == {
            ("form", 200): forms,
            ("list", 200): 4 * forms,
            ("contact", 201): forms,
            ("change", 200): forms,
        }
        assert serving.ask("GET", "/api/leads/count").json["total"] == before + forms
        eventually(lambda: len(consumer.received) >= forms)
        assert len({event["id"] for event in consumer.events()}) == forms
        assert {line["prepared_statements"] for line in serving.logged() if line["event"] == "pooler_found"} == {False}

        pooler.stop()
        away = serving.ask("GET", "/api/leads/count")
        assert away.status == 503 and "retry-after" in away.headers
        pooler.start()
        eventually(lambda: serving.ask("POST", "/api/contact", FORM | {"message": uuid4().hex}).status == 200)
        assert serving.ask("GET", "/api/leads/count").status == 200
        eventually(lambda: len(consumer.received) > forms)
        assert serving.stop() == 0
