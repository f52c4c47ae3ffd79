"""What the panel shows of each kind of resource, and how a reader fills in its forms."""

from dataclasses import dataclass
from functools import partial
from itertools import count

from aureum.domain.ids import PLATFORM
from aureum.http.panel.pages import PAGES
from aureum.http.panel.resource import Resource
from aureum.http.panel.resource_new import show_new
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to
from tests.http.panel.reading import Form, Reading
from tests.http.serving import Server

RESOURCES: tuple[Resource, ...] = tuple(
    one.show.args[0] for one in PAGES if isinstance(one.show, partial) and one.show.func is show_new
)
"""Those that are made in the panel. Agents are users: test_agents.py."""


NUMBERS = count(1)
EVENTS = "SELECT count(*) FROM events"


@dataclass(frozen=True)
class Typed:
    """What is typed into the form of a new one, and then, into its own, a ``change`` and ``another``."""

    new: dict[str, str]
    change: tuple[str, str]
    another: tuple[str, str]
    refused: tuple[str, str]
    """A field, and what cannot be typed there."""


CRUEL = "\"'><script>alert(1)</script>&amp;"
TYPED = {
    "/admin/leads": Typed(
        {
            "first_name": CRUEL,
            "last_name": "Doe",
            "email": "jane@example.com",
            "status": "qualified",
            "subject": "Walk-in",
            "message": "a\r\n b",
            "notes": "Called\r\nback.",
        },
        ("phone", "208-555-0123"),
        ("subject", "A garden"),
        ("email", "nobody"),
    ),
    "/admin/contacts": Typed(
        {"firstName": CRUEL, "lastName": "Doe", "type": "SELLER", "tags": "vip, north end", "score": "85"},
        ("tags", "north end, vip, later"),
        ("lastName", "Smith"),
        ("score", "101"),
    ),
    "/admin/properties": Typed(
        HOUSE | {"title": CRUEL, "price": "$450,000.50", "status": "PENDING", "isFeatured": "yes", "bathrooms": "2.5"},
        ("price", "$9,999,999,999,999.99"),
        ("zip", "83702"),
        ("price", "€5"),
    ),
    "/admin/tasks": Typed(
        {"title": CRUEL, "priority": "URGENT", "status": "in_progress", "dueDate": "2025-03-09T03:30:00"},
        ("dueDate", "2025-11-02T01:30:00"),
        ("description", "Bring the keys.\r\nBoth."),
        ("title", "x" * 1001),
    ),
    "/admin/showings": Typed(
        {"name": CRUEL, "phone": "208-555-0456", "status": "confirmed", "preferredDate": "2025-03-09"},
        ("preferredTime", "At noon"),
        ("email", "jane@example.com"),
        ("listingId", "x" * 101),
    ),
    "/admin/users": Typed(
        {"name": CRUEL, "email": "user{}@example.com", "role": "agent", "password": " a long password "},
        ("specialties", "north end, condos"),
        ("role", "broker"),
        ("name", "x" * 201),
    ),
    "/admin/brokerages": Typed(
        {
            "name": CRUEL,
            "slug": "panel-{}",
            "plan": "Grow",
            "domains": "www{}.example.com",
            "time_zone": "America/Denver",
        },
        ("time_zone", "America/Boise"),
        ("plan", "Elite"),
        ("country", "XX"),
    ),
}


def reader_of(resource: Resource, server: Server, operator: Operator, tenant: Tenant) -> Reader:
    """A user who may do everything there."""
    if resource.path == "/admin/brokerages":
        return as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    return as_staff(server, operator.staff(tenant.id, "brokerage_owner", "Olivia Owner"))


def events(operator: Operator) -> int:
    """How many there are, in whichever brokerage."""
    ((found,),) = operator.rows(EVENTS)
    return int(found)


def typed_new(resource: Resource) -> dict[str, str]:
    """What the table says, with what may be there but once."""
    number = str(next(NUMBERS))
    return {name: text.replace("{}", number) for name, text in TYPED[resource.path].new.items()}


def entered(reader: Reader, resource: Resource, **typed: str) -> str:
    """The address of the page of a new one."""
    form = reader.read(f"{resource.path}/new").form(f"{resource.path}/new")
    # A contact that was entered before may be the same person.
    sent = [*form.filled(**(typed_new(resource) | typed)), ("anyway", "yes")]
    return led_to(reader.send(form.action, sent)).removesuffix("?done=created")


def without_undo(address: str) -> str:
    """The address less what the page offers to undo."""
    return address.partition("&undo=")[0]


def own_form(reader: Reader, path: str) -> Form:
    return reader.read(path).form(path)


def saved(reader: Reader, path: str, **typed: str) -> Reading:
    """The page after its form was sent with what was *typed*."""
    answer = reader.send(path, own_form(reader, path).filled(**typed))
    assert without_undo(led_to(answer)) == f"{path}?done=changed"
    return reader.follow(answer)
