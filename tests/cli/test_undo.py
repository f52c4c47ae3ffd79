"""``aureum undo``: what one actor did goes back, what others did since stays, and a rehearsal changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aureum.cli.installation import tenant_of
from aureum.commands.users import CreateUser, create_user
from aureum.domain import ids
from aureum.domain.lead import Lead
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Actor, Origin
from tests.cli.conftest import Terminal
from tests.stores import LEAD_NUMBERS, new_lead


class Office:
    """A brokerage with a user, and a key that works beside."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.slug = terminal.brokerage()
        self.email = f"{uuid4().hex}@example.com"
        self.user = terminal.in_store(self._user)
        self.key = terminal.json("api-key", "create", "--brokerage", self.slug, "--name", "K")["id"]

    async def _user(self, store: EventStore) -> Actor:
        tenant_id = await tenant_of(store.database, self.slug)
        command = CreateUser(tenant_id=tenant_id, email=self.email, name="Ann", role="broker", password=None)
        made: Any = await create_user(store, command, Origin(COMMAND_LINE))
        user = made[0] if isinstance(made, tuple) else made
        return Actor("user", ids.to_wire(user.id))

    def change(self, actor: Actor, lead: Lead, decide: Callable[[Lead], None]) -> None:
        """*actor* changes a lead."""

        async def work(store: EventStore) -> None:
            tenant_id = await tenant_of(store.database, self.slug)
            before = await store.load(tenant_id, lead.id)
            changed = before.aggregate()
            decide(changed)
            await store.append(tenant_id, changed, before, command="Change", origin=Origin(actor))

        self.terminal.in_store(work)

    def captured_by(self, actor: Actor) -> Lead:
        async def work(store: EventStore) -> Lead:
            lead = new_lead(await store.number_of(LEAD_NUMBERS))
            await store.append(
                await tenant_of(store.database, self.slug), lead, NO_STREAM, command="New", origin=Origin(actor)
            )
            return lead

        return self.terminal.in_store(work)

    def lead(self, lead: Lead) -> tuple[str, str]:
        """Its status and first name."""
        state = self.terminal.json("audit", "lead", ids.to_wire(lead.id))["state"]
        return state["status"], state["firstName"]

    def undo(self, *options: str) -> Any:
        return self.terminal.json("undo", "--brokerage", self.slug, *options)


def status(name: str) -> Callable[[Lead], None]:
    return lambda lead: lead.change_status(name, ids.now())


def first_name(name: str) -> Callable[[Lead], None]:
    return lambda lead: lead.change_details({"first_name": name}, ids.now())


def test_what_a_user_did_goes_back_and_what_others_did_since_stays(terminal: Terminal) -> None:
    office = Office(terminal)
    a, b, untouched = (terminal.capture(office.slug, email=f"{n}@example.com") for n in range(3))
    key = Actor("key", office.key)
    office.change(key, untouched, status("qualified"))
    office.change(office.user, a, status("contacted"))
    office.change(office.user, a, status("lost"))
    office.change(office.user, b, status("lost"))
    office.change(office.user, b, first_name("Mistake"))
    office.change(key, b, status("qualified"))
    made = office.captured_by(office.user)

    rehearsed = office.undo("--user", office.email, "--dry-run")
    assert [office.lead(one)[0] for one in (a, b)] == ["lost", "qualified"], "a rehearsal changes nothing"
    refused = terminal.run("undo", "--brokerage", office.slug, "--user", office.email)
    assert refused.code == 2 and "Changes of 2 resources would be undone; --dry-run lists them." in refused.err

    done = office.undo("--user", office.email, "--yes")
    assert done == rehearsed
    assert done["undone"] == 2
    assert {one["id"]: (one["back"], one["left"]) for one in done["resources"]} == {
        ids.to_wire(a.id): (["status"], []),
        ids.to_wire(b.id): (["first_name"], ["status"]),
    }
    left = {one["id"]: one["why"] for one in done["left"]}
    assert left[ids.to_wire(b.id)] == "It has changed since."
    assert left[ids.to_wire(made.id)] == "It was created then, and a resource stays created."
    assert [office.lead(one) for one in (a, b, untouched)] == [
        ("new", "Jane"),
        ("qualified", "Jane"),
        ("qualified", "Jane"),
    ]
    again = office.undo("--user", office.email, "--yes")
    assert again["undone"] == 0, "what is undone is not undone twice"
    verified = terminal.json("projections", "rebuild", "--verify", "--brokerage", office.slug)
    assert {one["differences"] for one in verified} == {0}


def test_only_between_two_moments_and_of_a_key(terminal: Terminal) -> None:
    office = Office(terminal)
    lead = terminal.capture(office.slug)
    key = Actor("key", office.key)
    office.change(key, lead, first_name("Before"))
    between = ids.aureum_time(datetime.now(UTC))
    office.change(key, lead, first_name("After"))
    assert office.undo("--key", office.key, "--to", "2020-01-01", "--yes") == {"undone": 0, "left": [], "resources": []}
    office.undo("--key", office.key, "--from", between, "--yes")
    assert office.lead(lead) == ("new", "Before")


def test_refusals(terminal: Terminal) -> None:
    office = Office(terminal)
    other = Office(terminal)
    for options, why in (
        ((), "Pass exactly one of --user, --key and --import"),
        (("--user", office.email, "--key", office.key), "Pass exactly one of --user, --key and --import"),
        (("--user", other.email, "--yes"), "There is no user with this email address"),
        (("--key", other.key, "--yes"), "This brokerage has no API key"),
        (("--key", "x", "--yes"), "This brokerage has no API key"),
        (("--user", office.email, "--from", "yesterday"), "from must be a time such as"),
    ):
        ended = terminal.run("undo", "--brokerage", office.slug, *options)
        assert ended.code == 1 and why in ended.err, ended
