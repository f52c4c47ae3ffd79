"""Passwords that are guessed first are refused, all others taken, whatever characters they are made of."""

import secrets
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.commands.guessable import is_guessable
from aureum.demo.demo import derived
from tests.examples import examples

KNOWN = ("Jane.Doe@Snake-River.example.com", "Jane Doe", "Snake River Realty", "snake-river", "snakeriver.example.com")


@pytest.mark.parametrize(
    "password",
    [
        # Runs and repetitions.
        "aaaaaaaaaaaa", "111111111111", "ababababab12", "123456789012", "abcdefghijkl", "qwertyuiop12", "q1w2e3r4t5y6",
        "112233445566", "999888777666", "zxcvbnm,./zx", "            ", "a" * 60,
        # Common ones, varied as people do.
        "password1234", "Password1234!", "P@ssw0rd1234", "passwordpassword", "iloveyou1234", "letmein12345",
        "welcome12345", "trustno1trustno1", "adminadmin12", "baseball2024", "Drowssap1234", "1234password",
        # What is known of the user, alone or with a little more.
        "jane.doe@snake-river.example.com", "Jane.Doe@Snake-River.example.com1", "JaneDoeJaneDoe", "jane-doe-2026",
        "snakeriverrealty", "Snake River Realty 1", "aureumaureum", "Aureum2026!!", "aureum-admin-1", "snake-river-123",
        "ＡＵＲＥＵＭaureum", "ytlaerrevirekans",
    ],
)  # fmt: skip
def test_guessed_first(password: str) -> None:
    assert is_guessable(password, KNOWN)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "apples fall in autumn", "a quite different one", "my dog eats cheese",
        "blue lamp window", "zq8vk2mw9xp1", "jane likes purple rain a lot", "eine blaue Lampe am Fenster",
        "сегодня хорошая погода", "今天天气很好我们去公园玩吧", "a" * 24 + "zq8vk2mw9xp1", "🦊🐙🌵🎻🧊🪁🛶🧭🪀🥁🎲🪕",
    ],
)  # fmt: skip
def test_not_guessed_soon(password: str) -> None:
    assert not is_guessable(password, KNOWN)


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(12, 1024), st.sampled_from([string.ascii_lowercase, string.ascii_letters + string.digits]))
def test_what_a_machine_draws_is_always_good(length: int, alphabet: str) -> None:
    assert not is_guessable("".join(secrets.choice(alphabet) for _ in range(length)), KNOWN)


@settings(max_examples=examples(30), deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_the_demos_own_password_is_good(master_key: bytes) -> None:
    known = ("olivia.owner@example.com", "Olivia Owner", "Snake River Realty", "demo", "localhost")
    assert not is_guessable(derived(master_key, "password")[:20], known)


@settings(max_examples=examples(30), deadline=None)
@given(st.text(min_size=12, max_size=1024), st.lists(st.text(max_size=300), max_size=5))
def test_any_text_is_judged(password: str, known: list[str]) -> None:
    assert is_guessable(password, known) in (True, False)


def test_what_was_made_to_take_long_takes_a_bounded_time() -> None:
    hard = "4@8({[<369&1!|0$5+7%2" * 48
    started = time.process_time()
    is_guessable(hard, KNOWN)
    assert time.process_time() - started < 10, "two looks at a few characters each"
