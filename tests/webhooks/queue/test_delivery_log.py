"""A delivery's id, what is shown of an answer, and pages of what is rare."""

import asyncio
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aureum.domain.ids import to_wire
from aureum.store.postgres.database import Database
from aureum.webhooks.queue.delivery_log import LAST_POSITION, PATTERN, delivery_id, page, parse_delivery_id, readable

ENDPOINT = to_wire(UUID(int=2**127 + 5))


@given(st.uuids(), st.integers(1, LAST_POSITION))
@example(UUID(int=0), 1)
@example(UUID(int=2**128 - 1), LAST_POSITION)
def test_an_id_is_read_as_it_was_written(endpoint_id: UUID, position: int) -> None:
    assert parse_delivery_id(delivery_id(endpoint_id, position)) == (endpoint_id, position)


@given(st.from_regex(PATTERN.replace("$", r"\Z")) | st.text() | st.builds("{}_{}".format, st.just(ENDPOINT), st.text()))
def test_what_is_read_is_written_alike(text: str) -> None:
    found = parse_delivery_id(text)
    assert found is None or delivery_id(*found) == text


@pytest.mark.parametrize(
    "text",
    ["", ENDPOINT, f"{ENDPOINT}_", f"{ENDPOINT}_0", f"{ENDPOINT}_01", f"{ENDPOINT}-1",
     f"{ENDPOINT}_{LAST_POSITION + 1}", f"{ENDPOINT}_１", f"{ENDPOINT}_+1", f"{ENDPOINT}_1 ",
     f"{ENDPOINT}_{'9' * 5_000}", f"{ENDPOINT.upper()}_1", "c" + "z" * 25 + "_1", "x_1"],
)  # fmt: skip
def test_what_never_was_one(text: str) -> None:
    assert parse_delivery_id(text) is None


@given(st.binary(max_size=60))
def test_any_answer_can_be_read(answer: bytes) -> None:
    text = readable(answer)
    assert "\0" not in text
    assert orjson.loads(orjson.dumps(text)) == text


def test_what_cannot_be_read_is_escaped() -> None:
    assert readable("Grüße\n".encode()) == "Grüße\n"
    assert readable(b"a\xff\x00\xc3") == "a\\xff\\x00\\xc3"


MANY = """
INSERT INTO webhook_attempts (tenant_id, endpoint_id, position, attempt, started_at, duration_ms, status, error, answer,
                              outcome, lease_owner)
SELECT %(tenant)s, %(endpoint)s, n, a, now() + a * interval '1 second', 1, NULL, CASE WHEN a < 2 THEN 'dns' END, '',
       CASE WHEN a < 2 THEN 'failed' ELSE 'delivered' END, gen_random_uuid()
  FROM generate_series(1, 300) AS n, generate_series(1, CASE WHEN n %% 50 = 0 THEN 1 ELSE 2 END) AS a
"""


@pytest.mark.parametrize("seconds", [0, 60])
def test_what_is_rare_is_found_in_time_or_on_the_next_page(database_url: str, seconds: float) -> None:
    """Of each delivery one attempt failed; only of every fiftieth it was the last."""
    tenant, endpoint = uuid4(), uuid4()

    async def test() -> None:
        async with Database(database_url) as database:
            await database.rows(MANY, {"tenant": tenant, "endpoint": endpoint})
            found: list[int] = []
            before: int | None = LAST_POSITION
            pages = 0
            while before is not None:
                shown = await page(database, tenant, endpoint, before=before, limit=2, status="failed", seconds=seconds)
                found += [row["position"] for row in shown.rows]
                before, pages = shown.until, pages + 1
                assert len(shown.rows) <= 2 and pages < 200
            assert found == [300, 250, 200, 150, 100, 50]
            # Without patience a page ends before it is full.
            assert (pages > 6) == (seconds == 0)

    asyncio.run(test())
