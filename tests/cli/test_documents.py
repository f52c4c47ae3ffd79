"""What scripts rely on: with ``--json`` one document on standard output, and nothing else."""

import re
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg import sql

from aureum.domain.ids import from_wire, to_wire
from aureum.store.postgres.migrate import migrations
from tests.cli.conftest import Terminal
from tests.conftest import execute, with_database

WIRE_ID = re.compile(r"c[0-9a-z]{25}")


def test_brokerages(terminal: Terminal) -> None:
    slug = f"b-{uuid4().hex}"
    created = terminal.json(
        "brokerage", "create", "--name", "Snake & Söhne", "--slug", slug, "--plan", "GROW",
        "--domain", f"WWW.{slug[:20]}.example.com.", "--domain", f"{slug[:20]}.example.com",
        "--time-zone", "Europe/Berlin", "--country", "de", "--private-count",
    )  # fmt: skip
    assert set(created) == {"id", "slug"} and isinstance(created["id"], int) and created["slug"] == slug
    (listed,) = [one for one in terminal.json("brokerage", "list") if one["slug"] == slug]
    domains = [f"www.{slug[:20]}.example.com", f"{slug[:20]}.example.com"]
    assert listed == {
        "id": created["id"], "slug": slug, "name": "Snake & Söhne", "plan": "Grow", "domains": domains,
        "disabled": False,
    }  # fmt: skip
    assert terminal.json("brokerage", "plan", slug, "elite") == {"slug": slug, "plan": "Elite", "disabled": False}
    for _ in range(2):  # what holds already is a success
        assert terminal.json("brokerage", "disable", slug)["disabled"] is True
    assert terminal.json("brokerage", "enable", slug) == {"slug": slug, "plan": "Elite", "disabled": False}
    with psycopg.connect(terminal.url) as connection:
        query = "SELECT domain FROM domains JOIN brokerages USING (tenant_id) WHERE slug = %s ORDER BY domain"
        domains = [domain for (domain,) in connection.execute(query, [slug])]
        row = connection.execute(
            "SELECT country, time_zone, public_lead_count FROM brokerages WHERE slug = %s", [slug]
        ).fetchone()
    assert domains == [f"{slug[:20]}.example.com", f"www.{slug[:20]}.example.com"]
    assert row == ("DE", "Europe/Berlin", False)


@pytest.mark.parametrize("rest", ["", "\n", "\r\n", "\nnot this line\n"])
def test_a_user_whose_password_is_a_line_of_standard_input(terminal: Terminal, rest: str) -> None:
    slug, email = terminal.brokerage(), f"{uuid4().hex}@example.com"
    password = "correct horse battery stäple "
    created = terminal.json(
        "user", "create", "--brokerage", slug, "--email", f" {email.upper()} ", "--name", "Ana", "--role", "agent",
        "--specialty", "downtown", "--specialty", "condo", "--password-stdin", stdin=password + rest,
    )  # fmt: skip
    assert set(created) == {"id", "number"} and WIRE_ID.fullmatch(created["id"])
    with psycopg.connect(terminal.url) as connection:
        row = connection.execute(
            "SELECT user_id, number, password_hash, specialties, takes_leads FROM users WHERE email = %s", [email]
        ).fetchone()
    assert row is not None
    user_id, number, password_hash, specialties, takes_leads = row
    assert (user_id, number) == (from_wire(created["id"]), created["number"])
    assert (specialties, takes_leads) == (["downtown", "condo"], True)
    assert password_hash.startswith("$argon2id$") and PasswordHasher().verify(password_hash, password)


def test_a_platform_admin_has_no_brokerage_and_needs_no_password(terminal: Terminal) -> None:
    email = f"{uuid4().hex}@example.com"
    created = terminal.json("user", "create", "--email", email, "--name", "P", "--role", "platform_admin")
    assert isinstance(created["number"], int)


def test_api_keys(terminal: Terminal) -> None:
    slug = terminal.brokerage("starter")  # a key can be made under any plan
    created = terminal.json("api-key", "create", "--brokerage", slug, "--name", "Website", "--rate-limit", "250")
    assert set(created) == {"id", "key"} and created["key"].startswith("aur_") and len(created["key"]) == 47
    (listed,) = terminal.json("api-key", "list", "--brokerage", slug)
    about = {"name": "Website", "prefix": created["key"][:12], "rateLimit": 250}
    about |= {"lastUsedAt": None, "expiresAt": None}
    assert listed == {"id": created["id"], **about, "revoked": False}
    for _ in range(2):
        assert terminal.json("api-key", "revoke", created["id"], "--brokerage", slug, "--yes")["revoked"] is True
    assert terminal.json("api-key", "list", "--brokerage", slug) == [{"id": created["id"], **about, "revoked": True}]


def test_webhooks(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    created = terminal.json(
        "webhook", "create", "--brokerage", slug, "--url", "https://example.com/hooks",
        "--event", "lead.created", "--event", "lead.updated",
    )  # fmt: skip
    assert set(created) == {"id", "secret"} and re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", created["secret"])
    assert WIRE_ID.fullmatch(created["id"])
    of = ("--brokerage", slug)
    (listed,) = terminal.json("webhook", "list", *of)
    assert (listed["id"], listed["status"], listed["events"]) == (
        created["id"], "enabled", ["lead.created", "lead.updated"]
    )  # fmt: skip
    for _ in range(2):
        assert terminal.json("webhook", "disable", created["id"], *of) == {"id": created["id"], "disabled": True}
    assert terminal.json("webhook", "list", *of)[0]["disabledReason"] == "staff"
    for _ in range(2):
        assert terminal.json("webhook", "enable", created["id"], *of) == {"id": created["id"], "disabled": False}
    rotated = terminal.json("webhook", "rotate-secret", created["id"], *of)
    assert set(rotated) == {"id", "secret", "secretOverlapUntil"} and rotated["secret"] != created["secret"]
    assert terminal.json("webhook", "list", *of)[0]["secretOverlapUntil"] == rotated["secretOverlapUntil"]
    at_once = terminal.json("webhook", "rotate-secret", created["id"], *of, "--overlap-hours", "0", "--yes")
    assert at_once["secretOverlapUntil"] is None and at_once["secret"] != rotated["secret"]
    assert terminal.json("webhook", "remove", created["id"], *of, "--yes") == {"id": created["id"], "removed": True}
    assert terminal.json("webhook", "list", *of) == []


def test_projections(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    listed = {one["name"]: one for one in terminal.json("projections", "list")}
    assert listed["lead_list"]["rebuildable"] is True and listed["brokerages"]["rebuildable"] is False
    assert listed["brokerages"]["rows"] >= 1
    (rebuilt,) = terminal.json("projections", "rebuild", "lead_counts", "lead_counts", "--brokerage", slug)
    assert set(rebuilt) == {"brokerage", "name", "events", "rows", "seconds"}
    assert (rebuilt["brokerage"], rebuilt["name"], rebuilt["events"]) == (slug, "lead_counts", 0)
    terminal.capture(slug)
    listed = {one["name"]: one for one in terminal.json("projections", "list")}
    counts = listed["lead_counts"]
    assert (counts["kind"], counts["lag"], counts["olderStep"]) == ("read model", 0, 0)
    assert counts["step"] >= 1 and counts["rebuiltAt"] is not None and listed["users"]["step"] is None
    mail = listed["mail"]
    assert mail["kind"] == "follower" and mail["lag"] >= 1 and mail["oldest"] is not None, "no worker is running"


def test_a_read_model_that_is_not_what_the_log_says(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug, email="jane@example.com")
    verify = ("projections", "rebuild", "--verify", "--brokerage", slug)
    assert {one["differences"] for one in terminal.json(*verify)} == {0}
    with psycopg.connect(terminal.url) as connection:
        connection.execute("UPDATE lead_list SET source = 'forged' WHERE lead_id = %s", [lead.id])
    ended = terminal.run(*verify, "lead_list", "--json")
    assert (ended.code, ended.json) == (
        1,
        [
            {
                "read_model": "lead_list",
                "brokerage": slug,
                "compared": 1,
                "differences": 1,
                "rows": [{"id": to_wire(lead.id), "difference": "different", "columns": ["source"]}],
            }
        ],
    )
    people = terminal.run(*verify)
    assert people.code == 1 and "differences: 1." in people.out and "jane" not in people.out
    terminal.json("projections", "rebuild", "lead_list", "--brokerage", slug)
    assert {one["differences"] for one in terminal.json(*verify)} == {0}, "a rebuild mends it"


def test_settings(terminal: Terminal) -> None:
    lines = {line["name"]: line for line in terminal.json("settings")}
    assert lines["AUREUM_FORM_RATE_LIMIT"]["value"] == "30"
    assert lines["AUREUM_MASTER_KEY"]["value"] == "set, not shown"
    assert all(set(line) == {"name", "meaning", "default", "value"} for line in lines.values())


def test_rows_of_an_older_step_are_not_served(terminal: Terminal) -> None:
    terminal.capture(terminal.brokerage())
    with psycopg.connect(terminal.url) as connection:
        connection.execute("UPDATE heads SET lead_list_step = 0")
    refused = terminal.run("brokerage", "list")
    told = "The database is not up to date: the rebuild of lead_list must run first. Run: aureum migrate\n"
    assert (refused.code, refused.out, refused.err) == (1, "", told)
    assert terminal.json("migrate") == {"ran": ["the rebuild of lead_list"]}
    assert terminal.json("migrate") == {"ran": []}
    assert terminal.json("brokerage", "list") != []


def test_migrate(terminal: Terminal, server_url: str) -> None:
    """On an empty database everything runs, then nothing; until then other commands say what to do."""
    name = f"aureum_test_{uuid4().hex}"
    execute(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", with_database(server_url, name))
    try:
        refused = terminal.run("brokerage", "list")
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("The database is not up to date: 0001_store.sql,")
        assert refused.err.endswith("Run: aureum migrate\n")
        names = [name for _, name, _ in migrations()]
        assert terminal.json("migrate") == {"ran": [*names, "tables", "functions"]}
        assert terminal.json("migrate") == {"ran": []}
        assert terminal.run("migrate").out == "The database is up to date.\n"
        assert terminal.json("brokerage", "list") == []
        with psycopg.connect(with_database(server_url, name)) as connection:
            connection.execute("UPDATE installed_functions SET digest = 'of another version'")
        assert "functions must run first" in terminal.run("brokerage", "list").err
    finally:
        execute(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_the_audit_of_a_lead_by_id_and_by_number(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    lead = terminal.capture(slug)
    by_number, by_id = (terminal.json("audit", "lead", text) for text in (str(lead.number), to_wire(lead.id)))
    assert by_number == by_id and set(by_id) == {"id", "events", "state"}
    assert by_id["id"] == by_id["state"]["id"] == to_wire(lead.id)
    (event,) = by_id["events"]
    assert set(event) == {"version", "type", "at", "actor", "request", "address", "changes"}
    assert event["type"] == "lead.captured"
    assert event["changes"]["message"] == {"from": None, "to": lead.message}
    everything = terminal.json("audit", "verify")
    assert everything["ok"] is True and everything["events"] > 1
    assert terminal.json("audit", "verify", "--brokerage", slug) == {"ok": True, "events": 1}
