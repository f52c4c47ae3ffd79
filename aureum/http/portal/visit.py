"""One visit of a page: at which brokerage, which client, in which language, and what its form holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from aureum.domain.brokerage import includes
from aureum.http.access.hosts import client_address
from aureum.http.contract.visitor_page import Brand
from aureum.http.portal.catalogue import translations
from aureum.http.portal.rendering import rendered
from aureum.http.wire.page_forms import Form

if TYPE_CHECKING:
    from aureum.app import Aureum

PLAN = "Grow"


@dataclass(frozen=True, slots=True)
class PortalBrokerage:
    """The brokerage at whose host the page is."""

    tenant_id: UUID
    name: str
    slug: str
    plan: str
    color: str | None = None
    logo: str | None = None
    time_zone: str = "UTC"

    @property
    def brand(self) -> Brand:
        """How its pages look."""
        return Brand(self.name, self.color, self.logo)

    @property
    def has_portal(self) -> bool:
        """Whether its plan has the portal. If not, only what was sent to be signed is there."""
        return includes(self.plan, PLAN)


@dataclass(frozen=True, slots=True)
class PortalClient:
    """A client who has signed in: a mailbox at one brokerage. ``address`` is in its one form; ``contact_ids`` are the
    contacts that have it, ``signed_in_at`` when the mailbox was last proved."""

    brokerage: PortalBrokerage
    address: str
    contact_ids: tuple[UUID, ...]
    signed_in_at: datetime
    locale: str

    @property
    def tenant_id(self) -> UUID:
        return self.brokerage.tenant_id


@dataclass(frozen=True, slots=True)
class PortalVisit:
    """``client`` is None on pages that anyone may open. In a ``preview`` staff see the page, nothing may change, and
    an agent sees only what is ``visible_to`` that agent."""

    request: Request
    brokerage: PortalBrokerage | None = None
    signed_in: PortalClient | None = None
    locale: str = "en"
    form: Form = field(default_factory=Form)
    preview: str | None = None
    visible_to: UUID | None = None

    @property
    def app(self) -> "Aureum":
        app: Aureum = self.request.app.state.aureum
        return app

    @property
    def client(self) -> PortalClient:
        """The client who has signed in: every page has one, unless it says that anyone may open it."""
        assert self.signed_in is not None, "a page that anyone may open asks for the client"
        return self.signed_in

    @property
    def at(self) -> PortalBrokerage:
        """The brokerage: every page has one, but the refusal of an unknown host."""
        assert self.brokerage is not None, "there is no page without a brokerage"
        return self.brokerage

    @property
    def zone(self) -> ZoneInfo:
        """The clock by which times are shown."""
        return ZoneInfo("UTC" if self.brokerage is None else self.brokerage.time_zone)

    @property
    def counted_as(self) -> str:
        """The address that requests are counted for."""
        return client_address(self.request.scope, self.app.settings.trusted_proxies)

    def gettext(self, text: str, **values: object) -> str:
        """*text* in the client's language, filled with *values* (``%(name)s``)."""
        found = translations(self.locale).gettext(text)
        return found % values if values else found

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """The same of a text that depends on a *number*, which is ``%(num)s`` in it."""
        return translations(self.locale).ngettext(one, many, number) % ({"num": number} | values)

    def link(self, path: str) -> str:
        """The address of another page of the portal: in a preview that of its preview."""
        return path if self.preview is None else self.preview + path.removeprefix("/portal")

    def render(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        leads_to: str = "",
        **shown: object,
    ) -> Response:
        """A page of its *template*, whose forms may lead on to *leads_to*."""
        return rendered(self, template, status=status, headers=headers, leads_to=leads_to, **shown)

    def go(self, path: str) -> Response:
        """On to another page, after a form has done its work."""
        return RedirectResponse(path, 303)
