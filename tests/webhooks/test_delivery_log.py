"""A delivery's id, and what is shown of an answer."""

from uuid import UUID

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aureum.domain.ids import to_wire
from aureum.webhooks.delivery_log import LAST_POSITION, PATTERN, delivery_id, parse_delivery_id, readable

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
