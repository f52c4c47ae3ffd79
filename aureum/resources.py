"""Every kind of resource, named once. One more is one line here; what it is made of stands in its own modules.

What follows from this list: the types of events, the tables of what people read with their rights and indexes, the
statement of the append, rebuilds, the version that the gate reports, counts on the command line, the names of webhooks
(``registry.py``); the endpoints with their documents (``http/api/of_resources.py``), and the pages of the panel
(``http/panel/pages.py``).

HTTP stands above all that uses this. So its modules are named by their paths, and imported by what serves them.
"""

from dataclasses import dataclass

from aureum.domain.aggregate import Aggregate
from aureum.domain.api_key import ApiKey
from aureum.domain.brokerage import Brokerage
from aureum.domain.calendar_feed import CalendarFeed
from aureum.domain.contact import Contact
from aureum.domain.conversation import Conversation
from aureum.domain.docusign_connection import DocusignConnection
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.erasure import Erasure
from aureum.domain.key_dates import KeyDates
from aureum.domain.lead import Lead
from aureum.domain.property import Property
from aureum.domain.routing_rehearsal import RoutingRehearsal
from aureum.domain.seal_certificate import SealCertificate
from aureum.domain.shortlist import Shortlist
from aureum.domain.subscriber import Subscriber
from aureum.domain.task import Task
from aureum.domain.tour import Tour
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.domain.webhook_replay import WebhookReplay
from aureum.projections import (
    api_keys,
    brokerages,
    calendar_feeds,
    contact_list,
    conversation_list,
    docusign_envelopes,
    envelope_list,
    envelope_recipients,
    envelope_template_list,
    envelope_timers,
    erasures,
    key_dates,
    lead_counts,
    lead_list,
    property_list,
    routing_examples,
    routing_rehearsals,
    sealings,
    shortlists,
    subscriber_list,
    task_list,
    tour_list,
    users,
    webhook_endpoints,
    webhook_replays,
)
from aureum.projections.read_model import ReadModel

API = "aureum.http.api."
PANEL = "aureum.http.panel."


@dataclass(frozen=True)
class Resource:
    """An aggregate; the read models that are made of its events, in the order in which an append updates them; and the
    modules that have its ``ENDPOINTS`` and ``PAGES``."""

    aggregate: type[Aggregate]
    read_models: tuple[ReadModel, ...] = ()
    endpoints: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


RESOURCES: tuple[Resource, ...] = (
    Resource(
        Lead,
        (lead_list.LIST, lead_counts, routing_examples),
        (
            *(f"{API}leads.{name}" for name in ("contact_form", "lead_count", "leads")),
            *(f"{API}staff.{name}" for name in ("leads", "lead_activities", "pond", "today", "reports")),
        ),
        (f"{PANEL}lead_pages", f"{PANEL}leads", f"{PANEL}pond"),
    ),
    Resource(
        Contact,
        (contact_list.LIST,),
        (
            f"{API}duplicates.duplicates",
            f"{API}contacts.related",
            f"{API}contacts.contacts",
            f"{API}contacts.merging",
            f"{API}activities.activities",
        ),
        (f"{PANEL}duplicates", f"{PANEL}seen_as_client", f"{PANEL}contacts", f"{PANEL}activities"),
    ),
    Resource(Conversation, (conversation_list.LIST,), (f"{API}clients.messages",), (f"{PANEL}client",)),
    Resource(Shortlist, (shortlists.LIST,), (f"{API}clients.listings",)),
    Resource(KeyDates, (key_dates.LIST,), (f"{API}clients.key_dates", f"{API}clients.history")),
    Resource(
        Property,
        (property_list.LIST,),
        (f"{API}properties.properties", f"{API}properties.related"),
        (f"{PANEL}properties",),
    ),
    Resource(Task, (task_list.LIST,), (f"{API}tasks.task_agenda", f"{API}tasks.tasks"), (f"{PANEL}tasks",)),
    Resource(
        Tour,
        (tour_list.LIST,),
        tuple(f"{API}tours.{name}" for name in ("showing_calendar", "tour_calendar", "showings", "tours")),
        (f"{PANEL}showings",),
    ),
    # Ahead of the pages of envelopes, where any other word is an envelope's id.
    Resource(
        EnvelopeTemplate,
        (envelope_template_list.LIST,),
        (f"{API}envelopes.templates", f"{API}envelopes.template_documents"),
        (f"{PANEL}envelope_templates", f"{PANEL}envelope_template"),
    ),
    Resource(
        Envelope,
        (envelope_list.LIST, envelope_recipients, envelope_timers, sealings, docusign_envelopes),
        tuple(
            f"{API}envelopes.{name}" for name in ("envelopes", "documents", "sending", "signing_settings", "verifying")
        ),
        tuple(f"{PANEL}{name}" for name in ("envelopes", "envelope_page", "envelope_fields", "signing")),
    ),
    Resource(CalendarFeed, (calendar_feeds,), (f"{API}tours.calendar_feed",), (f"{PANEL}showing_feed",)),
    Resource(
        Subscriber,
        (subscriber_list.LIST,),
        (f"{API}newsletter.newsletter", f"{API}newsletter.subscribers"),
        (f"{PANEL}newsletter",),
    ),
    Resource(
        WebhookEndpoint,
        (webhook_endpoints,),
        (f"{API}webhooks.endpoints", f"{API}webhooks.events", f"{API}reso.reso"),
        (f"{PANEL}webhooks",),
    ),
    Resource(WebhookPing, (), (f"{API}webhooks.ping",)),
    Resource(WebhookRedelivery, (), (f"{API}webhooks.deliveries",), (f"{PANEL}webhook_deliveries",)),
    Resource(
        WebhookReplay,
        (webhook_replays,),
        (f"{API}webhooks.replays",),
        # Behind its replays and deliveries, since any other word there is a webhook's id.
        (f"{PANEL}webhook_replays", f"{PANEL}webhook"),
    ),
    Resource(
        User,
        (users,),
        (f"{API}staff.users", f"{API}staff.managed_users", f"{API}staff.saved_views", f"{API}routing.agents"),
        (f"{PANEL}agents", f"{PANEL}users"),
    ),
    Resource(Erasure, (erasures,), (f"{API}people.erasures",)),
    Resource(RoutingRehearsal, (routing_rehearsals,), (f"{API}routing.rehearsals",), (f"{PANEL}rehearsals",)),
    Resource(SealCertificate, (), (f"{API}signing.seal_certificate",)),
    Resource(DocusignConnection, (), (f"{API}signing.docusign_connection",)),
    Resource(ApiKey, (api_keys,), (f"{API}staff.api_keys",), (f"{PANEL}api_keys",)),
    Resource(
        Brokerage,
        (brokerages,),
        (f"{API}routing.settings", f"{API}routing.examples", f"{API}brokerages.brokerages", f"{API}brokerages.logo"),
        (
            f"{PANEL}routing",
            f"{PANEL}acting_pages",
            f"{PANEL}brokerages",
            f"{PANEL}settings",
            f"{PANEL}domains",
            f"{PANEL}plans",
            f"{PANEL}form_snippet",
        ),
    ),
)
