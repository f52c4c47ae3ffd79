"""A letter as the bytes of a mail. Pure."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from aureum.domain.texts import one_line
from aureum.mail.letter import Letter


class AboutBrokerage(NamedTuple):
    """What every mail tells of the brokerage that it is from."""

    name: str


def rendered(letter: Letter, about: AboutBrokerage, message_id: str, sender: str, at: datetime) -> bytes:
    """The mail from *sender* (an address) in the brokerage's name, written at that moment; the same letter is the same
    bytes. Raises ValueError for an address that no mail can go to."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = one_line(letter.recipient.address)
    mail["Reply-To"] = one_line(letter.reply_to or sender)
    mail["Subject"] = one_line(f"New lead: {letter.fields['lead']}")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{letter.fields['lead']} has written to {about.name}.\n")
    return mail.as_bytes()
