"""A row of a file as the values of a resource: each cell is read as its column's field, and what is missing or wrong is
said for each field. A blank cell says nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aureum.commands.importing.fields import About, Field, fields_of
from aureum.commands.importing.headings import Mapped, zone_of
from aureum.domain.errors import Invalid

TOO_MANY_CELLS = (
    "The row has more cells than the header. Put each cell that has a separator in it into quotation marks."
)

Values = dict[str, Any]
"""By the field's name; only what the row says."""

NEEDED = {
    "name": "A name is required.",
    "reached": "An email address or a phone is required.",
    "address": "{label} is required.",
}


class Refused(Exception):
    """The row cannot be imported; ``why`` has a sentence for each reason."""

    def __init__(self, why: Sequence[str]) -> None:
        super().__init__(" ".join(why))
        self.why = tuple(why)


@dataclass(frozen=True)
class Column:
    """A column that is a field. ``about`` has the zone of its own heading."""

    place: int
    field: Field
    about: About


def reader(resource: str, header: Sequence[str], mapping: Mapped, about: About) -> Callable[[Sequence[str]], Values]:
    """What reads the cells of a row. It raises Refused."""
    fields = fields_of(resource)
    columns = [
        Column(place, fields[field], replace(about, zone=zone_of(name) or about.zone))
        for place, name in enumerate(header)
        if (field := mapping.get(name)) is not None
    ]
    width = len(header)

    def read(cells: Sequence[str]) -> Values:
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            raise Refused([TOO_MANY_CELLS])
        found: Values = {}
        wrong: dict[str, str] = {}
        for column in columns:
            name = column.field.name
            said = cells[column.place] if column.place < len(cells) else ""
            if not said or said.isspace() or found.get(name) not in (None, ""):
                continue
            try:
                found[name] = column.field.read(name, said, column.about)
            except Invalid as error:
                wrong[name] = str(error)
        found = {name: value for name, value in found.items() if value not in (None, "")}
        why = [*(sentence for name, sentence in wrong.items() if name not in found), *MISSING[resource](found, wrong)]
        if why:
            raise Refused(why)
        return found

    return read


def person(found: Values, wrong: Mapping[str, str]) -> list[str]:
    """What a contact lacks; its name in two parts."""
    split(found)
    named = found.get("firstName") or found.get("lastName") or {"name", "firstName", "lastName"} & set(wrong)
    return [] if named else [NEEDED["name"]]


def lead(found: Values, wrong: Mapping[str, str]) -> list[str]:
    """What a lead lacks."""
    reached = {"email", "phone"} & (set(found) | set(wrong))
    return [*person(found, wrong), *([] if reached else [NEEDED["reached"]])]


def listing(found: Values, wrong: Mapping[str, str]) -> list[str]:
    """What a property lacks. Without a title the street address is its title."""
    if "address" in found:
        found.setdefault("title", found["address"])
    labels = {name: field.label for name, field in fields_of("properties").items()}
    return [
        NEEDED["address"].format(label=labels[name])
        for name in ("address", "city", "state")
        if name not in found and name not in wrong
    ]


MISSING = {"contacts": person, "leads": lead, "properties": listing}


def split(found: Values) -> None:
    """A whole name as a first and a last name: at its comma, or at its last space."""
    whole = found.pop("name", None)
    if whole is None or "firstName" in found or "lastName" in found:
        return
    last, comma, first = whole.partition(",")
    if not comma:
        first, _, last = whole.rpartition(" ")
        first, last = (first, last) if first else (last, "")
    names = {"firstName": first.strip()[:200], "lastName": last.strip()[:200]}
    found.update({name: value for name, value in names.items() if value})
