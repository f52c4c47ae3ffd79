"""The names of settings, and what was probably meant by those that are none."""

import os
from difflib import get_close_matches

from aureum.settings import PREFIX, Settings, env_name

FOR_TESTS = "AUREUM_TEST_"
"""What the tests of Aureum itself read."""


def known_settings() -> list[str]:
    """The names of all settings."""
    return [env_name(name) for name in Settings.model_fields]


def unknown_settings() -> list[str]:
    """Variables of the environment and lines of `.env` that begin like settings and are none: most often misspelled."""
    from dotenv import dotenv_values

    try:
        lines = dotenv_values(".env")
    except (OSError, UnicodeDecodeError):
        lines = {}
    known = set(known_settings())
    given = {**lines, **os.environ}
    return sorted(
        name
        for name in given
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and given[name]
        and not name.startswith(FOR_TESTS)
    )


def misnamed() -> list[str]:
    """A sentence for each of ``unknown_settings``, with the setting that was probably meant. Values are not shown."""
    sentences = []
    names = {name.removeprefix(PREFIX): name for name in known_settings()}
    for unknown in unknown_settings():
        close = get_close_matches(unknown.upper().removeprefix(PREFIX), names, 1)
        meant = f"Did you mean {names[close[0]]}?" if close else "'aureum settings' lists those there are."
        sentences.append(f"{unknown} is no setting and does nothing. {meant}")
    return sentences
