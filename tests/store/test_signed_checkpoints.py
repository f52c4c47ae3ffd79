"""Any value of a checkpoint that is altered is refused; the sample's own arithmetic agrees with the library's."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.store.signed_checkpoints import Unreadable, public_key, public_text, read_all, sign, signing_key

KEY = signing_key(b"k" * 32)
PUBLIC = KEY.public_key()

CHECKPOINTS = st.builds(
    lambda *values: sign(KEY, *values),
    st.uuids(),
    st.from_regex(r"[a-z0-9-]{0,20}", fullmatch=True),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  bounds have no zone
)


@pytest.fixture(scope="module")
def sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_log", Path("docs/samples/verify_log.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(max_examples=100)
@given(CHECKPOINTS, st.data())
def test_what_was_altered_is_refused(line: bytes, data: st.DataObject) -> None:
    (checkpoint,) = read_all([line], PUBLIC)
    document = orjson.loads(line)
    assert (str(checkpoint.tenant_id), checkpoint.position) == (document["tenant"], document["position"])
    name = data.draw(st.sampled_from(["tenant", "brokerage", "position", "hash", "at"]))
    other = data.draw(
        CHECKPOINTS.map(lambda made: orjson.loads(made)[name]).filter(lambda made: made != document[name])
    )
    with pytest.raises(Unreadable, match=r"Line 2 .* not signed with this key"):
        read_all([line, orjson.dumps(document | {name: other})], PUBLIC)
    with pytest.raises(Unreadable, match="not signed with this key"):
        read_all([line], signing_key(b"j" * 32).public_key())


@settings(max_examples=200)
@given(st.binary(max_size=300) | CHECKPOINTS.flatmap(lambda line: st.integers(0, 60).map(lambda n: line[: -n - 2])))
def test_any_bytes_are_read_or_refused(line: bytes) -> None:
    try:
        assert read_all([line], PUBLIC) == []
    except Unreadable as error:
        assert str(error).startswith("Line 1 of the checkpoints is ")


def test_a_public_key_is_written_and_read() -> None:
    assert public_key(f" {public_text(PUBLIC)}\n").public_bytes_raw() == PUBLIC.public_bytes_raw()
    for text in ("", "ü", "AAAA", public_text(PUBLIC)[:-4]):
        with pytest.raises(Unreadable):
            public_key(text)


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511), st.booleans())
def test_the_samples_arithmetic_is_the_librarys(
    sample: ModuleType, seed: bytes, message: bytes, bit: int, altered: bool
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = bytearray(key.sign(message))
    if altered:
        signature[bit // 8] ^= 1 << bit % 8
    try:
        key.public_key().verify(bytes(signature), message)
        expected = True
    except InvalidSignature:
        expected = False
    assert expected != altered
    assert sample.is_signed(key.public_key().public_bytes_raw(), message, bytes(signature)) == expected
