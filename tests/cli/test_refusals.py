"""Every refusal is a plain sentence on standard error, and an exit code other than 0. On standard output is nothing, or
under ``--json`` a document that says the same.
"""

import socket
from base64 import b64encode
from collections.abc import Sequence
from uuid import uuid4

import psycopg
import pytest

from tests.cli.conftest import Terminal
from tests.e2e.system import Ended

NOBODYS = "c03ha4n1grwsc3clkocfi4dge3"
"""An id that nothing has."""
NEW = ("brokerage", "create", "--name", "B", "--plan", "grow")
USER = ("user", "create", "--name", "U")
HOOK = ("webhook", "create", "--brokerage", "SLUG", "--event", "lead.created", "--url")

REFUSED = [
    (("brokerage", "plan", "nobody", "grow"), "There is no brokerage with the slug 'nobody'."),
    (("brokerage", "disable", "nobody"), "There is no brokerage with the slug 'nobody'."),
    (("user", "create", "--brokerage", "nobody", "--name", "U", "--email", "u@example.com", "--role", "agent"),
     "There is no brokerage with the slug 'nobody'."),
    (("api-key", "create", "--brokerage", "nobody", "--name", "K"), "There is no brokerage with the slug 'nobody'."),
    (("webhook", "create", "--brokerage", "nobody", "--url", "https://example.com", "--event", "lead.created"),
     "There is no brokerage with the slug 'nobody'."),
    (("projections", "rebuild", "--brokerage", "nobody"), "There is no brokerage with the slug 'nobody'."),
    (("audit", "verify", "--brokerage", "nobody"), "There is no brokerage with the slug 'nobody'."),
    ((*NEW, "--slug", "SLUG"), "This slug is already taken"),
    ((*NEW, "--slug", "FREE", "--domain", "taken.example.com"), "This domain already belongs to a brokerage."),
    *(((*NEW, "--slug", slug), "slug must be 1-63 of a-z, 0-9 and -, and none of www, api, admin, app.")
      for slug in ("www", "api", "admin", "app", "Big", "a_b", "-a", "a-", "a.b", "", "a" * 64, "ü")),
    *(((*NEW, "--slug", "FREE", "--domain", domain), "domain must be a name such as www.example.com, not ")
      for domain in ("192.0.2.1", "[2001:db8::1]", "2001:db8::1", "localhost", "a b.example.com", "", "*.example.com",
                     "https://www.example.com", "www.example.com/path", "example.com, example.org", "1.2.3", "x.127")),
    *(((*NEW, "--slug", "FREE", "--domain", domain), "domain must not be crm.example.org or one of its subdomains")
      for domain in ("crm.example.org", "CRM.example.org.", "demo.crm.example.org", "a.b.crm.example.org")),
    (("brokerage", "create", "--name", "B", "--slug", "FREE", "--plan", "gold"),
     "plan must be one of: starter, grow, elite."),
    (("brokerage", "plan", "SLUG", "gold"), "plan must be one of: starter, grow, elite."),
    (("brokerage", "create", "--name", " ", "--slug", "FREE", "--plan", "grow"), "name must not be blank."),
    ((*NEW, "--slug", "FREE", "--time-zone", "Mars/Base"), "time zone must be an IANA name such as America/Boise."),
    ((*NEW, "--slug", "FREE", "--country", "Atlantis"), "country must be two letters"),
    ((*USER, "--email", "taken@example.com", "--role", "agent"), "A user with this email address already exists."),
    ((*USER, "--email", "TAKEN@example.com", "--role", "broker"), "A user with this email address already exists."),
    ((*USER, "--email", "nobody", "--role", "agent"), "email must be a valid email address."),
    ((*USER, "--email", "a@example.com", "--role", "boss"),
     "role must be one of: platform_admin, brokerage_owner, broker, agent."),
    (("api-key", "create", "--brokerage", "SLUG", "--name", "K", "--rate-limit", "0"), "rate limit must be from 1 to"),
    (("api-key", "create", "--brokerage", "SLUG", "--name", " "), "name must not be blank."),
    (("api-key", "revoke", "nonsense", "--brokerage", "SLUG", "--yes"), "That is not the id of an API key."),
    (("api-key", "revoke", NOBODYS, "--brokerage", "SLUG", "--yes"), "There is no such API key."),
    *(((*HOOK, url), "url must ")
      for url in ("ftp://example.com", "https://user:secret@example.com", "http://127.0.0.1", "http://10.0.0.1",
                  "http://localhost:9000", "http://169.254.169.254/latest", "http://2130706433", "http://db.internal",
                  "https://[::1]", "/hooks")),
    *(((*HOOK, f"https://{host}/hooks"), "url must not lead back to Aureum itself")
      for host in ("crm.example.org", "demo.crm.example.org", "A.b.CRM.example.org:8443")),
    *((("webhook", *command, "nonsense", "--brokerage", "SLUG"), "That is not the id of a webhook.")
      for command in (["enable"], ["disable"], ["remove", "--yes"], ["rotate-secret"])),
    *((("webhook", *command, NOBODYS, "--brokerage", "SLUG"), "There is no such webhook.")
      for command in (["enable"], ["disable"], ["remove", "--yes"], ["rotate-secret"])),
    (("webhook", "list", "--brokerage", "nobody"), "There is no brokerage with the slug 'nobody'."),
    (("webhook", "create", "--brokerage", "SLUG", "--url", "https://example.com", "--event", "lead.lost"),
     "events must be some of: lead.created,"),
    (("audit", "lead", "999999999"), "There is no lead '999999999'."),
    (("audit", "lead", NOBODYS), "There is no lead 'c"),
    (("audit", "lead", "nonsense"), "There is no lead 'nonsense'. Give its id (c...) or its number."),
    (("audit", "lead", "9" * 400), "There is no lead '999"),
    *((("audit", "lead", "1", "--as-of", moment),
       "as-of must be a time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31.")
      for moment in ("yesterday", "", "2026-13-01T00:00:00Z", "12")),
    (("projections", "rebuild", "users"), "The read model must be one of: lead_list, lead_counts, contact_list,"),
]  # fmt: skip
"""A command and how its refusal begins. SLUG is a brokerage's, FREE nobody's."""

MISUSED = [
    (("nonsense",), "No such command 'nonsense'."),
    (("serve", "--workers", "0"), "Invalid value for '--workers'"),
    (("serve", "--port", "70000"), "Invalid value for '--port'"),
    (("api-key", "create", "--brokerage", "b"), "Missing option '--name'."),
    (("audit", "lead"), "Missing argument 'ID'."),
    (("settings", "--yaml"), "No such option: --yaml"),
]


@pytest.fixture(scope="module")
def slug() -> str:
    return f"b-{uuid4().hex}"


FURNISHED: set[str] = set()
"""What the tests of this process have made."""


@pytest.fixture
def furnished(terminal: Terminal, slug: str) -> Terminal:
    """With one brokerage and one user, made by the first test that asks."""
    if slug not in FURNISHED:
        FURNISHED.add(slug)
        terminal.json(
            "brokerage", "create", "--name", "B", "--slug", slug, "--plan", "elite", "--domain", "taken.example.com"
        )
        terminal.json("user", "create", "--email", "taken@example.com", "--name", "T", "--role", "platform_admin")
    return terminal


def one_sentence(ended: Ended) -> str:
    """What a refusal said. Fails unless that is one line for a person, and so says the document, if there is one."""
    assert not ended.out or ended.json == {"error": ended.err.rstrip("\n")}, ended
    assert ended.err.endswith(".\n") or ended.err.endswith("Run: aureum migrate\n"), ended.err
    assert "Traceback" not in ended.err and ended.err.count("\n") == 1, ended.err
    return ended.err.rstrip("\n")


def named(cases: Sequence[tuple[tuple[str, ...], str]]) -> list[str]:
    """What each case is called: its number and its command."""
    return [f"{number} {' '.join(command)[-40:]}" for number, (command, _) in enumerate(cases)]


@pytest.mark.parametrize(("command", "begins"), REFUSED, ids=named(REFUSED))
def test_a_refusal(furnished: Terminal, slug: str, command: tuple[str, ...], begins: str) -> None:
    furnished.monkeypatch.setenv("AUREUM_BASE_DOMAIN", "crm.example.org")
    names = {"SLUG": slug, "FREE": f"free-{uuid4().hex}"}
    ended = furnished.run(*(names.get(word, word) for word in command), "--json")
    assert ended.code == 1 and ended.out
    assert one_sentence(ended).startswith(begins)


@pytest.mark.parametrize(("command", "says"), MISUSED, ids=named(MISUSED))
def test_wrong_usage_says_what_is_right(terminal: Terminal, command: tuple[str, ...], says: str) -> None:
    ended = terminal.run(*command)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: aureum ") and f"\nError: {says}" in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025])
def test_a_password_that_will_not_do(terminal: Terminal, password: str) -> None:
    ended = terminal.run(
        "user", "create", "--email", f"{uuid4().hex}@example.com", "--name", "U", "--role", "broker",
        "--password-stdin", stdin=f"{password}\n",
    )  # fmt: skip
    assert ended.code == 1
    assert one_sentence(ended) == "password must have 12 to 1024 characters."


def test_arguments_that_are_no_text(terminal: Terminal) -> None:
    ended = terminal.run("brokerage", "create", "--name", "\udcff", "--slug", "b", "--plan", "grow")
    assert (ended.code, one_sentence(ended)) == (1, "The arguments must be text in UTF-8.")


def test_a_moment_before_the_lead(terminal: Terminal) -> None:
    lead = terminal.capture(terminal.brokerage())
    ended = terminal.run("audit", "lead", str(lead.number), "--as-of", "2020-01-01T00:00:00Z")
    assert ended.code == 1
    assert one_sentence(ended).startswith("The lead did not exist at that time. It begins at 20")


COMMANDS = [
    ("brokerage", "list"),
    ("brokerage", "create", "--name", "B", "--slug", "b", "--plan", "grow"),
    ("user", "create", "--email", "a@example.com", "--name", "A", "--role", "agent"),
    ("api-key", "create", "--brokerage", "b", "--name", "K"),
    ("webhook", "create", "--brokerage", "b", "--url", "https://example.com", "--event", "lead.created"),
    ("projections", "list"),
    ("projections", "rebuild"),
    ("audit", "lead", "1"),
    ("audit", "verify"),
    ("demo",),
    ("serve", "--port", "0"),
    ("run", "--port", "0"),
    ("worker",),
]
"""Those that need the database."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_wrong_master_key(terminal: Terminal, command: tuple[str, ...]) -> None:
    terminal.monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(bytes(32)).decode())
    ended = terminal.run(*command)
    assert ended.code == 1
    why = "AUREUM_MASTER_KEY does not open this database: set the key that it was created with."
    assert one_sentence(ended) == why


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
def test_no_master_key(terminal: Terminal, command: tuple[str, ...]) -> None:
    terminal.monkeypatch.delenv("AUREUM_MASTER_KEY")
    ended = terminal.run(*command)
    assert ended.code == 1
    assert one_sentence(ended).startswith("AUREUM_MASTER_KEY is not set, and a database of your own")
    assert "openssl rand -base64 32" in ended.err


@pytest.mark.parametrize("command", [*COMMANDS, ("migrate",)], ids=" ".join)
def test_no_database(terminal: Terminal, command: tuple[str, ...]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        port = nobody.getsockname()[1]
        terminal.monkeypatch.setenv("AUREUM_DATABASE_URL", f"postgresql://aureum:hush@127.0.0.1:{port}/aureum")
        ended = terminal.run(*command)
    assert ended.code == 1
    said = one_sentence(ended)
    assert said.startswith("The database cannot be reached: ") and f"port {port} failed: Connection refused" in said
    assert said.endswith("Check that it is running and that AUREUM_DATABASE_URL is right.")
    assert "hush" not in said


def test_settings_that_cannot_be_used(terminal: Terminal) -> None:
    terminal.monkeypatch.setenv("AUREUM_POOL_SIZE", "many")
    ended = terminal.run("settings")
    assert (ended.code, one_sentence(ended)) == (1, "Set AUREUM_POOL_SIZE to a whole number, 1 or more, for example 4.")


def test_an_unforeseen_error_is_reported_without_what_it_may_quote(terminal: Terminal) -> None:
    """An event that cannot be read: the error's own text would show a piece of it."""
    lead = terminal.capture(terminal.brokerage())
    with psycopg.connect(terminal.url) as connection:
        connection.execute("UPDATE events SET data = 'not JSON, but John Smith' WHERE stream_id = %s", [lead.id])
    ended = terminal.run("audit", "lead", str(lead.number))
    assert ended.code == 1
    assert one_sentence(ended).startswith("Unexpected error: JSONDecodeError at ")
    assert "John" not in ended.err and "mapper.py:" in ended.err


def test_a_brokerage_with_all_its_webhooks(terminal: Terminal) -> None:
    slug = terminal.brokerage()
    terminal.monkeypatch.setenv("AUREUM_WEBHOOK_LIMIT", "1")
    new = ("webhook", "create", "--brokerage", slug, "--url", "https://example.com/hooks", "--event", "lead.created")
    terminal.json(*new)
    refused = terminal.run(*new)
    assert (refused.code != 0, refused.out) == (True, "") and "the limit is 1" in refused.err
    terminal.monkeypatch.setenv("AUREUM_WEBHOOK_LIMIT", "2")
    terminal.json(*new)
