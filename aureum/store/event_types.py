"""The closed list of event types. What a row names is looked up here, and nothing else is ever imported for it."""

from aureum.domain.aggregate import Aggregate, Event
from aureum.domain.api_key import ApiKey
from aureum.domain.brokerage import Brokerage
from aureum.domain.lead import Lead
from aureum.domain.user import User
from aureum.domain.webhook_endpoint import WebhookEndpoint

AGGREGATES: dict[type[Aggregate], tuple[type[Event], ...]] = {
    ApiKey: (ApiKey.Issued, ApiKey.Revoked),
    Brokerage: (Brokerage.Opened, Brokerage.PlanChanged, Brokerage.Disabled, Brokerage.Enabled),
    Lead: (Lead.Captured, Lead.StatusChanged, Lead.Assigned, Lead.DetailsChanged),
    User: (User.Joined,),
    WebhookEndpoint: (WebhookEndpoint.Registered,),
}
