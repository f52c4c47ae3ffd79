"""What passed between staff and a client in the portal, in words, for the timeline of the contact: messages, listings
that were sent or saved, what the client thinks of them, and the key dates that were set."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from aureum.http.panel.history_words import Entry, actor_words

REACTIONS = {"love": "Loves it", "maybe": "Maybe", "no": "Not for the client"}

A_LISTING = "a listing"
A_FORMER_USER = "a former user"
AN_API_KEY = "an API key"

Doc = Mapping[str, Any]


def message_entries(messages: Sequence[Doc], users: Mapping[str, str], page: str) -> Iterator[Entry]:
    """*messages* of both sides. *users* are the names of staff, by id; *page* is where the conversation is."""
    for one in messages:
        from_client = one["from"] == "client"
        what = "Message from the client" if from_client else "Message to the client"
        by = "" if from_client else staff_name(one["authorId"], users)
        yield entry(one["at"], what, by, "mails", page, one["text"])


def listing_entries(
    listings: Sequence[Doc], titles: Mapping[str, str | None], users: Mapping[str, str]
) -> Iterator[Entry]:
    """*listings* of a client, and what the client thinks of them. *titles* are those of properties, by id."""
    for one in listings:
        title, page = titles.get(one["propertyId"]) or A_LISTING, f"/admin/properties/{one['propertyId']}"
        if one["by"] == "staff":
            yield entry(one["at"], f"Sent {title}", staff_name(one["sentById"], users), "work", page, one["note"])
        else:
            yield entry(one["at"], f"The client saved {title}", "", "work", page)
        if one["reactedAt"] is not None:
            thinks = REACTIONS.get(one["reaction"] or "", "The client")
            yield entry(one["reactedAt"], f"{thinks}: {title}", "", "work", page, one["comment"])


def date_entries(history: Sequence[Doc], page: str) -> Iterator[Entry]:
    """Each time that the key dates were set, with the dates that were new by it. *page* is where they are."""
    for save in history:
        change = save["changes"].get("dates")
        if save["type"] != "key_dates.set" or change is None:
            continue
        before, after = change["from"] or [], change["to"] or []
        lines = [f"{one['label']}: {day_in_words(one['date'])}" for one in after if one not in before]
        what = "Set the key dates" if after else "Removed the key dates"
        yield entry(save["at"], what, actor_words(save["actor"]), "work", page, "\n".join(lines) or None)


def day_in_words(day: str) -> str:
    """``20 Jan 2027``."""
    on = date.fromisoformat(day)
    return f"{on.day} {on:%b %Y}"


def staff_name(user_id: str | None, users: Mapping[str, str]) -> str:
    """Who of the staff it was."""
    return AN_API_KEY if user_id is None else users.get(user_id, A_FORMER_USER)


def entry(at: str, what: str, by: str, sort: str, page: str, text: str | None = None) -> Entry:
    """One of them, with the *text* that was written."""
    said = None if text is None else {"text": text}
    return Entry(0, at, what, by, sort, activity=said, page=page)
