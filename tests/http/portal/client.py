"""A client of the portal: a browser with cookies, which reads its mails as the worker writes them."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from aureum.mail.letter import Letter
from aureum.mail.letters.about import LetterSettings
from aureum.mail.letters.portal_letters import sign_in, sign_ins_asked
from aureum.store.event_store import EventStore
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader
from tests.http.serving import Answer, Server

SETTINGS = LetterSettings(base_domain="crm.example.org", public_url="https://crm.example.org")

SESSION = "aureum-portal"
PENDING = "aureum-portal-pending"
KNOWN = "aureum-portal-known"


def letters(operator: Operator, tenant_id: UUID) -> list[Letter]:
    """The letters for sign-ins at the brokerage that were asked for since the last time. Those of other brokerages are
    left for later."""

    async def made(store: EventStore) -> list[Letter]:
        found: list[Letter] = []
        for asked in await sign_ins_asked(store):
            if asked.tenant_id == tenant_id:
                tenant_key = await store.tenant_key(tenant_id)
                async with store.database.connection() as connection, connection.transaction():
                    found += await sign_in(connection, tenant_key, asked, SETTINGS)
        return found

    return operator.run(made)


def code_of(letter: Letter) -> str:
    """The code in a letter."""
    return str(letter.fields["code"])


def path_of(letter: Letter) -> str:
    """The path of its link."""
    return urlsplit(str(letter.fields["link"])).path


@dataclass
class Client(Reader):
    """A browser on the brokerage's host, and the ``email`` whose mailbox its person reads."""

    email: str = ""
    operator: Operator | None = None
    tenant: Tenant | None = None
    sent: list[Letter] = field(default_factory=list)

    def asks(self, following: str = "", network: str = "") -> Answer:
        """Ask for a mail; *network* is where the client is, for a server behind a proxy."""
        fields = {"email": self.email, **({"next": following} if following else {})}
        return self.send("/portal/sign-in", fields, {"X-Forwarded-For": f"{network}.7"} if network else None)

    def reads(self) -> Letter:
        """The letter that has come."""
        assert self.operator is not None and self.tenant is not None
        (letter,) = letters(self.operator, self.tenant.id)
        return letter

    def signs_in(self, following: str = "") -> "Client":
        """Ask, and enter the code of the mail."""
        assert self.asks(following).status == 202
        answer = self.send("/portal/code", {"code": code_of(self.reads())})
        assert (answer.status, SESSION in self.cookies) == (303, True), answer.body
        return self

    @property
    def is_in(self) -> bool:
        """Whether the portal knows the client."""
        answer = self.get("/portal/enquiries")
        assert answer.status in (200, 303), answer.status
        return answer.status == 200


def client_at(server: Server, operator: Operator, tenant: Tenant, email: str) -> Client:
    """A browser that has not asked yet."""
    return Client(server, {}, tenant.domain, email, operator, tenant)
