"""Which of the appends that wait go together in one call."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from aureum.store.append import Append, Outcome
from aureum.store.guards import Once, Turn, Unique


@dataclass(slots=True)
class Waiting:
    """An append and the caller that waits for it; no caller does once the future is cancelled.

    ``skipped`` counts the calls that left it out, its tenant being held, when all lanes were in use; ``doubts`` those
    that were not answered.
    """

    append: Append
    future: asyncio.Future[Outcome]
    skipped: int = 0
    doubts: int = 0

    def resolve(self, outcome: Outcome) -> None:
        if not self.future.done():
            self.future.set_result(outcome)

    def refuse(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


def tenant_of(waiting: Waiting) -> UUID:
    """Whose append it is."""
    return waiting.append.tenant_id


def take(waiting: list[Waiting], limit: int) -> tuple[list[Waiting], list[Waiting]]:
    """The next group of at most *limit*, and what goes on waiting, both in order.

    A stream, an idempotency key, what is appended once, a name, or what earlier streams are found by, stands once in a
    group: the second must see what became of the first.
    """
    group: list[Waiting] = []
    rest: list[Waiting] = []
    taken: set[object] = set()
    for one in waiting:
        names = names_of(one.append)
        if len(group) < limit and taken.isdisjoint(names):
            group.append(one)
        else:
            rest.append(one)
        # Also of one that must wait: no other overtakes it.
        taken.update(names)
    return group, rest


def of_one_tenant(group: list[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """Those of the first one's tenant, and the others, both in order."""
    first = tenant_of(group[0])
    others = [waiting for waiting in group if tenant_of(waiting) != first]
    return [waiting for waiting in group if tenant_of(waiting) == first] if others else group, others


def names_of(append: Append) -> list[object]:
    """What must stand once in a call."""
    names: list[object] = [(append.tenant_id, append.stream_id)]
    if append.remember is not None:
        names.append((append.tenant_id, append.remember.key))
    for guard in append.guards:
        match guard:
            case Once():
                names.append((append.tenant_id, "once", guard.key))
            case Unique():
                names.append((append.tenant_id, guard.purpose, guard.name))
            case Turn(prior=UUID()):
                names.append((append.tenant_id, "prior", guard.prior))
    return names
