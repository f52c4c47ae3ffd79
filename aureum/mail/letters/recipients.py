"""The staff who get a letter: agents about what is theirs, owners and brokers about what no agent has, owners about
what goes wrong. A user without an address gets none, and neither does a disabled user."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from aureum.domain.user import NOTIFY
from aureum.mail.letter import Letter, Recipient
from aureum.mail.letters.headers import usable
from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.texts import LANGUAGES, written_in

AT_ONCE, DIGEST, _ = NOTIFY

OWNERS = ("brokerage_owner",)
MANAGERS = ("brokerage_owner", "broker")

STAFF = """
SELECT u.user_id, coalesce(u.shown_email, u.email), u.name, u.role, u.notify, u.languages
  FROM users u
 WHERE u.tenant_id = %(tenant)s AND NOT u.disabled
 ORDER BY u.number
"""


class Member(NamedTuple):
    """A user of the brokerage. ``languages`` are those in the profile."""

    user_id: UUID
    address: str
    name: str
    role: str
    notify: str
    languages: tuple[str, ...]

    @property
    def language(self) -> str:
        """The language of letters to this user: English, unless the profile has another one and not English."""
        spoken = [tag for tag in self.languages if written_in(tag) == tag.partition("-")[0].lower()]
        known = {written_in(tag) for tag in spoken}
        return LANGUAGES[0] if not known or LANGUAGES[0] in known else written_in(spoken[0])


def staff_of(rows: Iterable[Any]) -> dict[UUID, Member]:
    """The staff by id, of rows of ``STAFF``, as far as mails can go there."""
    members = (
        Member(user_id, address, name, role, notify, tuple(languages))
        for user_id, address, name, role, notify, languages in rows
    )
    return {member.user_id: member for member in members if usable(member.address) is not None}


def letter_to(
    member: Member,
    kind: str,
    fields: Mapping[str, object],
    position: int,
    *,
    subject_id: UUID | None = None,
    reply_to: str | None = None,
    not_before: datetime | None = None,
) -> Letter:
    """A letter to a member of the staff, without a look at ``notify``."""
    recipient = Recipient(member.address, member.name, member.user_id, subject_id)
    return Letter(kind, recipient, usable(reply_to), member.language, fields, position, not_before)


def wish(member: Member, kind: str) -> str:
    """When a user wants a letter of this kind: one of ``aureum.domain.user.NOTIFY``."""
    about = KINDS[kind]
    return AT_ONCE if about.account or (about.urgent and member.notify == DIGEST) else member.notify
