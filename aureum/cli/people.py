"""``aureum person``: everything about one person, over all resources of a brokerage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.installation import origin, tenant_of, with_store
from aureum.cli.options import Json, Slug, Yes, examples, group
from aureum.cli.output import Refused, confirm, say, table
from aureum.domain import ids
from aureum.domain.errors import NotFound

if TYPE_CHECKING:
    from aureum.commands.erasing import ErasePerson
    from aureum.commands.person import Person
    from aureum.store.event_store import EventStore

app = group("Export or erase a person.")

Email = Annotated[str | None, typer.Option("--email", help="The person's email address.")]
Lead = Annotated[str | None, typer.Option("--lead", help="The id or number of a lead of the person.")]
Contact = Annotated[str | None, typer.Option("--contact", help="The id of a contact of the person.")]

ONE_OF_THREE = "Pass exactly one of --email, --lead and --contact."
NO_LEAD = "There is no lead {given!r} in this brokerage."
NO_CONTACT = "There is no contact {given!r} in this brokerage."
LONGEST_NUMBER = 19
MAIL_LEFT = (
    "{file} is a mail about the person and cannot be removed: {error}. The records are erased. Run the command again "
    "when the file can be removed. The worker tries it, too."
)
WHAT = "{records} would be erased permanently: names, addresses, phones, messages and notes."


@app.command(
    "erase",
    epilog=examples(
        "aureum person erase --brokerage example --email jane@example.com",
        "aureum person erase --brokerage example --lead 456 --yes --json",
    ),
)
def erase(
    slug: Slug,
    email: Email = None,
    lead: Lead = None,
    contact: Contact = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase a person.

    Erases the personal data in all leads, contacts, showings, subscriptions and tasks of the person, and in their
    histories. This cannot be undone. If an erasure is interrupted, run the command again to continue it.
    """

    check_one(email, lead, contact)

    async def work(store: EventStore) -> dict[str, Any]:
        from aureum.commands.erasing import erase_person, person_of
        from aureum.commands.erasures import carry_out, resume_erasures
        from aureum.commands.kept import kept_again
        from aureum.settings import load_settings
        from aureum.settings.mail import mail_directory
        from aureum.store.security_log import ON_COMMAND_LINE, Noted, record

        mails = mail_directory(load_settings())
        command = await meant(store, slug, email, lead, contact)
        resumed = await resume_erasures(store, command.tenant_id, mails)
        if not yes:
            confirm(WHAT.format(records=counted(await person_of(store, command))), "Erase the person?", yes=False)
        erased = await erase_person(store, command, origin())
        if erased.id is not None:
            await carry_out(store, command.tenant_id, erased.id, mails)
            await record(store, Noted("erasure", tenant_id=command.tenant_id, about=ON_COMMAND_LINE))
        number, kept = erased.erased, erased.kept
        if erased.id is None and resumed:
            number, kept = len(resumed), await kept_again(store, command.tenant_id, resumed)
        return {"erased": number, "kept": [one.as_dict() for one in kept]}

    try:
        document = with_store(work)
    except OSError as error:
        if error.filename is None:
            raise
        raise Refused(MAIL_LEFT.format(file=error.filename, error=error.strerror)) from error
    rows = [(one["what"], one["id"] or "", one["why"]) for one in document["kept"]]
    say(as_json, document, table(f"{document['erased']} records erased. What is kept", ("what", "id", "why"), rows))


def check_one(email: str | None, lead: str | None, contact: str | None) -> None:
    """Raises Refused unless exactly one of them was passed."""
    if sum(one is not None for one in (email, lead, contact)) != 1:
        raise Refused(ONE_OF_THREE)


async def meant(store: EventStore, slug: str, email: str | None, lead: str | None, contact: str | None) -> ErasePerson:
    """The person that the options name. Raises NotFound, also for an id that never was one."""
    from aureum.commands.erasing import ErasePerson

    tenant_id = await tenant_of(store.database, slug)
    if lead is not None and lead.isascii() and lead.isdigit() and len(lead) < LONGEST_NUMBER:
        return ErasePerson(tenant_id=tenant_id, number=int(lead))
    lead_id = None if lead is None else ids.from_wire(lead)
    contact_id = None if contact is None else ids.from_wire(contact)
    if lead_id is None and contact_id is None and email is None:
        raise NotFound(NO_LEAD.format(given=lead) if lead is not None else NO_CONTACT.format(given=contact))
    return ErasePerson(tenant_id=tenant_id, email=email, lead_id=lead_id, contact_id=contact_id)


def kind_of(kind: str, number: int) -> str:
    """A kind of record, one or several."""
    if kind == "key_dates":
        return "list of key dates" if number == 1 else "lists of key dates"
    return kind if number == 1 else f"{kind}s"


def counted(person: Person) -> str:
    """How many records there are of each kind, for people."""
    found = [f"{number} {kind_of(kind, number)}" for kind, number in person.counted.items()]
    return ", ".join(found) or "Nothing"
