"""What must hold when all is over, whatever happened. Pure: facts in, violations out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import Any

Delivery = tuple[str, str]
"""Path of the endpoint, id of the message."""

Disturbance = tuple[float, float, str]

BEFORE_SECONDS = 3.0
"""A disturbance counts for what was received so long before it: its outcome may not have been written yet."""

DUPLICATES_AT_MOST = 0.001
SLOWER_AT_MOST = 1.2
FLOOR_MS = 200.0
"""Below this nothing is slow: on a machine that does other things too, small times vary by more than a fifth. With the
fifth it stays below the 250 ms within which 99 of 100 are to arrive."""


LATE_MS = 45_000.0
"""Whatever happens to workers, what they held goes out again within this."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the log of attempts; ``started`` in seconds since 1970."""

    path: str
    id: str
    started: float
    status: int | None
    outcome: str


def is_success(status: int | None) -> bool:
    return status is not None and 200 <= status <= 299


def by_delivery(receipts: Iterable[Mapping[str, Any]]) -> dict[Delivery, list[Mapping[str, Any]]]:
    """Receipts of each, the earliest first."""
    found: dict[Delivery, list[Mapping[str, Any]]] = defaultdict(list)
    for receipt in sorted(receipts, key=lambda one: one["at"]):
        found[receipt["path"], receipt["id"]].append(receipt)
    return found


def lost_or_invented(expected: set[Delivery], receipts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every endpoint took all that happened since it was registered, and heard of nothing else."""
    taken = {(one["path"], one["id"]) for one in receipts if is_success(one["status"])}
    told = {(one["path"], one["id"]) for one in receipts}
    return [f"lost: {path} never took {id_}" for path, id_ in sorted(expected - taken)] + [
        f"invented: {path} was sent {id_}" for path, id_ in sorted(told - expected)
    ]


def forged_or_changed(receipts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every signature is genuine under both schemes, and the bytes of a message are the same for all and always."""
    bodies: dict[str, str] = {}
    violations = []
    for one in receipts:
        if one["problem"] is not None:
            violations.append(f"forged: {one['id']} to {one['path']}: {one['problem']}")
        if bodies.setdefault(one["id"], one["body"]) != one["body"]:
            violations.append(f"changed: {one['id']} to {one['path']} has other bytes than before")
    return violations


def disturbed(disturbances: Sequence[Disturbance], began: float, ended: float) -> bool:
    """Whether something was killed, stopped, paused or restarted in that time, or shortly before it."""
    return any(start <= ended and end >= began - BEFORE_SECONDS for start, end, _ in disturbances)


def duplicates(
    receipts: Sequence[Mapping[str, Any]], disturbances: Sequence[Disturbance]
) -> tuple[int, list[tuple[Delivery, float, float]]]:
    """How often what had been taken came again near a disturbance; and each time that there was none."""
    near, far = 0, []
    for delivery, own in by_delivery(receipts).items():
        taken = [one["at"] for one in own if is_success(one["status"])]
        for first, again in pairwise(taken):
            if disturbed(disturbances, first, again):
                near += 1
            else:
                far.append((delivery, first, again))
    return near, far


def not_as_logged(
    expected: set[Delivery],
    receipts: Sequence[Mapping[str, Any]],
    log: Sequence[Attempt],
    disturbances: Sequence[Disturbance],
) -> list[str]:
    """The log of attempts and the receiver tell the same story, but for attempts whose worker, or whose line, was lost
    in a disturbance."""
    received = by_delivery(receipts)
    violations = []
    logged: dict[Delivery, list[Attempt]] = defaultdict(list)
    for attempt in log:
        logged[attempt.path, attempt.id].append(attempt)
        if attempt.status is not None and not any(
            abs(one["timestamp"] - attempt.started) <= 1.5 and one["status"] == attempt.status
            for one in received[attempt.path, attempt.id]
        ):
            violations.append(f"unheard: an attempt of {attempt.id} at {attempt.path} is logged with {attempt.status}")
    for path, id_ in sorted(expected):
        delivered = sum(1 for attempt in logged[path, id_] if attempt.outcome == "delivered")
        if delivered != 1:
            violations.append(f"log: {id_} is delivered to {path} {delivered} times")
    for (path, id_), own in received.items():
        starts = [attempt.started for attempt in logged[path, id_]]
        for one in own:
            known = any(abs(one["timestamp"] - start) <= 1.5 for start in starts)
            if not known and not disturbed(disturbances, one["at"], one["at"] + BEFORE_SECONDS):
                violations.append(f"unlogged: nothing is known of a request with {id_} to {path}")
    return violations


def latencies(
    recorded: Mapping[str, float], receipts: Sequence[Mapping[str, Any]], began: float, ended: float
) -> list[float]:
    """Milliseconds from commit to first receipt, of what was recorded in that time and sent to the healthy."""
    healthy = [one for one in receipts if one["path"].startswith("/ok/")]
    return [
        (own[0]["at"] - recorded[id_]) * 1000
        for (_, id_), own in by_delivery(healthy).items()
        if id_ in recorded and began <= recorded[id_] <= ended
    ]


def percentile(values: Sequence[float], which: int) -> float:
    return quantiles(values, n=100, method="inclusive")[which - 1] if len(values) > 1 else 0.0


def is_slower(undisturbed_ms: float, beside_evil_ms: float) -> bool:
    """Whether the healthy suffer from the others: more than a fifth, and so much that it matters."""
    return beside_evil_ms > SLOWER_AT_MOST * max(undisturbed_ms, FLOOR_MS)
