"""Several new resources in one append. Each row is made or refused for itself; those that are made are appended
together, each as a save of its own, so that histories and webhooks show them like any other."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from uuid import UUID

from aureum.commands.conflicts import deciding_again
from aureum.commands.contacts import AddContact, new_contact
from aureum.commands.leads import NUMBERS, CaptureLead, new_lead
from aureum.commands.properties import SLUG, EnterProperty, free_slug, slug_of
from aureum.commands.references import check_user
from aureum.commands.tasks import CreateTask, new_task
from aureum.domain import ids
from aureum.domain.aggregate import Aggregate
from aureum.domain.errors import AlreadyTaken, Conflict, DomainError, Invalid, KeyReused
from aureum.domain.property import Property
from aureum.projections import property_list
from aureum.store.event_store import NO_STREAM, Appended, Decided, EventStore, Idempotency
from aureum.store.guards import Guard, Unique
from aureum.store.metadata import Origin

Outcome = Decided | DomainError
"""What became of a row: what is appended, or why it is refused."""

TAKEN_NAMES = """
SELECT name FROM taken_names
 WHERE tenant_id = %(tenant)s AND purpose = %(purpose)s AND name = ANY (%(names)s::text[])
"""

MLS_IDS = """
SELECT p.mls, p.mls_id FROM property_list p
 WHERE p.tenant_id = %(tenant)s AND p.mls_id = ANY (%(mls_ids)s::text[])
   AND p.read_version = (SELECT h.property_list_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

MLS_TAKEN = property_list.TAKEN["property_list_mls"]


async def append_rows(
    store: EventStore,
    tenant_id: UUID,
    decide: Callable[[], Awaitable[Sequence[Outcome]]],
    *,
    command: str,
    origin: Origin,
    idempotency: Idempotency | None = None,
) -> tuple[Sequence[Outcome], Appended]:
    """The outcomes of *decide*, after those rows were appended that are not refused. Another append may take a name or
    change a stream at the same moment; then all rows are decided again.

    Raises Conflict, and what *decide* and ``EventStore.append_all`` raise.
    """

    async def once() -> tuple[Sequence[Outcome], Appended]:
        outcomes = await decide()
        made = [one for one in outcomes if isinstance(one, Decided)]
        try:
            appended = await store.append_all(
                tenant_id, made, command=command, origin=origin, idempotency=idempotency, made=outcomes
            )
        except KeyReused:
            raise
        except AlreadyTaken as error:
            raise Conflict from error
        return outcomes, appended

    return await deciding_again(once)


async def begun(make: Callable[[], Awaitable[Aggregate]], guards: Sequence[Guard] = ()) -> Outcome:
    """A new aggregate, or why there is none."""
    try:
        return Decided(await make(), NO_STREAM, guards)
    except Invalid as error:
        return error


async def new_contacts(commands: Iterable[AddContact]) -> list[Outcome]:
    """A contact for each command."""

    async def contact(command: AddContact) -> Aggregate:
        return new_contact(command, ids.new_id(), ids.now())

    return [await begun(partial(contact, one)) for one in commands]


async def new_leads(store: EventStore, commands: Iterable[CaptureLead]) -> list[Outcome]:
    """A lead for each command. None of them is routed."""
    known: dict[UUID, Invalid | None] = {}

    async def lead(command: CaptureLead) -> Aggregate:
        assigned_to = command.assigned_to
        if assigned_to is not None and assigned_to not in known:
            known[assigned_to] = await why_not(store, command.tenant_id, assigned_to)
        error = None if assigned_to is None else known[assigned_to]
        if error is not None:
            raise error
        return new_lead(command, ids.new_id(), ids.now(), await store.number_of(NUMBERS))

    return [await begun(partial(lead, one)) for one in commands]


async def why_not(store: EventStore, tenant_id: UUID, user_id: UUID) -> Invalid | None:
    """Why a lead cannot be assigned to this user; None if it can."""
    try:
        await check_user(store, tenant_id, user_id)
    except Invalid as error:
        return error
    return None


async def new_tasks(store: EventStore, commands: Iterable[CreateTask]) -> list[Outcome]:
    """A task for each command."""

    async def task(command: CreateTask) -> Aggregate:
        return await new_task(store, command)

    return [await begun(partial(task, one)) for one in commands]


async def new_properties(store: EventStore, tenant_id: UUID, commands: Sequence[EnterProperty]) -> list[Outcome]:
    """A property for each command, under the first slug of its title that neither a property has nor an earlier row
    gets. An ``mlsId`` that another property or an earlier row has is refused."""
    slugs = Slugs(store, tenant_id, {slug_of(one.fields.title) for one in commands})
    taken = await mls_taken(store, tenant_id, [one.fields.mls_id for one in commands])
    outcomes: list[Outcome] = []
    for command in commands:
        fields = command.fields
        mls = (fields.mls or "", fields.mls_id)
        if mls in taken:
            outcomes.append(AlreadyTaken(MLS_TAKEN))
            continue
        slug = await slugs.free(slug_of(fields.title))

        async def listed(slug: str = slug, command: EnterProperty = command) -> Aggregate:
            return Property.enter(ids.new_id(), ids.now(), slug, command.fields, command.photos)

        outcome = await begun(listed, (Unique(SLUG, slug),))
        if isinstance(outcome, Decided):
            slugs.take(slug)
            if fields.mls_id is not None:
                taken.add(mls)
        outcomes.append(outcome)
    return outcomes


async def mls_taken(store: EventStore, tenant_id: UUID, mls_ids: Iterable[str | None]) -> set[tuple[str, str | None]]:
    """The MLS and listing id of the properties that have one of these ids."""
    asked = [mls_id for mls_id in mls_ids if mls_id is not None]
    if not asked:
        return set()
    rows = await store.database.tenant_rows(tenant_id, MLS_IDS, {"tenant": tenant_id, "mls_ids": asked})
    return {(mls, mls_id) for mls, mls_id in rows}


class Slugs:
    """The slugs of a tenant, as far as they are asked for. *bases* are those that will be, looked up together."""

    def __init__(self, store: EventStore, tenant_id: UUID, bases: set[str]) -> None:
        self.store = store
        self.tenant_id = tenant_id
        self.bases = bases
        self.taken: set[str] | None = None
        self.next: dict[str, int] = {}

    async def free(self, base: str) -> str:
        """*base*, or *base* with the first number that is free."""
        if self.taken is None:
            about = {"tenant": self.tenant_id, "purpose": SLUG, "names": sorted(self.bases)}
            rows = await self.store.database.rows(TAKEN_NAMES, about)
            self.taken = {name for (name,) in rows}
        if base not in self.taken:
            return base
        if base not in self.next:
            found = await free_slug(self.store, self.tenant_id, base)
            self.next[base] = int(found.removeprefix(f"{base}-")) if found != base else 2
        while f"{base}-{self.next[base]}" in self.taken:
            self.next[base] += 1
        return f"{base}-{self.next[base]}"

    def take(self, slug: str) -> None:
        """*slug* is given away."""
        if self.taken is not None:
            self.taken.add(slug)
