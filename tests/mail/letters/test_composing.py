"""Letters as mails: what they say in both languages and forms, and that nothing in a name or text can make a header."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aureum.mail.letters import headers
from aureum.mail.letters.composing import AboutBrokerage, legible, rendered
from aureum.mail.letters.kinds import KINDS
from aureum.mail.letters.texts import LANGUAGES
from tests.examples import examples
from tests.mail.letters.letters import AT, BROKERAGE, FIELDS, LINK, MESSAGE_ID, SENDER, has_link, letter

EXPECTED = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]

NASTY = st.text(
    st.one_of(
        st.sampled_from("\r\n\0\x85\u2028\u2029\u200f\u202e\ud800\udfff,;:<>@\"\\()=?_ 🏡é"),
        st.characters(max_codepoint=0x2FFF),
    ),
    max_size=60,
) | st.sampled_from(
    [
        "Nora\r\nBcc: all@example.com",
        "Nora\n\n<script>alert(1)</script>",
        "🏡" * 200,
        '"Nora" <other@example.com>, x@example.com',
        "=?utf-8?q?a=0D=0ABcc=3A_x=40example=2Ecom?=",
        "a" * 3_000,
        "{brokerage} {0} %s {{ link }}",
    ]
)  # fmt: skip


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def parts(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.iter_parts()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    return plain.get_content(), html.get_content()


def name_in(head: bytes, field: str) -> str:
    """The name in front of a field's address. The parser of ``email.policy`` puts blanks between encoded words."""
    (value,) = re.findall(rf"^{field}: (.*)$", head.decode().replace("\r\n ", " ").replace("\r", ""), re.MULTILINE)
    phrase = value.rpartition("<")[0].strip()
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(make_header(decode_header(phrase)))


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_tells_all_that_it_has_in_both_forms_and_loads_nothing(kind: str, language: str) -> None:
    mail = parsed(rendered(letter(kind, language), BROKERAGE, MESSAGE_ID, SENDER, AT))
    assert mail.keys() == EXPECTED
    assert mail["Message-ID"] == MESSAGE_ID
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "nora@example.com"
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["From"].addresses[0].display_name.startswith("Snake River Realty ")
    plain, html = parts(mail)
    page = Elements(html)
    for field in KINDS[kind].fields:
        value = FIELDS[kind].get(field)
        if isinstance(value, str) and field not in ("asked", "why", "listing", "wished"):
            for line in value.splitlines():
                assert line in plain or line in mail["Subject"], field
                assert line in page.text or line in mail["Subject"], field
    links = [about.get("href") for tag, about in page.found if tag == "a"]
    assert (LINK in links) == (LINK in plain) == has_link(kind)
    assert not {"img", "script", "link", "style", "form"} & {tag for tag, _ in page.found}
    assert [about["lang"] for tag, about in page.found if tag == "html"] == [language]
    assert sum(tag == "h1" for tag, _ in page.found) == 1
    assert all(len(line) <= 998 for line in html.encode().splitlines())
    assert "None" not in plain
    assert re.search(r"\{|\}|\n\n\n\n", plain) is None


@settings(deadline=None, max_examples=examples(80))
@given(name=NASTY, brokerage=NASTY, text=NASTY)
def test_no_name_or_text_makes_a_header(name: str, brokerage: str, text: str) -> None:
    changed: dict[str, Any] = {"lead": name, "message": text, "subject": text, "reason": text}
    raw = rendered(letter("lead_assigned", name=name, **changed), AboutBrokerage(brokerage), MESSAGE_ID, SENDER, AT)
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert head.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert all(len(line) <= 76 for line in head.split(b"\r\n"))
    assert all(len(line) <= 998 for line in rest.split(b"\r\n"))
    mail = parsed(raw)
    assert mail.keys() == EXPECTED
    assert not mail.defects
    shown, by = headers.clean(name), headers.clean(f"{headers.clean(brokerage)} via crm.example.com")
    assert [one.addr_spec for one in mail["To"].addresses] == ["ana@snakeriver.example.com"]
    assert [one.addr_spec for one in mail["From"].addresses] == [SENDER]
    assert name_in(head, "To") == shown
    assert name_in(head, "From") == by
    assert mail["Subject"] == headers.clean(f"New lead: {shown or 'a person without a name'}", headers.LONGEST_SUBJECT)
    plain, html = parts(mail)
    for line in legible(text).splitlines():
        assert line in plain
        assert line in Elements(html).text
    assert not {"script", "img"} & {tag for tag, _ in Elements(html).found}


@settings(deadline=None, max_examples=examples(80))
@given(st.one_of(NASTY, NASTY.map("{}@example.com".format), NASTY.map("nora@{}".format), st.emails()))
def test_an_address_is_taken_only_if_it_is_one_address(address: str) -> None:
    usable = headers.usable(address)
    if usable is None:
        with pytest.raises(ValueError, match="cannot be used"):
            rendered(letter("lead_assigned", address=address), BROKERAGE, MESSAGE_ID, SENDER, AT)
        return
    raw = rendered(letter("lead_assigned", address=address, reply_to=address), BROKERAGE, MESSAGE_ID, SENDER, AT)
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert re.findall(r"^(?:To|Reply-To): (?:.*\r\n )?<(.*)>\r$", head, re.MULTILINE) == [usable, usable]


def test_a_field_that_its_kind_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="confirmation has no message"):
        rendered(letter("confirmation", message="Buy now"), BROKERAGE, MESSAGE_ID, SENDER, AT)


@pytest.mark.parametrize(
    ("phone", "dialled"),
    [("+1 (208) 555-0123", "+12085550123"), ("208.555.0123 ext. 7", "2085550123"), ("call me", ""), ("1+1", "11")],
)
def test_a_telephone_dials_the_number_and_nothing_else(phone: str, dialled: str) -> None:
    raw = rendered(letter("lead_assigned", phone=phone), BROKERAGE, MESSAGE_ID, SENDER, AT)
    links = [about.get("href") for tag, about in Elements(parts(parsed(raw))[1]).found if tag == "a"]
    assert links[:2] == ["mailto:nora@example.com", f"tel:{dialled}"]


def test_the_same_letter_is_the_same_bytes() -> None:
    assert len({rendered(letter("digest"), BROKERAGE, MESSAGE_ID, SENDER, AT) for _ in range(2)}) == 1
