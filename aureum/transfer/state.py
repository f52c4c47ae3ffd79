"""A hash of what people read of a brokerage: equal where the same log has been folded by the same steps.

It leaves out what another installation assigns itself (platform-wide integers, versions of read models, slug and
domains), secrets, which never leave, and what no event says, such as when a key was last used.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from aureum.projections import lead_counts
from aureum.registry import LISTS

PAGE_ROWS = 10_000

NUMBER = "number"

WITHOUT_NUMBER = {"tour_list": {"leads_doc": "(x.leads_doc::jsonb - 'id')"}}
"""Where the platform-wide integer stands in a document."""

LIST_PAGE = """
SELECT count(*), (array_agg(p.id ORDER BY p.id DESC))[1],
       sha256(coalesce(string_agg(sha256(convert_to(p.said::text, 'UTF8')), ''::bytea ORDER BY p.id), ''))
  FROM (
           SELECT x.{id} AS id, jsonb_build_array({columns}) AS said
             FROM {table} x
            WHERE x.tenant_id = %(tenant)s AND x.{id} > %(after)s{also}
            ORDER BY x.{id} LIMIT %(limit)s
       ) p
"""
"""Documents are texts, of which every byte counts; the order of columns is that of their declaration."""

LIVE = "\n              AND x.read_version = (SELECT h.{table}_version FROM heads h WHERE h.tenant_id = %(tenant)s)"

COUNTS = """
SELECT coalesce(json_agg(json_build_array(c.status, c.leads) ORDER BY c.status COLLATE "C"), '[]')::text
  FROM lead_counts c
 WHERE c.tenant_id = %(tenant)s AND c.leads <> 0
   AND c.read_version = (SELECT h.lead_counts_version FROM heads h WHERE h.tenant_id = %(tenant)s)
"""

DIRECTORIES: Mapping[str, tuple[str, str, str]] = {
    "users": (
        "user_id",
        "user_id, stream_version, address, shown_email, name, role, takes_leads, specialties, bio, areas, languages,"
        " price_min, price_max, daily_cap, hours, away_from, away_to, is_primary, notify, disabled, joined_at,"
        " invited_at, totp",
        "",
    ),
    "api_keys": ("key_id", "key_id, stream_version, name, prefix, rate_limit, revoked, issued_at, expires_at", ""),
    "webhook_endpoints": (
        "endpoint_id",
        "endpoint_id, stream_version, url, host, events, mode, rate_limit, description, overlap_until, disabled,"
        " disabled_at, disabled_version, enabled_version, removed, registered_at, updated_at",
        "",
    ),
    "calendar_feeds": ("user_id", "user_id, stream_version, details, made_at", ""),
    "routing_examples": ("lead_id", "lead_id, agent_id", "\n              AND x.agent_id IS NOT NULL"),
}
"""Of each its key, its columns, and which rows count."""

DIRECTORY_STEP = 1
"""Raised when any of ``DIRECTORIES`` changes."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """The rows of a read model, as the *step* of that version has made them."""

    step: int
    rows: int
    hash: str


async def state_of(connection: AsyncConnection[Any], tenant_id: UUID) -> dict[str, ModelState]:
    """By read model. Everything in one transaction of the owner's, whose snapshot stands."""
    await connection.execute("SET LOCAL timezone = 'UTC'")
    found = {}
    for model in LISTS:
        apart = WITHOUT_NUMBER.get(model.table, {})
        columns = [apart.get(name, f"x.{name}") for name in model.columns if name != NUMBER]
        query = statement(model.table, model.id, ", ".join(columns), LIVE.replace("{table}", model.table))
        found[model.table] = await pages(connection, tenant_id, query, model.step_version)
    for table, (key, names, also) in DIRECTORIES.items():
        columns = [f"x.{name.strip()}" for name in names.split(",")]
        query = statement(table, key, ", ".join(columns), also)
        found[table] = await pages(connection, tenant_id, query, DIRECTORY_STEP)
    cursor = await connection.execute(COUNTS, {"tenant": tenant_id})
    ((counts,),) = await cursor.fetchall()
    rows = orjson.loads(counts)
    found[lead_counts.NAME] = ModelState(
        lead_counts.STEP_VERSION, len(rows), hashlib.sha256(orjson.dumps(rows)).hexdigest()
    )
    return found


def statement(table: str, key: str, columns: str, also: str) -> str:
    """``LIST_PAGE`` of one table. All names are constants of the code."""
    names = {"{id}": key, "{columns}": columns, "{table}": table, "{also}": also}
    text = LIST_PAGE
    for place, name in names.items():
        text = text.replace(place, name)
    return text


async def pages(connection: AsyncConnection[Any], tenant_id: UUID, query: str, step: int) -> ModelState:
    """The hash of all rows, read in pages, so that memory does not grow with them on either side."""
    hashed, rows, after = hashlib.sha256(), 0, UUID(int=0)
    cursor = connection.cursor(binary=True)
    while True:
        await cursor.execute(query.encode(), {"tenant": tenant_id, "after": after, "limit": PAGE_ROWS})
        ((count, last, page),) = await cursor.fetchall()
        hashed.update(page)
        rows += count
        if count < PAGE_ROWS:
            return ModelState(step, rows, hashed.hexdigest())
        after = last


def as_document(state: Mapping[str, ModelState]) -> dict[str, Any]:
    """As the first line of a file has it, with one hash of all."""
    models = {name: {"step": one.step, "rows": one.rows, "hash": one.hash} for name, one in sorted(state.items())}
    return {"models": models, "hash": hashlib.sha256(orjson.dumps(models)).hexdigest()}


def differing(exported: Mapping[str, Any], found: Mapping[str, ModelState]) -> tuple[list[str], list[str]]:
    """Returns the read models whose rows are not those that were *exported*, and those that cannot be compared, because
    another version of their step has made them there."""
    models = exported["models"]
    wrong, other = [], []
    for name, one in found.items():
        there = models.get(name)
        if there is None or there["step"] != one.step:
            other.append(name)
        elif (there["rows"], there["hash"]) != (one.rows, one.hash):
            wrong.append(name)
    return wrong, other
