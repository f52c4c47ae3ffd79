"""The menu of the portal, in one list."""

from typing import TYPE_CHECKING, NamedTuple

from aureum.http.portal.catalogue import later

if TYPE_CHECKING:
    from aureum.http.portal.visit import PortalVisit


class Place(NamedTuple):
    """A page that the menu names. One for ``signers`` is there on every plan."""

    path: str
    label: str
    signers: bool = False


PLACES: tuple[Place, ...] = (
    Place("/portal", later("Home"), signers=True),
    Place("/portal/documents", later("Documents"), signers=True),
    Place("/portal/messages", later("Messages")),
    Place("/portal/tours", later("Tours")),
    Place("/portal/listings", later("Listings")),
    Place("/portal/dates", later("Key dates")),
    Place("/portal/enquiries", later("Enquiries")),
    Place("/portal/data", later("Your data")),
)


class Entry(NamedTuple):
    """A line of the menu: where it leads, what it says, and whether the client is there."""

    path: str
    label: str
    current: bool


def menu(visit: "PortalVisit") -> list[Entry]:
    """What a client who has signed in can choose."""
    if visit.signed_in is None:
        return []
    places = [place for place in PLACES if place.signers or visit.at.has_portal]
    here = visit.request.url.path
    return [Entry(visit.link(place.path), visit.gettext(place.label), here == place.path) for place in places]
