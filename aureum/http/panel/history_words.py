"""Histories in words: what happened, who did it, and from what to what, as the pages of resources show it.

A history of the API has an entry an event. One save may be several events; here it is one entry again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aureum.http.panel import activity_words
from aureum.http.panel.change_words import Change, Words, changes_of, uncapitalised
from aureum.http.panel.visit import Visit

HAPPENED = {
    "lead.captured": "New lead",
    "lead.cleared": "Marked as not spam",
    "lead.suspected": "Suspected spam",
    "lead.converted": "Converted to a contact",
    "lead.passed_on": "Passed on",
    "lead.overdue": "Not answered in time",
    "lead.contact_changed": "Contact merged",
    "contact.added": "Contact added",
    "contact.told_apart": "Not the same person",
    "contact.merged": "Merged another contact into this one",
    "contact.unmerged": "Undid a merge",
    "contact.merged_into": "Merged into another contact",
    "contact.separated": "Undid a merge",
    "property.listed": "Property added",
    "property.removed": "Removed with its import",
    "task.created": "Task created",
    "task.completed": "Completed",
    "task.contact_changed": "Contact merged",
    "tour.requested": "Showing requested",
    "tour.no_show": "The visitor did not come",
    "tour.calendar_sent": "Sent the visitor the calendar file",
    "tour.cleared": "Marked as not spam",
    "tour.suspected": "Suspected spam",
    "user.joined": "User added",
    "user.password_set": "Password set",
    "user.invited": "Invited by mail",
    "user.invitation_cancelled": "Invitation cancelled",
    "user.totp_enabled": "Two-step login turned on",
    "user.totp_disabled": "Two-step login turned off",
    "user.recovery_code_used": "Logged in with a recovery code",
    "user.view_saved": "Saved a view",
    "user.view_removed": "Removed a view",
    "user.disabled": "Disabled",
    "user.enabled": "Enabled",
    "subscriber.subscribed": "Subscribed",
    "subscriber.consented": "Subscribed again",
    "subscriber.resubscribed": "Subscribed again",
    "subscriber.unsubscribed": "Unsubscribed",
    "subscriber.united": "Two spellings of the address became one",
    "subscriber.doubted": "A program seems to have filled in the form",
    "subscriber.suspected": "A program seems to have filled in the form",
    "api_key.issued": "Key created",
    "api_key.revoked": "Key revoked",
    "webhook_endpoint.registered": "Webhook added",
    "webhook_endpoint.secret_rotated": "New signing secret",
    "webhook_endpoint.disabled": "Disabled",
    "webhook_endpoint.enabled": "Enabled",
    "brokerage.opened": "Brokerage added",
    "brokerage.logo_changed": "Logo changed",
    "brokerage.disabled": "Disabled",
    "brokerage.enabled": "Enabled",
}
"""What an event is called where its changes do not say it all."""

ACTIVITIES = {"activity_logged": "", "activity_corrected": "Corrected: ", "activity_removed": "Removed: "}


@dataclass(frozen=True)
class Entry:
    """One save. ``version`` is the resource's after it; ``what`` happened, in one line; ``by`` whom. ``sort`` is
    ``notes``, ``mails`` or ``changes``. ``activity`` is the note, call, mail or visit, if it was one. ``undoable``:
    whether it can be undone now."""

    version: int
    at: str
    what: str
    by: str
    sort: str
    changes: Sequence[Change] = ()
    activity: Mapping[str, Any] | None = None
    own: bool = False
    begins: bool = False
    undoable: bool = False
    saved_at: str = ""
    """When it was recorded. An activity may have happened earlier."""
    page: str | None = None
    """Of something else that stands in the timeline: its page."""


def actor_words(actor: Mapping[str, Any]) -> str:
    """``Jane Doe``, ``the API key “Website”``, ``a visitor``, ``Aureum``."""
    match actor["type"]:
        case "user":
            return actor["name"] or "a platform admin"
        case "key":
            return f"the API key “{actor['name']}”" if actor["name"] else "an API key"
        case "visitor":
            return "a visitor"
        case "client":
            return "a client in the portal"
    return "Aureum"


def entries_in_words(history: Sequence[Mapping[str, Any]], words: Words) -> list[Entry]:
    """The saves of a history, oldest first."""
    saves: list[list[Mapping[str, Any]]] = []
    for event in history:
        if saves and saves[-1][0]["savedWith"] == event["savedWith"]:
            saves[-1].append(event)
        else:
            saves.append([event])
    return [entry_of(save, words) for save in saves]


def entry_of(save: Sequence[Mapping[str, Any]], words: Words) -> Entry:
    """One save in words."""
    first, last = save[0], save[-1]
    changes = [one for event in save for one in changes_of(event["changes"], words)]
    entry = Entry(
        version=last["version"],
        at=last["at"],
        what=what(save, changes),
        by=actor_words(first["actor"]),
        sort="changes",
        changes=changes,
        begins=first["version"] == 1,
        undoable=any(event.get("undoable", False) for event in save),
        saved_at=last["at"],
    )
    for event in save:
        if "activities" in event["changes"]:
            entry = with_activity(entry, event, words.reader)
    return entry


def what(save: Sequence[Mapping[str, Any]], changes: Sequence[Change]) -> str:
    """What a save did: by its events where they have names, else by what changed."""
    named = [HAPPENED[event["type"]] for event in save if event["type"] in HAPPENED]
    if named:
        return ", ".join(dict.fromkeys(named))
    *labels, last = [uncapitalised(one.label) for one in changes] or [""]
    return f"Changed {', '.join(labels)} and {last}" if labels else f"Changed {last}".strip()


def with_activity(entry: Entry, event: Mapping[str, Any], reader: Mapping[str, Any]) -> Entry:
    """*entry* with the activity that *event* logged, corrected or removed."""
    kind = event["type"].partition(".")[2]
    change = event["changes"]["activities"]
    said = change["to"] if change["to"] is not None else change["from"]
    prefix = ACTIVITIES.get(kind, "")
    if not isinstance(said, Mapping):
        return replace(entry, what=f"{prefix}{said}", sort="notes")
    logged = kind == "activity_logged"
    return replace(
        entry,
        # An activity stands where it happened, which may be earlier than it was logged.
        at=said["at"] if logged else entry.at,
        what=prefix + activity_words.words(said),
        sort="mails" if said["type"] == "email" else "notes",
        activity=said if logged else None,
        own=reader["role"] != "agent" or said["createdById"] == reader["id"],
        changes=[*entry.changes, *([] if logged else text_changes(change))],
    )


def text_changes(change: Mapping[str, Any]) -> list[Change]:
    """What a correction or removal did to the text of an activity."""
    before, after = (side["text"] if isinstance(side, Mapping) else None for side in (change["from"], change["to"]))
    return [Change("Text", before or "", after or "")] if before != after else []


async def history_shown(
    visit: Visit, path: str, kind: str, names: Mapping[str, str], *, id: str | None = None, **query: Any
) -> list[Entry]:
    """A history, newest first: for ``history_section`` of parts_history.html. *path* is that of the endpoint, such as
    ``/api/tasks/{id}/history``, *kind* what it is of, such as ``task``, and *id* which one."""
    history = (await visit.ask("GET", path, id=id, query=query)).body
    assert visit.me is not None
    words = Words(kind, names, visit.zone, visit.me)
    return entries_in_words(history, words)[::-1]
