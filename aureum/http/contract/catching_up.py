"""Catching up with a list (``changedAfter``): what has changed in it since a position of the log, in runs.

A run begins with the token of the run before, goes page by page up to where the log stood at its first page, and gives
out a token for what comes after that. A change is appended to the log under the tenant's lock and gets the next
position there, so that nothing is committed behind a position that a client has heard of: no clock is asked, and what
is committed while a client reads is in its next run.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from aureum.domain.ids import to_wire
from aureum.http.access.gate import Caller
from aureum.http.contract.paging import Bound, Place, opened_cursor, opened_token, write_cursor, write_token
from aureum.http.wire.errors import InvalidRequest
from aureum.http.wire.shapes import Shape, Wire
from aureum.projections.document_list import ABOVE_ALL
from aureum.store.postgres.reading import Reader

FAR = 20_000
"""Positions that one statement passes at most, where hardly any event is of the list."""

SECONDS = 3.0
"""How long a page looks for what changed; then it ends short, and the next one goes on from there."""


class RemovedResponse(Shape):
    """With `changedAfter`: a resource that is no longer in the list, or no longer visible to the caller."""

    id: Wire
    removed: Literal[True]


class Changes(NamedTuple):
    """A part of what changed: rows of a statement of ``list_changes``, up to which position, and if more follow."""

    rows: list[Any]
    until: int
    more: bool


async def changes(
    reader: Reader,
    caller: Caller,
    statement: str,
    chosen: Mapping[str, Any],
    *,
    since: int,
    after: int,
    until: int,
    limit: int,
) -> Changes:
    """Up to *limit* changes at positions above *after*, up to *until*; the client has heard of those up to *since*.

    A position is passed once: what changes again meanwhile stays where it is in this run, and is in the next one too.
    """
    rows: list[Any] = []
    end = time.monotonic() + SECONDS
    while after < until:
        last = min(after + FAR, until)
        parameters = {
            "tenant": caller.tenant_id,
            "since": since,
            "after": after,
            "last": last,
            "until": until,
            "limit": limit - len(rows) + 1,
            **chosen,
        }
        rows += await reader.tenant_rows(caller.tenant_id, statement, parameters)
        if len(rows) > limit:
            return Changes(rows[:limit], rows[limit - 1][0], more=True)
        after = last
        if time.monotonic() > end:
            break
    return Changes(rows, after, more=after < until)


def in_words(row: Any) -> str:
    """A row of a change as it goes over the wire: the resource as it is now, or that it is gone; by its number in the
    dialect that has one."""
    _, stream_id, number, doc = row
    if doc is not None:
        return str(doc)
    return (
        f'{{"id":{number},"removed":true}}' if number is not None else f'{{"id":"{to_wire(stream_id)}","removed":true}}'
    )


class Run(NamedTuple):
    """One reading of a list, page by page: what belongs to all its pages. *since* is what ``changedAfter`` says, None
    for the whole list; *head* is how far the log had come at the first page, from which the next run goes on."""

    bound: Bound
    since: int | None
    head: int
    after: UUID

    @property
    def token(self) -> str:
        """What the next run begins with."""
        return write_token(self.bound, self.head)

    @property
    def again(self) -> str:
        """The token that this run began with."""
        assert self.since is not None
        return write_token(self.bound, self.since)

    def cursor(self, last: UUID) -> str:
        """Of the page that begins behind *last*."""
        return write_cursor((*self.bound, self.since), Place(last, self.head))


def run_of(changed_after: bytes | None, cursor: bytes | None, bound: Bound, head: int) -> Run:
    """What the request goes on with. Raises InvalidRequest for a token or cursor that is not of this list."""
    since = None if changed_after is None else opened_token(changed_after, bound, head)
    if cursor is not None:
        place = opened_cursor(cursor, (*bound, since), head)
        return Run(bound, since, place.head, place.after)
    return Run(bound, since, head, ABOVE_ALL if since is None else UUID(int=since))


def runs_of(
    changed_after: bytes | None, cursor: bytes | None, bounds: Sequence[Bound], head: int
) -> list[tuple[int, Run]]:
    """For lists that may go by several things, each with what it is bound to: which of them the request goes on with.
    All of them at the beginning of the list; where a cursor or token is sent, the one it was made by.

    Raises InvalidRequest if none has made it.
    """
    found: list[tuple[int, Run]] = []
    for place, bound in enumerate(bounds):
        try:
            found.append((place, run_of(changed_after, cursor, bound, head)))
        except InvalidRequest:
            if place == len(bounds) - 1 and not found:
                raise
    return found
