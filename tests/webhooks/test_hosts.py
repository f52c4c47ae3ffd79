"""The hosts that a worker calls: shares, and one probe a period of a host that cannot be reached."""

from hypothesis import given
from hypothesis import strategies as st

from aureum.webhooks.hosts import PROBE_AGAIN_SECONDS, Hosts

HOST = "hooks.example.com:443"


def failed(hosts: Hosts, times: int, now: float) -> None:
    for _ in range(times):
        assert hosts.take(HOST, 1, now) == 1
        hosts.ended(HOST, False, now, 1.0)


def test_a_host_has_its_share_and_no_more() -> None:
    hosts = Hosts(4)
    assert hosts.take(HOST, 3, 0.0) == 3
    assert hosts.take(HOST, 3, 0.0) == 1
    assert hosts.full == {HOST}
    assert hosts.take(HOST, 3, 0.0) == 0
    assert hosts.wait(HOST, 0.0) == 0.0, "a host that is busy is not left alone"
    hosts.give_back(HOST, 2)
    assert hosts.full == set()
    assert hosts.take("other.example.com:443", 9, 0.0) == 4
    hosts.ended(HOST, True, 0.0, 1.0)
    hosts.ended(HOST, True, 0.0, 1.0)
    hosts.give_back("other.example.com:443", 4)
    assert hosts.known == {}, "what is idle and well is forgotten"


def test_five_failures_to_connect_leave_a_host_alone_but_for_one_probe_a_period() -> None:
    hosts = Hosts(100)
    failed(hosts, 5, 0.0)
    assert (hosts.open, hosts.wait(HOST, 0.0)) == (1, 5.0)
    assert hosts.take(HOST, 100, 4.9) == 0
    assert hosts.take(HOST, 100, 5.0) == 1
    assert hosts.take(HOST, 100, 5.0) == 0, "one probe"
    assert hosts.wait(HOST, 5.0) == PROBE_AGAIN_SECONDS
    hosts.ended(HOST, False, 6.0, 1.0)
    assert hosts.wait(HOST, 6.0) == 10.0
    assert hosts.take(HOST, 100, 16.0) == 1
    hosts.ended(HOST, True, 17.0, 1.0)
    assert (hosts.open, hosts.take(HOST, 100, 17.0)) == (0, 100)


def test_a_probe_that_was_not_made_is_made_by_the_next() -> None:
    hosts = Hosts(100)
    failed(hosts, 5, 0.0)
    assert hosts.take(HOST, 1, 5.0) == 1
    hosts.give_back(HOST, 1)
    assert hosts.take(HOST, 1, 5.0) == 1


def test_what_began_before_it_opened_tells_nothing_new() -> None:
    hosts = Hosts(100)
    assert hosts.take(HOST, 20, 0.0) == 20
    for _ in range(5):
        hosts.ended(HOST, False, 1.0, 1.0)
    assert hosts.wait(HOST, 1.0) == 5.0
    for _ in range(10):
        hosts.ended(HOST, False, 2.0, 1.0)
    assert hosts.wait(HOST, 2.0) == 4.0
    # The probe goes out while five are still on their way; they do not end it.
    assert hosts.take(HOST, 9, 6.0) == 1
    assert hosts.take(HOST, 9, 6.0) == 0


@given(st.lists(st.tuples(st.sampled_from(["take", "ok", "bad", "unused"]), st.integers(1, 9), st.floats(0, 30))))
def test_a_host_never_has_more_than_its_share_and_gets_all_of_it_back(steps: list[tuple[str, int, float]]) -> None:
    hosts = Hosts(6)
    in_flight, now = 0, 0.0
    for step, number, seconds in steps:
        now += seconds
        if step == "take":
            in_flight += hosts.take(HOST, number, now)
        elif in_flight:
            in_flight -= 1
            if step == "unused":
                hosts.give_back(HOST, 1)
            else:
                hosts.ended(HOST, step == "ok", now, 0.5)
        assert 0 <= in_flight <= 6
    for _ in range(in_flight):
        hosts.ended(HOST, True, now, 0.5)
    # An answer, or time: then everything is as it was.
    if hosts.take(HOST, 1, now + 1_000):
        hosts.ended(HOST, True, now + 1_000, 0.5)
    assert hosts.known == {}
    assert hosts.full == set()
