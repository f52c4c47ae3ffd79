"""Mails about envelopes: whose turn has come is asked to sign, all are told how it ends, and no link gives a right."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from aureum.commands.portal.addresses import client_address_of
from aureum.domain import ids
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_ceremony import Presence
from aureum.domain.envelope_draft import EnvelopeFields
from aureum.domain.envelope_parts import Document, Field, Recipient, Sealed, Signature
from aureum.mail.letter import Letter
from aureum.store.event_store import EventStore
from tests.mail.letters.telling import do, hire, office, store_new, told
from tests.mail.letters.test_client_letters import SPEAKS
from tests.stores import opened_store
from tests.webhooks.waiting import run


def drafted(
    created_by: UUID | None, languages: Mapping[str, str | None] = MappingProxyType({}), **fields: Any
) -> Envelope:
    """An envelope with two signers, one after the other, and one who gets a copy."""
    at = ids.now()
    about: dict[str, Any] = {
        "subject": "Offer",
        "message": "By Friday.",
        "contact_id": None,
        "lead_id": None,
        "template_id": None,
    }
    about |= {"provider": "built_in", "in_order": True, "deadline_days": 9, "assigned_to": None}
    one = Envelope.draft(ids.new_id(), at, EnvelopeFields(**about | {"created_by": created_by} | fields))
    document = Document(ids.new_id(), "Offer.pdf", "ab" * 32, 9, 1, ("/sig/",))
    one.attach(document, at)
    for order, (name, role) in enumerate((("Nora", "signer"), ("Ben", "signer"), ("Zoe", "copy")), 1):
        email, language = f"{name.lower()}@example.com", languages.get(name.lower())
        one.add_recipient(Recipient(ids.new_id(), role, name, email, None, order, language=language), at)
    signers = [person for person in one.recipients.values() if person.role == "signer"]
    place = [Field(ids.new_id(), person.id, document.id, "signature", anchor="/sig/") for person in signers]
    one.place_fields(place, at)
    return one


def sign(one: Envelope, name: str) -> None:
    """All that a signer does."""
    at = ids.now()
    person = one.recipient_of(f"{name}@example.com")
    one.open_document(person.id, Presence(at), at)
    one.consent(person.id, "en-1", Presence(at), at)
    shown = {document.id: document.sha256 for document in one.documents.values()}
    one.sign(person.id, shown, Signature("typed", typed=name), {}, Presence(at), at)


def decline(one: Envelope) -> None:
    """Nora does not sign."""
    at = ids.now()
    one.decline(one.recipient_of("nora@example.com").id, "Too dear", Presence(at), at)


def complete(one: Envelope) -> None:
    """As the worker seals it."""
    sealed = dict.fromkeys(one.documents, Sealed("cd" * 32, 9))
    one.complete(sealed, "ef" * 32, ids.now() + timedelta(days=900), ids.now())


def scenario(url: str, test: Callable[[EventStore], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with opened_store(url) as store:
            await test(store)

    run(whole())


def said(letters: list[Letter]) -> list[tuple[str, str]]:
    return sorted((letter.kind, letter.recipient.address.partition("@")[0]) for letter in letters)


def test_each_is_told_what_concerns_it(module_database_url: str) -> None:
    async def test(store: EventStore) -> None:
        tenant, olga, ana = await office(store)
        one = drafted(ana.id)
        await store_new(store, tenant, one)
        assert await told(store, tenant) == [], "a draft is nobody's business"
        await do(store, tenant, one.id, lambda made: made.send(ids.now()), ana.id)
        (invite,) = await told(store, tenant)
        assert (invite.kind, invite.recipient.address, invite.reply_to) == (
            "envelope_invite",
            "nora@example.com",
            f"ana@{tenant.hex[-8:]}.example.com",
        )
        assert invite.fields["link"] is not None
        assert str(invite.fields["link"]).endswith(f"/portal/documents/{ids.to_wire(one.id)}")
        assert invite.fields["topic"] == "Offer" and invite.fields["note"] == "By Friday."
        nora = one.recipient_of("nora@example.com") if one.state != "draft" else next(iter(one.recipients.values()))
        await do(store, tenant, one.id, lambda made: made.remind(nora.id, ids.now()), ana.id)
        assert said(await told(store, tenant)) == [("envelope_reminder", "nora")]
        await do(store, tenant, one.id, lambda made: sign(made, "nora"), None)
        assert said(await told(store, tenant)) == [("envelope_invite", "ben")]
        await do(store, tenant, one.id, lambda made: sign(made, "ben"), None)
        assert await told(store, tenant) == [], "the seal is still missing"
        await do(store, tenant, one.id, complete, None)
        everyone = [("envelope_completed", name) for name in ("ben", "nora", "zoe")]
        assert said(await told(store, tenant)) == [("envelope_all_signed", "ana"), *everyone]
        await do(store, tenant, one.id, lambda made: made.purge(ids.now(), announced=True), olga.id)
        assert said(await told(store, tenant)) == [("envelope_purge", name) for name in ("ben", "nora", "zoe")]

    scenario(module_database_url, test)


def test_the_language_is_the_recipients_own_or_that_of_the_words(module_database_url: str) -> None:
    async def test(store: EventStore) -> None:
        tenant, _, ana = await office(store)
        await told(store, tenant)
        key = await store.tenant_key(tenant)
        about = {"t": tenant, "k": client_address_of(key, "zoe@example.com").key}
        await store.database.rows(SPEAKS, about)
        words: dict[str, Any] = {
            "subject": "Oferta para la casa",
            "message": "Por favor firme los documentos antes del viernes.",
        }
        for fields, language in ((words, "es"), ({}, "en")):
            one = drafted(ana.id, **fields)
            one.send(ids.now())
            await store_new(store, tenant, one)
            (invite,) = await told(store, tenant)
            assert (invite.recipient.address, invite.language) == ("nora@example.com", language)
            await do(store, tenant, one.id, lambda made: sign(made, "nora"), None)
            await do(store, tenant, one.id, lambda made: sign(made, "ben"), None)
            await do(store, tenant, one.id, complete, None)
            found = {letter.recipient.address: letter.language for letter in await told(store, tenant)}
            everyone = {f"{name}@example.com": language for name in ("nora", "ben")} | {"zoe@example.com": "es"}
            assert everyone.items() <= found.items()

    scenario(module_database_url, test)


CHOSEN = "UPDATE portal_languages SET chosen = true WHERE tenant_id = %(t)s RETURNING 1"


def test_the_sender_names_a_language_until_the_recipient_chooses_one(module_database_url: str) -> None:
    async def test(store: EventStore) -> None:
        tenant, _, ana = await office(store)
        await told(store, tenant)
        key = await store.tenant_key(tenant)

        async def invited(language: str | None) -> str:
            one = drafted(ana.id, languages={"nora": language})
            one.send(ids.now())
            await store_new(store, tenant, one)
            (invite,) = await told(store, tenant)
            return invite.language

        assert [await invited("es"), await invited("en"), await invited(None)] == ["es", "en", "en"]
        await store.database.rows(SPEAKS, {"t": tenant, "k": client_address_of(key, "nora@example.com").key})
        assert [await invited("en"), await invited(None)] == ["en", "es"], "her browser prefers Spanish"
        await store.database.rows(CHOSEN, {"t": tenant})
        assert [await invited("en"), await invited(None)] == ["es", "es"], "she has chosen Spanish"

    scenario(module_database_url, test)


def test_an_end_is_told_to_those_who_were_asked_and_to_the_sender(module_database_url: str) -> None:
    async def test(store: EventStore) -> None:
        tenant, olga, ana = await office(store)
        bo = await hire(store, tenant, "Bo")
        await told(store, tenant)
        ends: list[tuple[Callable[[Envelope], None], UUID | None, Any, list[tuple[str, str]]]] = [
            (decline, None, {"assigned_to": bo.id}, [("envelope_not_signed", "bo")]),
            (lambda made: made.void("Changed", ids.now()), olga.id, {}, []),
            (
                lambda made: made.expire(ids.now() + timedelta(days=9)),
                None,
                {},
                [("envelope_late", "ana"), ("envelope_expired", "nora")],
            ),
        ]
        ends[1][3].extend([("envelope_voided", "nora"), ("envelope_withdrawn", "ana")])
        for end, by, fields, expected in ends:
            one = drafted(ana.id, **fields)
            one.send(ids.now())
            await store_new(store, tenant, one)
            assert said(await told(store, tenant)) == [("envelope_invite", "nora")]
            await do(store, tenant, one.id, end, by)
            letters = await told(store, tenant)
            assert said(letters) == sorted(expected)
            if end is decline:
                assert letters[0].fields["person"] == "Nora" and letters[0].fields["note"] == "Too dear"
        # Without a drafter or an agent the owners are the sender.
        one = drafted(None)
        one.send(ids.now())
        await store_new(store, tenant, one)
        await do(store, tenant, one.id, decline, None)
        assert said(await told(store, tenant)) == [("envelope_invite", "nora"), ("envelope_not_signed", "olga")]

    scenario(module_database_url, test)
