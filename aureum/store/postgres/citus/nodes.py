"""A node of Citus that is away takes its own tenants with it, and no others: what looks for something among all tenants
goes on among those whose node answers.

While all nodes answer, such a look is one statement. Once one has met a node that is away, it is asked node by node, of
the tenants that each has, until all answer again.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import structlog

from aureum.domain import ids
from aureum.domain.errors import NodeAway

log = structlog.get_logger()

TENANTS_BY_NODE = """
SELECT p.groupid, array_agg(t.tenant_id)
  FROM (
           SELECT tenant_id, get_shard_id_for_distribution_column('heads', tenant_id) AS shardid
             FROM (SELECT b.tenant_id FROM brokerages b UNION ALL SELECT %(platform)s::uuid) x
       ) AS t
  JOIN pg_dist_placement p ON p.shardid = t.shardid
 GROUP BY p.groupid
"""
"""Asked anew each time: tenants move to other nodes, and new ones come."""

FIRST_CONDITION = re.compile(r"^ *WHERE (?=\S)", re.MULTILINE)

Rows = Callable[[str, Mapping[str, Any]], Awaitable[list[Any]]]
"""Runs one statement with its parameters, and fetches."""


def near(statement: str, alias: str) -> str:
    """*statement* about some tenants alone. Its first condition is about rows of *alias*, and holds for all of them; so
    does every condition by which rows of another table are of the same tenant."""
    some, found = FIRST_CONDITION.subn(lambda c: f"{c[0]}{of_some(alias)} AND ", statement, count=1)
    assert found == 1
    joined = re.compile(rf"\b(\w+)\.tenant_id = {alias}\.tenant_id\b")
    return joined.sub(lambda c: f"{c[0]} AND {of_some(c[1])}", some)


def of_some(alias: str) -> str:
    """That a row is of one of the tenants which are asked about."""
    return f"{alias}.tenant_id = ANY (%(near)s::uuid[])"


class Nodes:
    """What one pool of connections knows of the nodes."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.away: frozenset[int] = frozenset()
        """Those that a look has missed last."""

    async def look(self, statement: str, alias: str, about: Mapping[str, Any]) -> list[Any]:
        """The rows of *statement*, of all tenants whose node answers. Raises Unavailable, if it is all of them that do
        not."""
        if not self.away:
            try:
                return await self.rows(statement, about)
            except NodeAway:
                pass
        return await self._by_node(near(statement, alias), about)

    async def _by_node(self, statement: str, about: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        missed: dict[int, NodeAway] = {}
        nodes: list[tuple[int, list[UUID]]] = await self.rows(TENANTS_BY_NODE, {"platform": ids.PLATFORM})
        for node, tenants in nodes:
            try:
                found += await self.rows(statement, {**about, "near": tenants})
            except NodeAway as error:
                missed[node] = error
        self._now_away(frozenset(missed))
        if missed and len(missed) == len(nodes):
            raise next(iter(missed.values()))
        return found

    def _now_away(self, missed: frozenset[int]) -> None:
        if missed - self.away:
            log.error("node_away", groups=sorted(missed), then="its brokerages wait; all others go on")
        elif self.away and not missed:
            log.info("nodes_answer")
        self.away = missed
