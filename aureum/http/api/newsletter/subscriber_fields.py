"""A newsletter's subscriber in the Leads API, for staff: who it is, and on which consents it rests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from aureum.commands.undoing import saves_of
from aureum.domain.aggregate import PersonErased
from aureum.domain.ids import leads_time
from aureum.domain.subscriber import Subscriber
from aureum.domain.texts import one_line
from aureum.http.api.staff.user_fields import BrokeragePage
from aureum.http.contract.history import entries
from aureum.http.contract.lists import Search
from aureum.http.contract.past import AS_OF
from aureum.http.wire.characters import Characters
from aureum.http.wire.shapes import LeadsTimestamp, Shape, Suspect, Wire
from aureum.http.wire.times import Time
from aureum.projections import subscriber_list
from aureum.projections.document_list import Row
from aureum.store.event_store import Stream

YesOrNo = Literal["true", "false"]
What = Literal["subscribed", "subscribed_again", "unsubscribed", "united"]

HAPPENED: Mapping[type, What] = {
    Subscriber.Subscribed: "subscribed",
    Subscriber.Consented: "subscribed_again",
    Subscriber.Resubscribed: "subscribed_again",
    Subscriber.Unsubscribed: "unsubscribed",
    Subscriber.United: "united",
}
"""What is on record of a subscriber's will. What a program seems to have sent is not."""


class SubscriberPage(BrokeragePage):
    """The filters and the page of a list of subscribers."""

    q: Search = None
    email: Annotated[
        Annotated[str, Characters(limit=320, lines=False)] | None,
        Field(description="Only the subscriber with this address, in any spelling. Other filters are ignored."),
    ] = None
    subscribed: Annotated[
        YesOrNo | None, Field(description="`true`: only current subscribers. `false`: only former ones, and suspects.")
    ] = None
    interest: Annotated[
        Annotated[str, Characters(limit=100, lines=False)] | None, Field(description="Filter by interest.")
    ] = None
    as_of: Annotated[Time | None, Field(alias="asOf", description=AS_OF)] = None


class SubscriberResponse(Shape):
    """A subscriber."""

    id: Wire
    email: str
    first_name: str | None
    interests: list[str]
    subscribed: bool
    source_domain: Annotated[str | None, Field(description="The site on which the latest consent was given.")]
    since: Annotated[LeadsTimestamp, Field(description="When the address was first heard of.")]
    changed_at: Annotated[LeadsTimestamp, Field(description="When the latest consent was given, or withdrawn.")]
    suspect: Suspect = False


class ConsentResponse(Shape):
    """A consent, or its withdrawal."""

    at: LeadsTimestamp
    what: Annotated[
        What, Field(description="`united`: spellings of one address became one subscriber, with what had been said.")
    ]
    source_domain: Annotated[str | None, Field(description="The site of the form.")]
    by: Annotated[
        str | None,
        Field(description="The name of the user or API key. `null`: the reader of the newsletter, or the system."),
    ]
    first_name: str | None
    interests: list[str]


class WholeSubscriberResponse(SubscriberResponse):
    """A subscriber with all consents and withdrawals, oldest first."""

    consents: list[ConsentResponse]


def moment(text: str) -> str:
    """A time of a read model, as this dialect writes it."""
    return leads_time(datetime.fromisoformat(text))


def shown(doc: Mapping[str, Any]) -> dict[str, Any]:
    """A subscriber of the read model. What earlier versions kept with line ends is on one line."""
    suspect = {"suspect": doc["suspect"]} if "suspect" in doc else {}
    return {
        "id": doc["id"],
        "email": one_line(doc["email"]),
        "first_name": doc["firstName"] and one_line(doc["firstName"]),
        "interests": [one_line(interest) for interest in doc["interests"]],
        "subscribed": doc["subscribed"],
        "source_domain": doc["sourceDomain"],
        "since": moment(doc["createdAt"]),
        "changed_at": moment(doc["updatedAt"]),
        **suspect,
    }


def consents(stream: Stream, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is on record, oldest first; *names* are those of users and keys."""
    made = []
    for recorded in stream.events:
        event: Any = recorded.event
        what = HAPPENED.get(type(event))
        if what is None:
            continue
        made.append(
            {
                "at": leads_time(event.timestamp),
                "what": what,
                "source_domain": getattr(event, "source_domain", None),
                "by": names.get(recorded.metadata["actor"].get("id") or ""),
                "first_name": getattr(event, "first_name", None),
                "interests": list(getattr(event, "interests", ())),
            }
        )
    return made


def history_of(stream: Stream) -> list[dict[str, Any]]:
    """The entries of a subscriber's stream, oldest first. A consent that changed nothing is told by its type."""
    saves = saves_of(stream)
    made = entries(subscriber_list.LIST, stream, changeable, unseen)
    for one, recorded in zip(made, stream.events, strict=True):
        one |= {"at": leads_time(recorded.event.timestamp), "savedWith": saves[one["version"]][0]}
    return made


def changeable(row: Row) -> Row:
    """What of a subscriber changes with an event, but for times."""
    return {name: value for name, value in shown(row["doc"]).items() if name not in ("id", "since", "changed_at")}


def unseen(event: Any) -> dict[str, Any]:
    """That a person was erased."""
    return {"erased": {"from": None, "to": True}} if isinstance(event, PersonErased) else {}
