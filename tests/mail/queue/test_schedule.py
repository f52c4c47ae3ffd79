"""When a mail is tried again: the whole schedule, for any dice."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from aureum.background.pauses import SPREAD
from aureum.mail.queue.leases import LEASE_SECONDS
from aureum.mail.queue.schedule import LONGEST, SCHEDULE, next_attempt_after
from aureum.mail.sending.smtp import TIMEOUT

DICE = st.floats(0, 1)


@given(st.lists(DICE, min_size=len(SCHEDULE), max_size=len(SCHEDULE)))
def test_a_mail_is_tried_nine_times_over_about_two_days(dice: list[float]) -> None:
    waited, attempts = timedelta(0), 0
    while (pause := next_attempt_after(attempts, waited, jitter=dice[min(attempts, 8)])) is not None:
        assert SCHEDULE[attempts] * (1 - SPREAD) <= pause <= SCHEDULE[attempts] * (1 + SPREAD)
        waited, attempts = waited + pause, attempts + 1
    assert attempts == len(SCHEDULE) == 9
    assert timedelta(days=1.5) < waited < timedelta(days=2.5) < LONGEST


@given(st.integers(0, 100), DICE, st.timedeltas(LONGEST))
def test_old_news_is_not_sent(attempts: int, jitter: float, age: timedelta) -> None:
    assert next_attempt_after(attempts, age, jitter=jitter) is None


def test_what_a_killed_worker_held_goes_out_within_45_seconds() -> None:
    assert TIMEOUT < LEASE_SECONDS <= 42
