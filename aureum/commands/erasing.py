"""A request to erase a person: what it would do, and the request itself, which names all streams of the person.

find the person ──▶ erasure.requested ──▶ some streams at a time, each in one transaction ──▶ ended ──▶ settled
                    (here)                (erasing_streams.py, as erasures.py drives it)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from aureum.commands.envelopes.of_person import envelopes_of
from aureum.commands.kept import Kept, kept_again, kept_of
from aureum.commands.person import LEADS_BY_NUMBER, NUMBERS, Person, find_person
from aureum.domain import ids
from aureum.domain.erasure import ASKED, Erasure
from aureum.domain.errors import NotFound
from aureum.store.event_store import NO_STREAM, EventStore, Idempotency
from aureum.store.metadata import Origin

NO_PERSON = "There is no such lead or contact."

ABOUT = """
SELECT erasure_id, subjects FROM erasures
 WHERE tenant_id = %(tenant)s
   AND (subjects @> ARRAY[%(subject)s::uuid] OR numbers @> ARRAY[%(number)s::bigint])
 ORDER BY erasure_id LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class ErasePerson:
    """The person to erase, named by exactly one of the four. ``number`` is that of a lead in the Leads API."""

    tenant_id: UUID
    email: str | None = None
    lead_id: UUID | None = None
    number: int | None = None
    contact_id: UUID | None = None
    reason: str = ASKED


@dataclass(frozen=True)
class Erased:
    """How many records were erased, and what is kept, with the reason. Without an id there was nothing to erase."""

    id: UUID | None
    erased: int
    kept: Sequence[Kept]
    records: Mapping[str, int] = field(default_factory=dict)
    """How many of each kind; not told of an erasure that was asked for before."""
    remembered: bytes | None = None


async def erase_person(
    store: EventStore, command: ErasePerson, origin: Origin, *, idempotency: Idempotency | None = None
) -> Erased:
    """Ask for an erasure. It is carried out by ``carry_out``; the answer says what that will have done. Asking again
    for a lead or contact that was erased tells of that erasure: the same id and number, and of what is kept that which
    can still be found.

    Raises NotFound for a lead or contact that never was, WrongState while documents of the person are being signed,
    Conflict, and what ``EventStore.append`` raises.
    """
    person = await person_of(store, command)
    envelopes = await envelopes_of(store, command.tenant_id, person)
    if not person.records and command.email is None:
        about = {
            "tenant": command.tenant_id,
            "subject": command.lead_id or command.contact_id,
            "number": command.number,
        }
        rows = await store.database.tenant_rows(command.tenant_id, ABOUT, about)
        if not rows:
            raise NotFound(NO_PERSON)
        ((erasure_id, subjects),) = rows
        return Erased(erasure_id, len(subjects), await kept_again(store, command.tenant_id, subjects))
    envelopes.check()
    kept = [*await kept_of(store, command.tenant_id, person), *envelopes.told()]
    subjects = [*person.records, *envelopes.purged]
    if not subjects:
        nothing = Erased(None, 0, kept)
        if idempotency is None:
            return nothing
        return replace(nothing, remembered=await store.remember(command.tenant_id, nothing, idempotency, origin))
    leads = {"tenant": command.tenant_id, "leads": person.ids("lead")}
    numbers = [number for (number,) in await store.database.tenant_rows(command.tenant_id, NUMBERS, leads)]
    erasure = Erasure.request(ids.new_id(), ids.now(), subjects=subjects, numbers=numbers, reason=command.reason)
    asked = Erased(erasure.id, len(subjects), kept, person.counted | envelopes.counted)
    remember = None
    if idempotency is not None:
        made = idempotency.answer
        remember = replace(idempotency, answer=lambda _: made(asked))
    appended = await store.append(
        command.tenant_id, erasure, NO_STREAM, command="ErasePerson", origin=origin, idempotency=remember
    )
    return replace(asked, remembered=appended.remembered)


async def rehearse_erasing(store: EventStore, command: ErasePerson) -> Erased:
    """What erasing the person would do now. Nothing changes. Raises NotFound, WrongState, Unavailable."""
    person = await person_of(store, command)
    if not person.records and command.email is None:
        raise NotFound(NO_PERSON)
    envelopes = await envelopes_of(store, command.tenant_id, person)
    envelopes.check()
    kept = [*await kept_of(store, command.tenant_id, person), *envelopes.told()]
    erased = len(person.records) + len(envelopes.purged)
    return Erased(None, erased, kept, person.counted | envelopes.counted)


async def person_of(store: EventStore, command: ErasePerson) -> Person:
    """The person who is meant; without records if there is none."""
    lead_id = command.lead_id
    if command.number is not None:
        about = {"tenant": command.tenant_id, "numbers": [command.number]}
        rows = await store.database.tenant_rows(command.tenant_id, LEADS_BY_NUMBER, about)
        if not rows:
            return Person()
        lead_id = rows[0][0]
    return await find_person(
        store, command.tenant_id, email=command.email, lead_id=lead_id, contact_id=command.contact_id
    )
