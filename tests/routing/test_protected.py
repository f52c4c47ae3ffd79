"""Masking: which words, in which forms, and what is left."""

import tomllib
from importlib.resources import files

import pytest

from aureum.routing.protected import MARK, masked, protected, without_marks

LIST = protected()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("We are a Christian couple who love craftsman houses", f"We are a {MARK} couple who love craftsman houses"),
        ("close to the mosque and quiet", "quiet"),
        ("MUSLIM owners sell two barns", f"{MARK} owners sell two barns"),
        ("our kids’ rooms upstairs near a bath", f"our {MARK} rooms upstairs near a bath"),
        ("Católica, busco rancho", "busco rancho"),
        ("a service-dog sleeps in the barn stall", f"a {MARK} sleeps in the barn stall"),
        ("My husband uses a wheelchair. A condo downtown", "A condo downtown"),
    ],
)
def test_what_says_who_the_client_is_goes(text: str, left: str) -> None:
    assert masked(text, LIST) == left


@pytest.mark.parametrize(
    "text",
    [
        "A single family home with a family room",
        "Multi-family with four units in New Mexico",
        "We are a couple and look for a 55+ community",
        "Someone who speaks Spanish",
        "A house with good bones and a boat ramp",
        "Somewhere between Twin Falls, American Falls and Santa Fe",
        "French doors, a heritage oak and window blinds",
    ],
)
def test_words_of_the_trade_stay(text: str) -> None:
    assert masked(text, LIST) == text


def test_names_of_the_client_go_wherever_they_stand() -> None:
    names = ("Guadalupe Hernández", "J", "王伟")
    text = "Hola, I am guadalupe HERNÁNDEZ of J Street, 我叫王伟想买房子, a barn please"
    assert masked(text, LIST, names) == f"Hola, I am {MARK} of J Street, 我叫{MARK}想买房子, a barn please"
    assert masked("Hernándezville barns", LIST, names) == "Hernándezville barns"


def test_a_brokerage_adds_words_and_takes_none_away() -> None:
    added = protected(frozenset({"Greek Orthodox Academy", "Boise State fan"}))
    assert (
        masked("near the Greek Orthodox Academy with barn and arena", added) == f"near the {MARK} with barn and arena"
    )
    assert masked("a Boise State fan wants one big barn", added) == f"a {MARK} wants one big barn"
    assert masked("Boise State has lecture halls", added) == "Boise State has lecture halls"
    assert set(LIST.phrases) <= set(added.phrases)


def test_marks_part_what_they_parted() -> None:
    text = "a service deaf animal barn with arena"
    once = masked(text, LIST)
    assert once == f"a service {MARK} animal barn with arena" and masked(once, LIST) == once


def test_what_led_up_to_a_mark_goes_with_it() -> None:
    assert without_marks(f"a unit in a mid-rise close to the {MARK}, quiet") == "a unit in a mid-rise, quiet"


def test_every_group_says_where_it_comes_from() -> None:
    data = tomllib.loads(files("aureum.routing").joinpath("protected.toml").read_text())
    assert all(group["source"].startswith("42 U.S.C. 36") for group in data["class"])
    assert {group["name"] for group in data["class"]} == {
        "religion",
        "national origin",
        "race and colour",
        "familial status",
        "disability",
        "sex, sexual orientation and gender identity",
    }
    assert sum(len(group["words"]) + len(group["phrases"]) for group in data["class"]) > 400
