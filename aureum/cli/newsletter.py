"""``aureum newsletter``: the subscribers, for the program that sends the brokerage's mails."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from aureum.cli.installation import tenant_of, with_store
from aureum.cli.options import Json, Slug, examples, group
from aureum.cli.output import Refused, plain, whole_document

if TYPE_CHECKING:
    from uuid import UUID

    from aureum.store.event_store import EventStore

app = group("Newsletter subscribers.")

NO_ADDRESS = (
    "The brokerage has no domain for its unsubscribe links. Create it with --domain, or set "
    "AUREUM_BASE_DOMAIN, so that "
    "it can be reached by its slug."
)
HEADERS = """\
Send each mail with these two headers, and its own link in the text (RFC 8058):

    List-Unsubscribe: <LINK>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click
"""


@app.callback()
def about() -> None:
    """What stands before the command; without it typer takes a single command for the whole program."""


@app.command("export", epilog=examples("aureum newsletter export --brokerage example --json > recipients.json"))
def export(slug: Slug, as_json: Json = False) -> None:
    """Print the subscribers, each with an unsubscribe link.

    Each export creates new links. Earlier links stay valid.
    """
    from aureum.commands.newsletter import site_of
    from aureum.settings import load_settings
    from aureum.store.security_log import ON_COMMAND_LINE, Noted, record

    base_domain = load_settings().base_domain

    async def work(store: EventStore) -> None:
        tenant_id = await tenant_of(store.database, slug)
        site = await site_of(store, tenant_id, base_domain)
        if site is None:
            raise Refused(NO_ADDRESS)
        # First: what was printed has left, even if the command is broken off.
        await record(store, Noted("export", tenant_id=tenant_id, about=f"newsletter, {ON_COMMAND_LINE}"))
        recipients = exported(store, tenant_id, site)
        await (print_json if as_json else print_people)(recipients)

    with_store(work)


async def exported(store: EventStore, tenant_id: UUID, site: str) -> AsyncIterator[dict[str, Any]]:
    """One recipient after the other; ``subscribedAt`` is the latest consent. What earlier versions kept with line ends
    is on one line."""
    from aureum.commands.newsletter import subscribed
    from aureum.domain.texts import one_line

    async for doc, token in subscribed(store, tenant_id):
        yield {
            "email": one_line(doc["email"]),
            "firstName": doc["firstName"] and one_line(doc["firstName"]),
            "interests": [one_line(interest) for interest in doc["interests"]],
            "subscribedAt": doc["updatedAt"],
            "unsubscribeUrl": f"https://{site}/api/newsletter/unsubscribe?token={token}",
        }


async def print_json(recipients: AsyncIterator[dict[str, Any]]) -> None:
    """One array, however many there are."""
    import orjson

    with whole_document() as document:
        document.write("[")
        comma = ""
        async for recipient in recipients:
            document.write(comma + orjson.dumps(recipient).decode())
            comma = ","
        document.write("]\n")


async def print_people(recipients: AsyncIterator[dict[str, Any]]) -> None:
    """A paragraph a recipient, below what to do with them."""
    sys.stdout.write(HEADERS)
    number = 0
    async for recipient in recipients:
        number += 1
        name = f", {recipient['firstName']}" if recipient["firstName"] else ""
        interests = f"\n    interests: {', '.join(recipient['interests'])}" if recipient["interests"] else ""
        text = (
            f"{recipient['email']}{name}\n    subscribed: {recipient['subscribedAt']}{interests}"
            f"\n    {recipient['unsubscribeUrl']}"
        )
        sys.stdout.write(f"\n{plain(text)}\n")
    sys.stdout.write(f"\n{number} subscribed.\n")
