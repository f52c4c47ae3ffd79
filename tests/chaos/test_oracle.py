"""The judge of ``make chaos`` finds what is wrong, and nothing where nothing is."""

from typing import Any

from tests.chaos.oracle import (
    Attempt,
    Disturbance,
    duplicates,
    forged_or_changed,
    is_slower,
    latencies,
    lost_or_invented,
    not_as_logged,
    percentile,
)

EXPECTED = {("/ok/1", "msg_1"), ("/500/2", "msg_1")}
KILLED: list[Disturbance] = [(100.0, 101.0, "kill -9")]


def receipt(at: float, path: str = "/ok/1", **other: Any) -> dict[str, Any]:
    """A genuine request that was answered 200, but for what is said."""
    usual = {"id": "msg_1", "timestamp": int(at), "body": "same", "problem": None, "status": 200}
    return {"at": at, "path": path} | usual | other


def attempt(started: float, path: str = "/ok/1", status: int | None = 200, outcome: str = "delivered") -> Attempt:
    return Attempt(path, "msg_1", started, status, outcome)


def test_nothing_is_wrong_with_what_arrived_after_a_failure() -> None:
    receipts = [receipt(10), receipt(10, "/500/2", status=500), receipt(60, "/500/2")]
    log = [attempt(10), attempt(10, "/500/2", 500, "failed"), attempt(60, "/500/2")]
    assert lost_or_invented(EXPECTED, receipts) == []
    assert forged_or_changed(receipts) == []
    assert duplicates(receipts, KILLED) == (0, [])
    assert not_as_logged(EXPECTED, receipts, log, KILLED) == []


def test_what_was_sent_and_not_taken_is_lost_and_what_is_not_expected_is_invented() -> None:
    receipts = [receipt(10), receipt(10, "/500/2", status=500), receipt(10, id="msg_9")]
    assert lost_or_invented(EXPECTED, receipts) == ["lost: /500/2 never took msg_1", "invented: /ok/1 was sent msg_9"]


def test_one_bad_signature_or_another_byte_is_found() -> None:
    forged, changed = forged_or_changed(
        [receipt(1), receipt(2, problem="X-Aureum-Signature"), receipt(3, body="other")]
    )
    assert forged.startswith("forged") and changed.startswith("changed")


def test_duplicates_are_excused_by_what_happened_between_or_shortly_before() -> None:
    assert duplicates([receipt(98), receipt(110)], KILLED) == (1, [])
    assert duplicates([receipt(103.5), receipt(110)], KILLED) == (1, [])
    assert duplicates([receipt(10), receipt(20)], KILLED) == (0, [(("/ok/1", "msg_1"), 10, 20)])
    assert duplicates([receipt(105), receipt(110)], KILLED)[0] == 0


def test_the_log_must_tell_of_each_request_and_of_no_other() -> None:
    one = {("/ok/1", "msg_1")}
    (unlogged,) = not_as_logged(set(), [receipt(10)], [], KILLED)
    assert unlogged.startswith("unlogged")
    assert not_as_logged(set(), [receipt(99)], [], KILLED) == []
    unheard, never = not_as_logged(one, [], [attempt(10, outcome="failed")], KILLED)
    assert unheard.startswith("unheard") and never == "log: msg_1 is delivered to /ok/1 0 times"
    assert not_as_logged(one, [receipt(10)], [attempt(10, status=500, outcome="delivered")], KILLED)
    twice = [attempt(10), attempt(10)]
    assert not_as_logged(one, [receipt(10)], twice, KILLED) == ["log: msg_1 is delivered to /ok/1 2 times"]


def test_latency_is_that_of_the_first_receipt_at_the_healthy() -> None:
    receipts = [receipt(10.5), receipt(10.25), receipt(11, "/500/2")]
    assert latencies({"msg_1": 10.0}, receipts, 0, 20) == [250.0]
    assert latencies({"msg_1": 10.0}, receipts, 11, 20) == []
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert not is_slower(10, 200) and not is_slower(300, 350)
    assert is_slower(10, 300) and is_slower(300, 400)
