"""A browser and its machine in words, of what it says in ``User-Agent``: enough to know one's own sessions again."""

import re

LONGEST = 500

PROGRAMS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Most browsers name others as well: the first that is found counts."""

MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,29}(?=/)")
UNKNOWN = "An unknown program"


def device_of(user_agent: str | None) -> str:
    """``Chrome on Windows``, or the name of a program that is no browser."""
    said = (user_agent or "")[:LONGEST]
    program = next((name for mark, name in PROGRAMS if mark in said), None)
    machine = next((name for mark, name in MACHINES if mark in said), None)
    if program is not None:
        return f"{program} on {machine}" if machine else program
    named = NAME.match(said)
    return UNKNOWN if named is None or named[0] == "Mozilla" else named[0]
