"""Letters around a client: what staff wrote goes to the client, what the client wrote to the agent or the office."""

from datetime import datetime
from uuid import UUID

from aureum.commands.changes import change
from aureum.commands.contacts import AddContact, ChangeContact, add_contact, change_contact
from aureum.commands.conversations import SendMessage, send_message
from aureum.commands.erasing import ErasePerson, erase_person
from aureum.commands.erasures import carry_out
from aureum.commands.merging import Merge, merge_contacts
from aureum.commands.portal.addresses import client_address_of
from aureum.commands.portal.moving import COMMAND
from aureum.commands.shortlists import SendListing, send_listing
from aureum.domain.contact import Contact
from aureum.domain.of_contact import CLIENT
from aureum.mail.letters.client_occasions import MAILS_A_DAY
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import COMMAND_LINE, Origin
from tests.mail.letters.telling import hire, office, summary, told
from tests.stores import new_lead, new_property, opened_store
from tests.webhooks.waiting import run

ORIGIN = Origin(COMMAND_LINE)

SPEAKS = "INSERT INTO portal_languages (tenant_id, address_key, language) VALUES (%(t)s, %(k)s, 'es') RETURNING 1"


async def a_contact(store: EventStore, tenant: UUID, email: str | None = "nora@example.com") -> Contact:
    given = AddContact(tenant_id=tenant, country="US", first_name="Nora", last_name="Lind", email=email)
    contact, _ = await add_contact(store, given, ORIGIN)
    return contact


async def write(
    store: EventStore, tenant: UUID, contact: UUID, text: str, author: UUID | None = None, sender: str = "staff"
) -> None:
    command = SendMessage(tenant_id=tenant, contact_id=contact, text=text, sender=sender, author=author)
    await send_message(store, command, ORIGIN)


def test_what_staff_wrote_and_sent_reaches_the_client(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, _, agent = await office(store)
            contact, nameless = await a_contact(store, tenant), await a_contact(store, tenant, None)
            home = new_property(title="Villa")
            await store.append(tenant, home, NO_STREAM, command="Test", origin=ORIGIN)
            await told(store, tenant)
            await write(store, tenant, contact.id, "They accepted. Call me!", agent.id)
            await write(store, tenant, contact.id, "La inspección es el viernes a las nueve de la mañana, en la casa.")
            await write(store, tenant, nameless.id, "No mail goes there")
            listing = SendListing(tenant_id=tenant, contact_id=contact.id, property_id=home.id, note="A yard!")
            for _ in range(2):
                await send_listing(store, listing, ORIGIN)
            first, second, sent = await told(store, tenant)

        assert (first.kind, first.recipient.address, first.language) == ("client_message", "nora@example.com", "en")
        assert first.fields["message"] == "They accepted. Call me!" and first.fields["by"] == "Ana"
        assert str(first.fields["link"]).endswith("/portal/messages") and "?" not in str(first.fields["link"])
        assert first.reply_to is not None and first.reply_to.startswith("ana@")
        assert contact.id in first.also_about
        assert (second.language, second.fields["by"], second.reply_to) == ("es", None, None)
        assert (sent.kind, sent.fields["home"], sent.fields["note"]) == ("client_listing", "Villa", "A yard!")

    run(scenario())


def test_the_address_that_a_client_replaced_is_told_in_the_clients_language(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, _, _ = await office(store)
            key = await store.tenant_key(tenant)
            for email in ("nora@example.com", "new@example.com"):
                about = {"t": tenant, "k": client_address_of(key, email).key}
                await store.database.rows(SPEAKS, about)
            contact = await a_contact(store, tenant)
            await told(store, tenant)
            by_staff = ChangeContact(
                tenant_id=tenant, country="US", contact_id=contact.id, details={"email": "Nora@Example.com"}
            )
            await change_contact(store, by_staff, ORIGIN)
            assert await told(store, tenant) == []

            def decide(one: Contact, at: datetime) -> None:
                one.change_details({"email": "new@example.com"}, at)

            await change(store, tenant, contact.id, Contact, decide, command=COMMAND, origin=ORIGIN)
            await write(store, tenant, contact.id, "They accepted. Call me!")
            former, message = await told(store, tenant)

        assert (former.kind, former.recipient.address, former.language) == ("address_changed", "Nora@example.com", "es")
        assert "new@" not in repr(former.fields)
        assert (message.recipient.address, message.language) == ("new@example.com", "es")

    run(scenario())


def test_what_the_client_wrote_reaches_the_agent_or_the_office(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, _, agent = await office(store)
            await hire(store, tenant, "Bo", "broker", notify="none")
            contact, other = await a_contact(store, tenant), await a_contact(store, tenant, "n@example.com")
            await told(store, tenant)
            await write(store, tenant, contact.id, "Hello?", sender=CLIENT)
            assert summary(await told(store, tenant)) == [("message_received", "Olga")]

            lead = new_lead(assigned_to=agent.id)
            lead.convert(other.id, lead.modified_on)
            await store.append(tenant, lead, NO_STREAM, command="Test", origin=ORIGIN)
            await merge_contacts(store, Merge(tenant, contact.id, other.id), ORIGIN)
            await told(store, tenant)
            await write(store, tenant, other.id, "Is it still there?", sender=CLIENT)
            (letter,) = await told(store, tenant)
            assert (letter.kind, letter.recipient.user_id) == ("message_received", agent.id)
            assert (letter.fields["lead"], letter.fields["message"]) == ("Nora Lind", "Is it still there?")
            assert letter.reply_to is None, "the answer belongs into the portal"

    run(scenario())


def test_no_one_gets_more_than_so_many_mails_and_none_of_a_person_who_was_erased(database_url: str) -> None:
    async def scenario() -> None:
        async with opened_store(database_url) as store:
            tenant, _, _ = await office(store)
            contact, gone = await a_contact(store, tenant), await a_contact(store, tenant, "gone@example.com")
            await told(store, tenant)
            for number in range(MAILS_A_DAY + 3):
                await write(store, tenant, contact.id, f"{number}")
            assert len(await told(store, tenant)) == MAILS_A_DAY
            await write(store, tenant, gone.id, "secret")
            asked = await erase_person(store, ErasePerson(tenant_id=tenant, contact_id=gone.id), ORIGIN)
            assert asked.id is not None and asked.records == {"contact": 1, "conversation": 1}
            await carry_out(store, tenant, asked.id)
            assert await told(store, tenant) == []

    run(scenario())
