"""The links that users get by mail, as the worker makes them."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from aureum.mail.letter import Letter
from aureum.mail.letters.about import LetterSettings
from aureum.mail.letters.account_letters import reset, resets_asked
from aureum.store.event_store import EventStore
from tests.http.operator import Operator
from tests.mail.letters.telling import told

SETTINGS = LetterSettings(base_domain="crm.example.com", public_url="https://crm.example.com")


def letters(operator: Operator, tenant_id: UUID) -> list[Letter]:
    """The letters of the brokerage since the last time, those for forgotten passwords of any brokerage included."""

    async def made(store: EventStore) -> list[Letter]:
        found = await told(store, tenant_id, consumer="links", settings=SETTINGS)
        for asked in await resets_asked(store.database):
            async with store.database.connection() as connection, connection.transaction():
                found += await reset(connection, asked, SETTINGS)
        return found

    return operator.run(made)


def token_of(letter: Letter) -> str:
    """The token in its link."""
    link = urlsplit(str(letter.fields["link"]))
    assert link.path == "/admin/choose-password"
    (token,) = parse_qs(link.query)["token"]
    return token
