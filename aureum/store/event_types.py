"""The closed list of event types. What a row names is looked up here, and nothing else is ever imported for it."""

from aureum.domain.aggregate import Aggregate, Event
from aureum.domain.api_key import ApiKey
from aureum.domain.brokerage import Brokerage
from aureum.domain.contact import Contact
from aureum.domain.lead import Lead
from aureum.domain.property import Property
from aureum.domain.subscriber import Subscriber
from aureum.domain.task import Task
from aureum.domain.tour import Tour
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint
from aureum.domain.webhook_ping import WebhookPing
from aureum.domain.webhook_redelivery import WebhookRedelivery
from aureum.domain.webhook_replay import WebhookReplay

AGGREGATES: dict[type[Aggregate], tuple[type[Event], ...]] = {
    ApiKey: (ApiKey.Issued, ApiKey.Revoked),
    Brokerage: (
        Brokerage.Opened,
        Brokerage.PlanChanged,
        Brokerage.Renamed,
        Brokerage.DomainsChanged,
        Brokerage.SettingsChanged,
        Brokerage.RoutingChanged,
        Brokerage.Disabled,
        Brokerage.Enabled,
    ),
    Contact: (Contact.Added, Contact.DetailsChanged, Contact.Classified),
    Lead: (
        Lead.Captured,
        Lead.StatusChanged,
        Lead.Assigned,
        Lead.Converted,
        Lead.DetailsChanged,
        Lead.Suspected,
        Lead.Cleared,
    ),
    Property: (Property.Listed, Property.StatusChanged, Property.DetailsChanged),
    Subscriber: (
        Subscriber.Subscribed,
        Subscriber.Consented,
        Subscriber.Unsubscribed,
        Subscriber.Resubscribed,
        Subscriber.Doubted,
        Subscriber.Suspected,
        Subscriber.United,
        Subscriber.Merged,
    ),
    Task: (Task.Created, Task.DetailsChanged, Task.Assigned, Task.StatusChanged, Task.Completed),
    Tour: (
        Tour.Requested,
        Tour.StatusChanged,
        Tour.Rescheduled,
        Tour.Assigned,
        Tour.DetailsChanged,
        Tour.Suspected,
        Tour.Cleared,
    ),
    User: (
        User.Joined,
        User.Renamed,
        User.ProfileChanged,
        User.BioChanged,
        User.PasswordSet,
        User.Disabled,
        User.Enabled,
    ),
    WebhookEndpoint: (
        WebhookEndpoint.Registered,
        WebhookEndpoint.DetailsChanged,
        WebhookEndpoint.SecretRotated,
        WebhookEndpoint.Disabled,
        WebhookEndpoint.Enabled,
        WebhookEndpoint.Removed,
    ),
    WebhookPing: (WebhookPing.Requested,),
    WebhookRedelivery: (WebhookRedelivery.Requested,),
    WebhookReplay: (WebhookReplay.Requested, WebhookReplay.Cancelled),
}
