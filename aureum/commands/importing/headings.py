"""Which column of a file is which field. What columns are called by themselves stands in ``headings.toml``; a file in
``presets`` knows those of another program, and what its words mean.

A mapping has a field, or nothing, for each column. Several columns may be one field: of each row the first of them
counts that holds something.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from aureum.commands.importing.fields import FIELDS, fields_of
from aureum.commands.importing.values import plain
from aureum.domain import wall_time
from aureum.domain.errors import Invalid

Mapped = Mapping[str, str | None]
"""By the column's name."""

WHY = "Not imported because"
"""The column with the reasons in a file of refused rows. It is no field, so that such a file can be imported again."""

NO_COLUMN = "map names the column {column}, which the file does not have. Its columns are: {columns}."
NO_FIELD = "map names the field {field} for the column {column}. The fields are: {fields}."
NOT_A_MAP = "map must be an object that has a field, or null, for each column."
NO_NAME = "No column is a name. Map a column to name, firstName or lastName."
NOT_REACHED = "No column is an email address or a phone. Map a column to email or phone."
NOT_THERE = "No column is {fields}. Map a column to each of them."

ZONE = re.compile(r"\((?P<zone>[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+|UTC)\)\s*\Z")
"""The end of a heading such as ``Created (America/Boise)``, which the panel's own files have."""


class Preset(NamedTuple):
    """Another program's file: its name, the columns by which it is known, the fields of its columns by the resource,
    and the words that it uses, by the field."""

    name: str
    recognized_by: frozenset[str]
    columns: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Mapping[str, str]]


@cache
def presets() -> tuple[Preset, ...]:
    """All of them, those with the most marks first."""
    found = []
    for one in sorted((files(__package__) / "presets").iterdir(), key=lambda path: path.name):
        if one.name.endswith(".toml"):
            said: dict[str, Any] = tomllib.loads(one.read_text(encoding="utf-8"))
            columns = {resource: said[resource] for resource in FIELDS if resource in said}
            found.append(Preset(said["name"], frozenset(said["recognized_by"]), columns, said.get("words", {})))
    return tuple(sorted(found, key=lambda preset: -len(preset.recognized_by)))


@cache
def words_of(resource: str) -> Mapping[str, str]:
    """The field of a resource that a heading stands for, by the heading as it is compared."""
    said = tomllib.loads((files(__package__) / "headings.toml").read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    for name in fields_of(resource):
        names |= {plain(one): name for one in (*said[name], name) if plain(one) not in names}
    return names


def preset_of(resource: str, header: Sequence[str]) -> Preset | None:
    """The program that wrote a file with this header, as far as it is known."""
    said = {plain(name) for name in header}
    return next((one for one in presets() if resource in one.columns and one.recognized_by <= said), None)


def guessed(resource: str, header: Sequence[str]) -> dict[str, str | None]:
    """The field of each column, by its heading; None for those that are left out."""
    preset = preset_of(resource, header)
    known = words_of(resource)
    own = {} if preset is None else preset.columns[resource]
    found: dict[str, str | None] = {}
    for name in header:
        said = plain(ZONE.sub("", name).replace("#", " number "))
        numbered = said.removesuffix(" 2")
        field = own.get(said) or known.get(said)
        if field is None and name.endswith("(2)") and numbered in known:
            field = known[numbered]
        found[name] = None if plain(name) == plain(WHY) else field
    if not {"firstName", "lastName"} - set(found.values()):
        # The whole name says the same again.
        found = {name: None if field == "name" else field for name, field in found.items()}
    return found


def mapped(resource: str, header: Sequence[str], given: object) -> dict[str, str | None]:
    """The guess, with what is *given* for some columns in its place. Raises Invalid."""
    fields, mapping = fields_of(resource), guessed(resource, header)
    if not isinstance(given, Mapping):
        raise Invalid("map", NOT_A_MAP)
    for column, field in given.items():
        if column not in mapping:
            raise Invalid("map", NO_COLUMN.format(column=column, columns=", ".join(header)))
        if field is not None and field not in fields:
            raise Invalid("map", NO_FIELD.format(field=field, column=column, fields=", ".join(fields)))
        mapping[column] = field
    return mapping


def check(resource: str, mapping: Mapped) -> None:
    """Raises Invalid unless a row can have what its resource needs."""
    has = {field for field in mapping.values() if field is not None}
    if resource == "properties":
        missing = [name for name in ("address", "city", "state") if name not in has]
        if missing:
            raise Invalid("map", NOT_THERE.format(fields=" or ".join(missing)))
        return
    if not has & {"name", "firstName", "lastName"}:
        raise Invalid("map", NO_NAME)
    if resource == "leads" and not has & {"email", "phone"}:
        raise Invalid("map", NOT_REACHED)


def zone_of(column: str) -> ZoneInfo | None:
    """The time zone that a heading names."""
    found = ZONE.search(column)
    try:
        return None if found is None else wall_time.zone_of(found["zone"])
    except Invalid:
        return None
