"""What a process remembers of requests and their answers: not too many, and only as long as it is true."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.http.access.gate import PASSED_AS, Admission, Caller, Lookup
from aureum.http.server.revalidation import CAME_AS, LONGEST, KeptAnswer, Known, Revalidations, digest, still_true


@given(data=st.binary(max_size=50), address=st.binary(max_size=20))
def test_only_what_can_be_a_whole_get_has_a_digest(data: bytes, address: bytes) -> None:
    whole = b"GET /" + data + b"\r\n\r\n"
    found = digest(address, whole)
    assert found is not None and len(found) == 32
    assert found == digest(address, whole)
    assert found != digest(address + b"1", whole)
    assert found != digest(address, b"GET /" + data + b".\r\n\r\n")
    assert digest(address, data) is None or data.startswith(b"GET ")
    assert digest(address, whole[:-1]) is None
    assert digest(address, b"POST /" + data + b"\r\n\r\n") is None
    assert digest(address, b"GET /" + b"x" * LONGEST + b"\r\n\r\n") is None


ABOUT = Caller(None, "key", None, None, UUID(int=1), 1, "snake-river", "Elite", "US", False, 0, 7, 1, 100)
LINE = Lookup(b"hash", "", "", "")
ANSWER = KeptAnswer("/", b"", True, None)


def scope(came_as: bytes | None, admission: Admission | None = None) -> dict[str, Any]:
    return {CAME_AS: came_as, PASSED_AS: (LINE, admission or Admission(ABOUT, 9, None))}


def test_the_one_that_was_not_asked_for_longest_goes_first() -> None:
    kept = Revalidations(2)
    for came_as in (b"first", b"second"):
        kept.keep(scope(came_as), ABOUT, ANSWER)
    assert kept.find(b"first") is not None
    kept.keep(scope(b"third"), ABOUT, ANSWER)

    assert [kept.find(came_as) is not None for came_as in (b"first", b"second", b"third")] == [True, False, True]
    kept.forget(b"first")
    kept.forget(b"nothing")
    assert kept.find(b"first") is None


@pytest.mark.parametrize("field", Caller._fields)
def test_whatever_the_gate_says_otherwise_it_is_no_longer_true(field: str) -> None:
    known = Known(LINE, ABOUT, ANSWER)
    assert still_true(known, Admission(ABOUT, 3, None)), "how many requests remain is said each time"
    another: dict[str, Any] = {field: "another"}
    assert not still_true(known, Admission(ABOUT._replace(**another), 9, None))


def test_nothing_is_kept_of_what_did_not_come_alone_or_asked_twice() -> None:
    kept = Revalidations(2)
    kept.keep(scope(None), ABOUT, ANSWER)
    kept.keep(scope(b"twice"), ABOUT._replace(number=2), ANSWER)
    kept.keep({CAME_AS: b"never"}, ABOUT, ANSWER)
    kept.keep({CAME_AS: b"unknown", PASSED_AS: (LINE, None)}, ABOUT, ANSWER)

    assert [kept.find(came_as) for came_as in (b"twice", b"never", b"unknown")] == [None] * 3
