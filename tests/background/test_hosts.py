"""The hosts that a worker calls: shares, and one probe a period of a host that cannot be reached."""

from hypothesis import given
from hypothesis import strategies as st

from aureum.background.hosts import PROBE_AGAIN_SECONDS, Hosts

HOST = "hooks.example.com:443"


def failed(hosts: Hosts, times: int, now: float) -> None:
    for _ in range(times):
        hosts.began(HOST)
        hosts.ended(HOST, False, now, 1.0)


def room(hosts: Hosts, now: float) -> int:
    """What a claim may take of it."""
    return {name: room for name, room, _ in hosts.rooms(now)}.get(HOST, hosts.unknown_share)


def pause(hosts: Hosts, now: float) -> float:
    return {name: pause for name, _, pause in hosts.rooms(now)}.get(HOST, 0.0)


def test_a_host_has_its_share_and_no_more() -> None:
    hosts = Hosts(4)
    assert room(hosts, 0.0) == 2, "a claim takes half; a host that has half is named"
    for _ in range(3):
        hosts.began(HOST)
    assert room(hosts, 0.0) == 1
    hosts.began(HOST)
    assert (room(hosts, 0.0), pause(hosts, 0.0), hosts.full()) == (0, 0.0, [HOST])
    hosts.given_up(HOST)
    assert hosts.full() == []
    for _ in range(3):
        hosts.ended(HOST, True, 0.0, 1.0)
    assert hosts.known == {}, "what is idle and well is forgotten"


def test_five_failures_to_connect_leave_a_host_alone_but_for_one_probe_a_period() -> None:
    hosts = Hosts(100)
    failed(hosts, 5, 0.0)
    assert (hosts.open, pause(hosts, 0.0)) == (1, 5.0)
    assert room(hosts, 4.9) == 0
    assert (room(hosts, 5.0), pause(hosts, 5.0)) == (1, 0.0)
    hosts.began(HOST)
    assert (room(hosts, 5.0), pause(hosts, 5.0)) == (0, PROBE_AGAIN_SECONDS), "one probe"
    hosts.ended(HOST, False, 6.0, 1.0)
    assert pause(hosts, 6.0) == 10.0
    assert room(hosts, 16.0) == 1
    hosts.began(HOST)
    hosts.ended(HOST, True, 17.0, 1.0)
    assert (hosts.open, room(hosts, 17.0)) == (0, 50)


def test_a_probe_that_was_not_made_is_made_by_the_next() -> None:
    hosts = Hosts(100)
    failed(hosts, 5, 0.0)
    hosts.began(HOST)
    assert room(hosts, 5.0) == 0
    hosts.given_up(HOST)
    assert room(hosts, 5.0) == 1


def test_what_began_before_it_opened_tells_nothing_new() -> None:
    hosts = Hosts(100)
    for _ in range(20):
        hosts.began(HOST)
    for _ in range(5):
        hosts.ended(HOST, False, 1.0, 1.0)
    assert pause(hosts, 1.0) == 5.0
    for _ in range(10):
        hosts.ended(HOST, False, 2.0, 1.0)
    assert pause(hosts, 2.0) == 4.0
    assert room(hosts, 6.0) == 1


def test_what_was_claimed_before_it_opened_and_began_after_is_no_probe_for_ever() -> None:
    hosts = Hosts(100)
    failed(hosts, 5, 0.0)
    # The claim asked for room a moment earlier.
    for _ in range(3):
        hosts.began(HOST)
    for _ in range(3):
        hosts.ended(HOST, False, 1.0, 1.0)
    assert (room(hosts, 1.0), pause(hosts, 1.0)) == (0, 4.0)
    assert room(hosts, 5.0) == 1


@given(st.lists(st.tuples(st.sampled_from(["claim", "ok", "bad", "unused"]), st.floats(0, 30))))
def test_a_host_never_has_more_than_its_share_and_is_forgotten_in_the_end(steps: list[tuple[str, float]]) -> None:
    hosts = Hosts(6)
    in_flight, now = 0, 0.0
    for step, seconds in steps:
        now += seconds
        if step == "claim":
            for _ in range(room(hosts, now)):
                hosts.began(HOST)
                in_flight += 1
        elif in_flight:
            in_flight -= 1
            if step == "unused":
                hosts.given_up(HOST)
            else:
                hosts.ended(HOST, step == "ok", now, 0.5)
        assert 0 <= in_flight <= 6
        assert room(hosts, now) + in_flight <= 6 or hosts.open
        assert pause(hosts, now) <= 900
    for _ in range(in_flight):
        hosts.ended(HOST, True, now, 0.5)
    # An answer, or time: then everything is as it was.
    assert room(hosts, now + 1_000) > 0
    hosts.began(HOST)
    hosts.ended(HOST, True, now + 1_000, 0.5)
    assert hosts.known == {}
