"""The fields of a form: how each is shown, and what the API gets of what was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from aureum.domain.prices import price_shown, price_typed
from aureum.http.panel.times import sent_time, typed_time
from aureum.http.wire.page_forms import Form

Text = Literal["text", "email", "tel", "date", "long", "password"]
Picked = Literal["lead", "contact", "person", "property"]
Kind = Literal[
    Text,
    Picked,
    "number",
    "amount",
    "price",
    "choice",
    "user",
    "brokerage",
    "words",
    "hours",
    "photos",
    "tick",
    "time",
    "wall",
]
"""``words``: several, with commas; ``hours``: of each working day, with commas;
``photos``: links, one a line, each with what it shows;
``user``: one of the staff; ``brokerage``: one of all, for platform admins alone;
``time``: an instant, typed on the brokerage's clock;
``wall``: on the clock in the resource's own ``timeZone``;
``price``: in dollars, as people write it (``prices.py``);
``lead``, ``contact``, ``property``, or a ``person``, who is a lead or contact: picked by its name (``picking.py``)."""

PICKED: tuple[str, ...] = get_args(Picked)

LINE_END = re.compile(r"\r\n?")
TO_THE_MINUTE = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}", re.ASCII)
AMOUNT = re.compile(r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,9})?", re.ASCII)
"""With commas between thousands, as lists show it, or without."""


@dataclass(frozen=True, slots=True)
class Field:
    """*name* is the API's."""

    name: str
    label: str
    kind: Kind = "text"
    choices: Sequence[str] = ()
    required: bool = False
    hint: str = ""
    default: str = ""


def sent(field: Field, form: Form, zone: ZoneInfo) -> Any:
    """What was typed, as JSON has it; None for nothing. What is of the wrong kind stays as typed: the API says so.
    Raises Invalid for what is no price."""
    text = form[field.name]
    match field.kind:
        case "number" | "brokerage":
            return form.number(field.name)
        case "amount":
            return float(text.replace(",", "")) if AMOUNT.fullmatch(text) else text or None
        case "price":
            return price_typed(text)
        case "words":
            return [word.strip() for word in text.split(",") if word.strip()]
        case "hours":
            return hours_typed(text)
        case "photos":
            return photos_typed(text)
        case "tick":
            return text == "yes"
        case "time":
            return sent_time(text, zone)
        case "password":
            return "".join(form.all(field.name)[:1]) or None
    return text or None


def typed(field: Field, value: Any, zone: ZoneInfo) -> str:
    """A resource's value, as its field shows it."""
    match field.kind:
        case "words":
            return ", ".join(value or ())
        case "hours":
            return ", ".join(f"{day} {begins}-{ends}" for day, (begins, ends) in (value or {}).items())
        case "photos":
            return "\n".join(f"{photo['url']} {photo['alt']}".strip() for photo in value or ())
        case "tick":
            return "yes" if value else ""
        case "time" | "wall":
            return typed_time(value, zone)
        case "price":
            return "" if value is None else price_shown(value)
        case "amount" if isinstance(value, float) and value.is_integer():
            return str(int(value))
    return "" if value is None else str(value)


HOURS = re.compile(r"(?P<day>\w+) +(?P<begins>[0-9:]+) *[-–] *(?P<ends>[0-9:]+)")


def hours_typed(text: str) -> dict[str, list[str]] | None:
    """``mon 09:00-17:00, tue 9:00-12:00`` as the API takes it; None for nothing. The API refuses days without hours."""
    hours = {}
    for part in filter(None, map(str.strip, text.split(","))):
        found = HOURS.fullmatch(part)
        hours[part if found is None else found["day"].lower()[:3]] = (
            [] if found is None else [found[name].rjust(5, "0") for name in ("begins", "ends")]
        )
    return hours or None


def photos_typed(text: str) -> list[dict[str, str]]:
    """A photo a line, as the API takes them; empty lines are none."""
    lines = (line.strip().partition(" ") for line in text.splitlines() if line.strip())
    return [{"url": url, "alt": alt.strip()} for url, _, alt in lines]


def all_typed(fields: Sequence[Field], resource: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """The values of a form about *resource*."""
    place = ZoneInfo(resource["timeZone"]) if resource.get("timeZone") else zone
    return {
        field.name: typed(field, resource.get(field.name), place if field.kind == "wall" else zone) for field in fields
    }


def as_typed(fields: Sequence[Field], form: Form) -> dict[str, str]:
    """What a form has sent, for the form again."""
    return {field.name: form[field.name] for field in fields}


def made(fields: Sequence[Field], form: Form, zone: ZoneInfo) -> dict[str, Any]:
    """The body for something new: what was typed."""
    body = {field.name: sent(field, form, zone) for field in fields}
    return {name: value for name, value in body.items() if value is not None}


def changes(fields: Sequence[Field], form: Form, shown: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """The body for a change: what was typed other than the form had *shown*."""
    return {
        field.name: sent(field, form, zone)
        for field in fields
        if typed_now(field, form) != as_browsers_keep(field, shown[field.name])
    }


def typed_now(field: Field, form: Form) -> str:
    """What the form sends, as it would be shown."""
    if field.kind == "password":
        return "".join(form.all(field.name))
    text = as_browsers_keep(field, form[field.name])
    # Browsers leave out seconds that are zero.
    return f"{text}:00" if field.kind in ("time", "wall") and TO_THE_MINUTE.fullmatch(text) else text


def as_browsers_keep(field: Field, text: str) -> str:
    """*text* less what goes on its way through a form: how lines end, and in a field for one line that they do."""
    lines = LINE_END.sub("\n", text)
    return (lines if field.kind in ("long", "photos") else lines.replace("\n", "")).strip()
