"""The platform-wide integers of what is imported: kept if this installation has given out none of them, new otherwise.

They stand in the events that create what they name, and nowhere else: events refer to each other by wire ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, sql

from aureum.domain.brokerage import Brokerage
from aureum.domain.lead import Lead
from aureum.domain.tour import Tour
from aureum.domain.user import User

SEQUENCE_OF: Mapping[str, str] = {
    Brokerage.Opened.TOPIC: "brokerage_numbers",
    User.Joined.TOPIC: "user_numbers",
    Lead.Captured.TOPIC: "lead_numbers",
    Tour.Requested.TOPIC: "tour_numbers",
}
"""By the type of the event in whose ``number`` the integer stands."""

USED = """
SELECT 'brokerage_numbers', min(number), max(number), count(*) FROM brokerages WHERE tenant_id = %(tenant)s
UNION ALL
SELECT 'user_numbers', min(number), max(number), count(*) FROM users WHERE tenant_id = %(tenant)s
UNION ALL
SELECT 'lead_numbers', min(number), max(number), count(*) FROM lead_list
 WHERE tenant_id = %(tenant)s AND read_version = (SELECT lead_list_version FROM heads WHERE tenant_id = %(tenant)s)
UNION ALL
SELECT 'tour_numbers', min(number), max(number), count(*) FROM tour_list
 WHERE tenant_id = %(tenant)s AND read_version = (SELECT tour_list_version FROM heads WHERE tenant_id = %(tenant)s)
"""

USED_BY_ERASED = """
SELECT CASE e.type WHEN %(lead)s THEN 'lead_numbers' ELSE 'tour_numbers' END,
       (convert_from(e.data, 'UTF8')::json ->> 'number')::bigint
  FROM (SELECT DISTINCT unnest(r.subjects) AS id FROM erasures r WHERE r.tenant_id = %(tenant)s) AS s
  JOIN events e ON e.tenant_id = %(tenant)s AND e.stream_id = s.id AND e.version = 1 AND e.type IN (%(lead)s, %(tour)s)
"""
"""Those that stand in no list any more. An erasure that has not ended is about some that do: they count twice."""

BLOCK = "SELECT seqincrement FROM pg_sequence WHERE seqrelid = {}::regclass"
"""How many numbers a process takes at once."""

TAKE = "SELECT nextval({}) FROM generate_series(1, {})"

NEXT = "SELECT last_value + CASE WHEN is_called THEN {} ELSE 0 END FROM {}"

HOLD = "ALTER SEQUENCE {} INCREMENT BY {}"

GO_ON = "ALTER SEQUENCE {} RESTART WITH {}"
"""With the transaction or not at all; until its end no process takes a block."""

MOST = 100_000_000
"""More leads than any brokerage has."""

LARGEST = 1 << 40
"""Above it none is kept: a sequence must not come to its end because of a file."""


async def used(connection: AsyncConnection[Any], tenant_id: UUID) -> dict[str, list[int]]:
    """Of each sequence the least number of the brokerage, the largest, and how many there are."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(USED, {"tenant": tenant_id})
    found = {name: [least, largest, count] for name, least, largest, count in await cursor.fetchall() if count}
    topics = {"lead": Lead.Captured.TOPIC, "tour": Tour.Requested.TOPIC}
    await cursor.execute(USED_BY_ERASED, {"tenant": tenant_id} | topics)
    for name, number in await cursor.fetchall():
        least, largest, count = found.get(name, [number, number, 0])
        found[name] = [min(least, number), max(largest, number), count + 1]
    return found


class TooManyNumbers(ValueError):
    """More numbers stand in the file than its first line says."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class NumbersTaken(Exception):
    """Other numbers were given out here while the import ran, among them those that it was to keep. Nothing was
    imported: run it again."""

    def __init__(self) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))


@dataclass(slots=True)
class Kept:
    """All numbers of a sequence stay as they are; *largest* is the last of them."""

    least: int
    largest: int

    def __call__(self, number: int) -> int:
        if not self.least <= number <= self.largest:
            raise TooManyNumbers
        return number


@dataclass(slots=True)
class Renewed:
    """All numbers of a sequence are new ones, from blocks that were taken for them."""

    block: int
    begins: list[int]
    given: int = 0

    def __call__(self, number: int) -> int:
        place, within = divmod(self.given, self.block)
        if place >= len(self.begins):
            raise TooManyNumbers
        self.given += 1
        return self.begins[place] + within


@dataclass(slots=True)
class Numbers:
    """What becomes of the numbers of each sequence."""

    of: dict[str, Kept | Renewed] = field(default_factory=dict)

    def number(self, topic: str, number: Any) -> int:
        """The number that what was called *number* has here. Raises TooManyNumbers."""
        found = self.of.get(SEQUENCE_OF[topic])
        if found is None or type(number) is not int:
            raise TooManyNumbers
        return found(number)

    @property
    def renewed(self) -> list[str]:
        """The sequences whose numbers are new."""
        return sorted(name for name, one in self.of.items() if isinstance(one, Renewed))

    async def keep(self, connection: AsyncConnection[Any]) -> None:
        """See that this installation gives out none of those that are kept, in the transaction of the import. Raises
        NumbersTaken."""
        for name, one in sorted(self.of.items()):
            if not isinstance(one, Kept):
                continue
            block = await block_of(connection, name)
            # Changes nothing, but no other process takes a block from here on.
            await connection.execute(sql.SQL(HOLD).format(sql.Identifier(name), sql.Literal(block)))
            if await next_of(connection, name, block) > one.least:
                raise NumbersTaken
            await connection.execute(sql.SQL(GO_ON).format(sql.Identifier(name), sql.Literal(one.largest + 1)))


async def settle(connection: AsyncConnection[Any], used_there: Mapping[str, Any]) -> Numbers:
    """Decide for each sequence whether the numbers stay. *used_there* is what ``used`` returned on the other
    installation. New numbers are taken at once, and not given back if the import fails. Raises TooManyNumbers, and
    KeyError, TypeError or ValueError for what ``used`` never returns."""
    settled = Numbers()
    for name in SEQUENCE_OF.values():
        if name not in used_there:
            continue
        least, largest, count = map(int, used_there[name])
        if not 0 < count <= MOST:
            raise TooManyNumbers
        block = await block_of(connection, name)
        if 0 < least <= largest < LARGEST and await next_of(connection, name, block) <= least:
            settled.of[name] = Kept(least, largest)
            continue
        blocks = -(-count // block)
        statement = sql.SQL(TAKE).format(sql.Literal(name), sql.Literal(blocks))
        begins = [begin for (begin,) in await (await connection.execute(statement)).fetchall()]
        settled.of[name] = Renewed(block, begins)
    return settled


async def block_of(connection: AsyncConnection[Any], name: str) -> int:
    """How many numbers a process takes at once of the sequence *name*."""
    ((block,),) = await (await connection.execute(sql.SQL(BLOCK).format(sql.Literal(name)))).fetchall()
    return int(block)


async def next_of(connection: AsyncConnection[Any], name: str, block: int) -> int:
    """The least number that was not given out yet."""
    statement = sql.SQL(NEXT).format(sql.Literal(block), sql.Identifier(name))
    ((number,),) = await (await connection.execute(statement)).fetchall()
    return int(number)
