"""A letter as the bytes of a mail: headers, plain text and HTML. Pure.

Texts come from the catalogue (``texts``), both bodies from a pair of templates. HTML loads nothing from anywhere, and
no link in a mail tells which person has opened it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from aureum.mail.letter import Letter
from aureum.mail.letters import headers
from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.texts import sentence

MULTIPART = """\
MIME-Version: 1.0\r
Content-Type: multipart/alternative;\r
 boundary="{boundary}"\r
\r
{parts}--{boundary}--\r
"""

PART = """\
--{boundary}\r
Content-Type: text/{kind}; charset="utf-8"\r
Content-Transfer-Encoding: quoted-printable\r
\r
{text}\r
"""

MIXED = """\
MIME-Version: 1.0\r
Content-Type: multipart/mixed;\r
 boundary="{boundary}"\r
\r
--{boundary}\r
{bodies}\r
--{boundary}\r
Content-Type: text/calendar; charset="utf-8"; method={method}; component=VEVENT\r
Content-Transfer-Encoding: base64\r
Content-Disposition: attachment; filename="showing.ics"\r
\r
{calendar}
--{boundary}--\r
"""

CANCELS = "\r\nMETHOD:CANCEL\r\n"

LONGEST_TEXT = 20_000

NUMBER = re.compile(r"^\s*\+|[0-9]+", re.ASCII)
LETTER = re.compile(r"[^\W\d_]")

TEMPLATES = Environment(
    loader=PackageLoader("aureum.mail.letters"),
    autoescape=select_autoescape(("html",)),
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters["dialled"] = lambda phone: "".join(NUMBER.findall(LETTER.split(phone)[0]))
"""What a telephone dials of a number as it was given: nothing of an extension, which begins with a letter."""


class AboutBrokerage(NamedTuple):
    """The brokerage in a mail."""

    name: str
    color: str = "#1f4fa3"
    """Of buttons."""


def rendered(letter: Letter, about: AboutBrokerage, message_id: str, sender: str, at: datetime) -> bytes:
    """The mail from *sender* (an address) in the brokerage's name, written at that moment. The boundary of its parts is
    derived from *message_id*, so that the same letter is the same bytes.

    Raises ValueError for an address that no mail can go to, and KeyError for a kind or a field that there is not.
    """
    values = shown(letter, about)
    addressed, answered = headers.usable(letter.recipient.address), headers.usable(letter.reply_to or sender)
    if addressed is None or answered is None or not headers.MESSAGE_ID.fullmatch(message_id):
        raise ValueError("the recipient's address, the one to answer to, or the Message-ID cannot be used")
    service = sender.rpartition("@")[2]
    by = filled(letter, "via", {"brokerage": about.name, "service": service})
    subject = headers.clean(filled(letter, "subject", values), headers.LONGEST_SUBJECT)
    fields = [
        ("From", headers.mailbox(by, sender)),
        ("To", headers.mailbox(letter.recipient.name, addressed)),
        ("Reply-To", headers.mailbox(None, answered)),
        ("Subject", headers.unstructured(subject)),
        ("Date", headers.date(at)),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", letter.language),
    ]
    return headers.lines(fields) + bodies(letter, values, message_id)


def bodies(letter: Letter, values: Mapping[str, Any], message_id: str) -> bytes:
    """Plain text and HTML, the preferred one last, with their headers (RFC 2046). They are written here because the
    library's own messages take several times as long to make as the texts in them."""
    # "=_" never stands in what is quoted-printable.
    boundary = f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"
    parts = "".join(
        PART.format(boundary=boundary, kind=kind, text=quoted_printable(body(letter, values, form)))
        for kind, form in (("plain", "txt"), ("html", "html"))
    )
    mail = MULTIPART.format(boundary=boundary, parts=parts)
    return (mail if letter.calendar is None else with_calendar(mail, letter.calendar, f"{boundary}_")).encode("ascii")


def with_calendar(bodies: str, calendar: str, boundary: str) -> str:
    """*bodies*, and behind them the file *calendar* as calendar programs take it from a mail: the type of its part
    names its method (RFC 6047)."""
    return MIXED.format(
        boundary=boundary,
        bodies=bodies.removeprefix("MIME-Version: 1.0\r\n"),
        method="CANCEL" if CANCELS in calendar else "PUBLISH",
        calendar=base64.encodebytes(calendar.encode()).decode("ascii").replace("\n", "\r\n"),
    )


def quoted_printable(text: str) -> str:
    """*text* in ASCII, in lines of at most 76 characters (RFC 2045)."""
    return binascii.b2a_qp("\r\n".join(text.splitlines()).encode(), istext=True).decode("ascii")


def body(letter: Letter, values: Mapping[str, Any], form: str) -> str:
    """One of the two bodies: ``txt`` or ``html``."""

    def say(key: str, **more: object) -> str:
        return filled(letter, key, {**values, **more}, html=form == "html")

    page = TEMPLATES.get_template(f"{letter.kind}.{form}")
    return page.render({**values, "say": say, "title": say("title"), "language": letter.language})


def filled(letter: Letter, key: str, values: Mapping[str, Any], html: bool = False) -> str:
    """The sentence of *key*, filled with *values*."""
    text = sentence(letter.language, letter.kind, key)
    return escape(text).format_map(values) if html else text.format_map(values)


def shown(letter: Letter, about: AboutBrokerage) -> dict[str, Any]:
    """What texts and templates may show: every field of the letter's kind, None for those that were not given; texts
    without what no mail may hold."""
    kind = KINDS[letter.kind]
    if unknown := letter.fields.keys() - {*kind.fields, "link"}:
        raise KeyError(f"{letter.kind} has no {', '.join(sorted(unknown))}")
    values = {name: legible(letter.fields.get(name)) for name in (*kind.fields, "link")}
    if "lead" in values:
        values["lead"] = headers.clean(values["lead"] or "") or sentence(letter.language, letter.kind, "unnamed")
    to = letter.recipient.name if not kind.public else values["first_name"]
    answers = letter.reply_to is not None and not kind.public
    return {
        **values,
        "brokerage": headers.clean(about.name),
        "color": about.color,
        "to": headers.clean(to or ""),
        "answers": answers,
    }


def legible(value: Any) -> Any:
    """*value* with texts that can be sent: of limited length, with no control characters but line ends."""
    if isinstance(value, str):
        kept = (headers.clean(line, LONGEST_TEXT) for line in value[:LONGEST_TEXT].splitlines())
        return "\n".join(kept).strip()
    if isinstance(value, (list, tuple)):
        return [legible(one) for one in value]
    if isinstance(value, Mapping):
        return {name: legible(one) for name, one in value.items()}
    return value
