"""What each of the staff wishes to get, and in which language."""

from typing import Any
from uuid import UUID

import pytest

from aureum.domain.user import NOTIFY
from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.recipients import Member, staff_of, wish


def member(notify: str = "at_once", *languages: str) -> Member:
    return Member(UUID(int=1), "ana@example.com", "Ana", "agent", notify, languages)


@pytest.mark.parametrize(
    ("kind", "wishes"),
    [
        ("lead_assigned", ["at_once", "digest", "none"]),
        ("lead_offered", ["at_once", "at_once", "none"]),
        ("webhook_disabled", ["at_once", "at_once", "at_once"]),
    ],
)
def test_what_cannot_wait_comes_at_once_and_what_concerns_the_account_always(kind: str, wishes: list[str]) -> None:
    assert [wish(member(notify), kind) for notify in NOTIFY] == wishes


def test_no_kind_is_for_visitors_and_for_the_account() -> None:
    public = [kind for kind, about in KINDS.items() if about.public and not kind.startswith("envelope_")]
    assert public == [
        "confirmation",
        "showing_calendar",
        "showing_cancelled",
        "portal_sign_in",
        "portal_address",
        "address_changed",
        "client_message",
        "client_listing",
    ]
    assert not any(about.public and (about.account or about.urgent) for about in KINDS.values())


@pytest.mark.parametrize(
    ("languages", "expected"),
    [((), "en"), (("es",), "es"), (("es-MX", "pt"), "es"), (("es", "en-US"), "en"), (("vi",), "en")],
)
def test_staff_read_english_unless_they_speak_another_language_and_not_english(
    languages: tuple[str, ...], expected: str
) -> None:
    assert member("at_once", *languages).language == expected


def test_a_user_to_whose_address_no_mail_can_go_is_left_out() -> None:
    rows: list[tuple[Any, ...]] = [
        (UUID(int=number), address, "X", "agent", "at_once", []) for number, address in enumerate(("", "x", "a@b.de"))
    ]
    assert [one.address for one in staff_of(rows).values()] == ["a@b.de"]
