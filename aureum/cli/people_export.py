"""``aureum person export``: all about one person, as JSON or as a page that a person can read."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aureum.cli.files import new_file
from aureum.cli.installation import with_store
from aureum.cli.options import Json, Slug, examples
from aureum.cli.output import say
from aureum.cli.people import Contact, Email, Lead, check_one, meant

if TYPE_CHECKING:
    from aureum.store.event_store import EventStore

EXAMPLES = examples(
    "aureum person export --brokerage example --email jane@example.com --file jane.html",
    "aureum person export --brokerage example --lead 456 --file jane.json",
)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd; }
th { font-weight: 600; width: 14rem; }
pre { white-space: pre-wrap; font: inherit; margin: 0; }
"""


def export(
    slug: Slug,
    file: Annotated[
        Path | None, typer.Option(help="Write to this file: a web page if its name ends in .html, otherwise JSON.")
    ] = None,
    email: Email = None,
    lead: Lead = None,
    contact: Contact = None,
    as_json: Json = False,
) -> None:
    """Export everything about a person.

    Exports all records with their histories, notes and activities, and the mails. Only you can read the file. Without
    --file, prints JSON.
    """
    check_one(email, lead, contact)

    async def work(store: EventStore) -> dict[str, Any]:
        from aureum.commands.erasing import NO_PERSON, person_of
        from aureum.domain.errors import NotFound
        from aureum.http.api.people.exporting import everything
        from aureum.store.security_log import ON_COMMAND_LINE, Noted, record

        command = await meant(store, slug, email, lead, contact)
        person = await person_of(store, command)
        if not person.records and email is None:
            raise NotFound(NO_PERSON)
        await record(store, Noted("export", tenant_id=command.tenant_id, about=f"a person, {ON_COMMAND_LINE}"))
        return await everything(store, command.tenant_id, person)

    if file is None:
        document = with_store(work)
        say(as_json, document, dumped(document))
        return
    with new_file(file) as out:
        document = with_store(work)
        text = page(document) if file.suffix.lower() in (".html", ".htm") else dumped(document) + "\n"
        out.write(text.encode())
    records = len(document["records"])
    say(as_json, {"file": str(file), "records": records}, f"{records} records are in {file}.")


def dumped(document: dict[str, Any]) -> str:
    """The document as JSON that people can read."""
    import json

    return json.dumps(document, indent=2, ensure_ascii=False)


def page(document: dict[str, Any]) -> str:
    """The document as a page, which needs nothing but itself."""
    parts = [f"<h1>All data about {escape(', '.join(document['addresses']) or 'this person')}</h1>"]
    parts.append(f"<p>Exported at {escape(document['exportedAt'])}.</p>")
    for record in document["records"]:
        parts.append(f"<h2>{escape(record['type'].capitalize())}</h2>{table(record['data'])}<h3>History</h3>")
        rows = {f"{one['at']} · {one['type']}": changes(one["changes"]) for one in record["history"]}
        parts.append(table(rows))
    if document["mails"]:
        parts.append("<h2>Mails</h2>")
        parts += [table(mail) for mail in document["mails"]]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Export of a person</title>\n<style>{STYLE}</style>\n{body}\n</html>\n"
    )


def table(values: dict[str, Any]) -> str:
    """Names and values, those that are empty left out."""
    rows = (
        f'<tr><th scope="row">{escape(name)}</th><td><pre>{escape(shown(value))}</pre></td></tr>'
        for name, value in values.items()
        if value not in (None, "", [], {})
    )
    return f"<table>{''.join(rows)}</table>"


def changes(changed: dict[str, Any]) -> str:
    """What an event changed, a line each."""
    return "\n".join(
        f"{name}: " + " → ".join(shown(one) for one in (change["from"], change["to"]) if one is not None)
        for name, change in changed.items()
    )


def shown(value: Any) -> str:
    """A value for people."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)
