"""A suggestion of duplicates in the Aureum API: the people, the reasons, and how sure it is."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aureum.domain.duplicates import Likeness, Person, likeness
from aureum.domain.phones import e164
from aureum.http.wire.fields import Email, Name, PhoneText, WireId
from aureum.http.wire.sent import Body
from aureum.http.wire.shapes import Shape, Timestamp, Wire


class AlikeResponse(Shape):
    """A contact or lead, in short."""

    kind: Annotated[Literal["contact", "lead"], Field(description="Which of the two it is.")]
    id: Wire
    firstName: str
    lastName: str
    email: str | None
    phone: str | None
    createdAt: Timestamp


class Suggestion(Shape):
    """Why two may be one person, and how sure that is."""

    reasons: Annotated[
        list[Literal["email", "phone", "name"]],
        Field(description="What is the same: the address, the phone (E.164), the name in any order."),
    ]
    score: Annotated[float, Field(ge=0, le=1, description="How sure it is, from 0 to 1.")]
    certainty: Annotated[
        Literal["high", "medium", "low"], Field(description="The score in a word: from 0.85 high, from 0.6 medium.")
    ]
    mayBeCouple: Annotated[
        bool, Field(description="They share an address or a phone and one of their names: perhaps two people.")
    ]


class PairResponse(Suggestion):
    """Two contacts that may be one person, the older one first."""

    contacts: Annotated[
        list[AlikeResponse], Field(min_length=2, max_length=2, description="The two contacts, in short.")
    ]


class DuplicateResponse(Suggestion):
    """A contact or lead that may be the same person."""

    person: Annotated[AlikeResponse, Field(description="The contact or lead, in short.")]


class SimilarTo(BaseModel):
    """A person who is about to be added, in any fields that are known."""

    model_config = ConfigDict(frozen=True)

    first_name: Annotated[Name | None, Field(alias="firstName", description="First name")] = None
    last_name: Annotated[Name | None, Field(alias="lastName", description="Last name")] = None
    email: Annotated[Email | None, Field(description="Email address")] = None
    phone: Annotated[PhoneText | None, Field(description="Phone number")] = None
    leads: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true`: also the leads that may be the person, as far as the caller sees them."),
    ] = None


class DistinctBody(Body):
    """The contact or lead that is another person."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": {"from": "c0000000000000000000000000"}})

    other: Annotated[WireId, Field(alias="from", description="The contact or lead that is another person.")]


Doc = Mapping[str, Any]


def person_of(doc: Doc, country: str) -> Person:
    """The person of a contact or lead, from its document in a list. *country* is that of the brokerage's phones."""
    phones = [doc.get("phoneE164") or e164(doc["phone"], country)]
    phones += [phone["phoneE164"] for phone in doc.get("otherPhones", ())]
    emails = [doc["email"], *doc.get("otherEmails", ())]
    return Person(
        doc["firstName"],
        doc["lastName"],
        tuple(email for email in emails if email),
        tuple(phone for phone in phones if phone),
    )


def in_short(doc: Doc, kind: str) -> dict[str, Any]:
    """A contact or lead as a suggestion shows it."""
    names = ("id", "firstName", "lastName", "email", "phone", "createdAt")
    return {"kind": kind, **{name: doc[name] for name in names}}


def said(found: Likeness) -> dict[str, Any]:
    """The reasons on the wire, and how sure they are."""
    return {
        "reasons": list(found.reasons),
        "score": found.score,
        "certainty": found.certainty,
        "mayBeCouple": found.couple,
    }


def suggestions(of: Person, others: Iterable[tuple[Doc, str]], country: str) -> list[dict[str, Any]]:
    """Those of *others* that may be the same person, the surest first."""
    made = [
        {"person": in_short(doc, kind), **said(found)}
        for doc, kind in others
        if (found := likeness(of, person_of(doc, country))) is not None
    ]
    return sorted(made, key=lambda one: (-one["score"], one["person"]["kind"], one["person"]["id"]))
