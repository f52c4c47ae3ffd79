"""What is got is what was put, wherever the parts were cut; and whatever is done to the chunks is found."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.store.blobs import DocumentLost
from aureum.store.blobs.chunks import CHUNK, SEALED, Measured, opened, sealed

KEY = AESGCM(bytes(32))
TENANT, DOCUMENT = UUID(int=1), UUID(int=2)
EDGE = CHUNK * 2

sizes = st.one_of(
    st.integers(0, 40),
    st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, EDGE - 1, EDGE, EDGE + 1]),
    st.integers(0, 3 * CHUNK),
)


async def stream(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def seal(parts: Sequence[bytes], document: UUID = DOCUMENT, tenant: UUID = TENANT) -> list[bytes]:
    async def all_of() -> list[bytes]:
        return [chunk async for chunk in sealed(KEY, tenant, document, stream(parts))]

    return asyncio.run(all_of())


def unseal(chunks: Sequence[bytes], document: UUID = DOCUMENT, tenant: UUID = TENANT, key: AESGCM = KEY) -> bytes:
    async def all_of() -> bytes:
        return b"".join([part async for part in opened(key, tenant, document, stream(chunks))])

    return asyncio.run(all_of())


def patterned(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return b"".join(n.to_bytes(8, "big") for n in range(-(-size // 8)))[:size]


@settings(max_examples=40, deadline=None)
@given(size=sizes, cuts=st.lists(st.integers(0, 3 * CHUNK), max_size=8))
def test_what_is_got_is_what_was_put_however_it_was_cut(size: int, cuts: list[int]) -> None:
    data = patterned(size)
    at = [0, *sorted(min(cut, size) for cut in cuts), size]
    parts = [data[begin:end] for begin, end in pairwise(at)]
    chunks = seal(parts)
    assert unseal(chunks) == data
    assert [len(chunk) for chunk in chunks[:-1]] == [SEALED] * (len(chunks) - 1)
    assert all(data[:32] not in chunk for chunk in chunks if len(data) >= 32)

    async def measured() -> tuple[int, str]:
        passing = Measured(stream(parts))
        assert b"".join([part async for part in passing]) == data
        return passing.stored()

    assert asyncio.run(measured()) == (size, hashlib.sha256(data).hexdigest())


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.sampled_from([0, 5, CHUNK, CHUNK + 5, EDGE, EDGE + 5]))
def test_whatever_is_done_to_the_chunks_is_found(data: st.DataObject, size: int) -> None:
    chunks = seal([patterned(size)])
    places = st.integers(0, len(chunks) - 1)
    changed = list(chunks)
    match data.draw(st.sampled_from(["flip", "cut", "lose", "swap", "double", "add", "move"])):
        case "flip":
            place = data.draw(places)
            bit = data.draw(st.integers(0, len(chunks[place]) * 8 - 1))
            flipped = bytearray(chunks[place])
            flipped[bit // 8] ^= 1 << bit % 8
            changed[place] = bytes(flipped)
        case "cut":
            place = data.draw(places)
            changed[place] = chunks[place][: data.draw(st.integers(0, len(chunks[place]) - 1))]
        case "lose":
            # Also all but the first, and all of them.
            begin, end = sorted((data.draw(places), data.draw(places)))
            del changed[begin : end + 1]
        case "swap":
            one, other = data.draw(places), data.draw(places)
            if one == other:
                return
            changed[one], changed[other] = changed[other], changed[one]
        case "double":
            place = data.draw(places)
            changed.insert(place, chunks[place])
        case "add":
            changed.append(data.draw(st.binary(max_size=64)))
        case "move":
            changed[data.draw(places)] = seal([patterned(size)], uuid4())[-1]
    with pytest.raises(DocumentLost):
        unseal(changed)


def test_chunks_open_only_as_those_of_their_document_under_their_key() -> None:
    chunks = seal([patterned(CHUNK + 9)])
    for document, tenant, key in (
        (uuid4(), TENANT, KEY),
        (DOCUMENT, uuid4(), KEY),
        (DOCUMENT, TENANT, AESGCM(bytes([1]) * 32)),
    ):
        with pytest.raises(DocumentLost):
            unseal(chunks, document, tenant, key)
