"""Invented people, as a brokerage's contacts are: few names that many have, and many that few have."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate, product

from aureum.domain import ids
from aureum.domain.contact import TYPES, Contact

FIRST_NAMES = """
Mary James Maria John Jennifer Michael Linda David Elizabeth William Susan Robert Jessica Joseph Sarah Thomas Karen
Carlos Ana Wei Zoë José Daniel Nancy Matthew Lisa Anthony Betty Mark Sandra Paul Ashley Steven Kimberly Andrew Emily
Kenneth Donna Joshua Michelle Kevin Carol Brian Amanda George Melissa Ronald Deborah Timothy Stephanie Jason Rebecca
Edward Sharon Jeffrey Laura Ryan Cynthia Jacob Dorothy Gary Amy Nicholas Kathleen Eric Angela Jonathan Shirley
Stephen Emma Larry Brenda Justin Pamela Scott Nicole Brandon Anna Benjamin Samantha Samuel Katherine Gregory
Christine Frank Helen Ann Tom Dan Ian Kim Lee Gail Sue Joe Jan Ray Roy Amy Eva Max Leo Mia Ava Zara Björn Søren
Łukasz Günther Anne-Marie Siobhán Priya Rahul Fatima Ahmed Yuki Hiroshi Olga Dmitri Ingrid Mateo Sanjay Amara
Xochitl Quentin Ulysses
"""
LAST_NAMES = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson
Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young
Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter
Roberts O'Neil Gómez Müller Kowalski Ivanov Chen Wang Li Kim Park Tanaka Singh Patel Khan Ali Jensen Olsen Virtanen
Rossi Ferrari
"""
BEGINNINGS = (
    "Ash Bar Bren Cal Dun Elm Fair Glen Hart Ives Kel Lang Mor Nor Oak Pem Quin Rad Stan Thorn Ul Vin Wex Yar Zel"
)
MIDDLES = "a be co de el fi go ha in ka le ma no ol per ri sa ter un vi"
ENDINGS = "berg by croft dale den field ford gate ham ley low man mond more ridge sen son stead ton well wick worth"
FIRST, LAST = FIRST_NAMES.split(), LAST_NAMES.split()
DOMAINS = {"mail": 50, "post": 25, "inbox": 12, "letters": 6, "": 7}
"""Of example.com, each with its share; the last kind is a domain of the person's own."""

TAGS = ("vip", "investor-day", "open-house", "relocating", "first-home", "newsletter")


def rarer(names: list[str]) -> list[float]:
    """Cumulative weights: the second has half as many as the first, the third a third, and so on."""
    return list(accumulate(1 / (place + 3) for place in range(len(names))))


def people(count: int, seed: int = 5) -> Iterator[Contact]:
    """*count* contacts, none of them stored, one a minute."""
    dice = random.Random(seed)
    composed = ["".join(parts) for parts in product(BEGINNINGS.split(), MIDDLES.split(), ENDINGS.split())]
    dice.shuffle(composed)
    last_names = LAST + composed
    first_weights, last_weights = rarer(FIRST), rarer(last_names)
    at = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
    for number in range(count):
        at += timedelta(minutes=1)
        (first,) = dice.choices(FIRST, cum_weights=first_weights)
        (last,) = dice.choices(last_names, cum_weights=last_weights)
        (host,) = dice.choices(list(DOMAINS), weights=list(DOMAINS.values()))
        mailbox = dice.choice(
            (f"{first}.{last}", f"{first[0]}{last}", f"{first}{last}{number % 100}", f"{last}{number}")
        )
        yield Contact.add(
            ids.new_id(at),
            at,
            first_name=first,
            last_name=last,
            email=f"{mailbox}@{host or f'{last}.family'}.example.com".lower() if dice.random() < 0.9 else None,
            phone=f"208-{200 + number % 700}-{number % 10_000:04}",
            phone_e164=f"+1208{200 + number % 700}{number % 10_000:04}",
            type=dice.choice(TYPES),
            tags=[tag for place, tag in enumerate(TAGS) if dice.random() < 0.2 / (1 + 9 * place)],
            lead_id=None,
            created_by=None,
        )
