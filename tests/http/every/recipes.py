"""What a request needs besides what follows from its endpoint's declaration, and what makes the resources in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aureum.http.api.brokerages.logo import PIXEL
from tests.http.every.call import LOGOUT, NUMBERS, OWN_PASSWORD, OWN_TOTP, PASSWORD
from tests.http.every.of_brokerages import (
    IMPORTS,
    failed_mail,
    imported,
    importing,
    noted,
    of_new_webhook,
    replay_of,
    subscriber,
    webhook,
    with_link,
    with_logo,
    with_mail,
)
from tests.http.every.of_envelopes import (
    extended,
    filled,
    filling,
    of_envelope,
    pkcs12_file,
    uploaded,
    uploading,
    with_certificate,
)
from tests.http.every.of_people import (
    activity,
    asked_twice,
    changed,
    erasable,
    in_pond,
    listing,
    of_two_contacts,
    pair,
    reported,
    searched,
    shown_once,
    similar,
    with_activity,
    with_history,
    with_showing,
    with_start,
    with_task,
    working,
)
from tests.http.every.of_routing import (
    REHEARSALS,
    example,
    rehearsal,
    rehearsed,
    routing,
    routing_changed,
    running_rehearsal,
    to_rehearse,
)
from tests.http.every.of_users import (
    changed_by_a_user,
    invited,
    own_feed,
    own_password,
    own_totp,
    profile,
    session,
    with_feed,
    with_password,
    with_password_link,
    without_password,
)

if TYPE_CHECKING:
    from tests.http.every.sample import Sample

A_DATE = {"dates": [{"label": "Appraisal", "date": "2027-02-03"}]}
"""Another one than the sample of the request."""

RECIPES: Mapping[tuple[str, str], Callable[[Sample], dict[str, Any]]] = {
    ("POST", "/api/v1/auth/login"): with_password,
    ("GET", "/api/logo"): with_logo,
    ("PUT", "/api/v1/admin/brokerages/{id}/logo"): lambda sample: {"body": {"image": PIXEL}},
    ("POST", "/api/v1/auth/reset"): with_password_link,
    ("POST", "/api/v1/admin/users/{id}/invite"): without_password,
    ("POST", "/api/v1/admin/users/{id}/cancel-invitation"): invited,
    ("GET", "/api/newsletter/unsubscribe"): with_link,
    ("POST", "/api/newsletter/unsubscribe"): with_link,
    ("POST", "/api/webhooks/{id}/rotate-secret"): of_new_webhook("rotate-secret", {"overlap_hours": 24}),
    ("POST", "/api/webhooks/{id}/replay"): of_new_webhook("replay", {"since": 0, "only": "missing"}),
    ("POST", "/api/webhooks/{id}/test"): of_new_webhook("test", {"event": "lead.created"}),
    ("GET", "/api/leads/{id}/activities"): with_activity("/api/leads/{id}/activities"),
    ("GET", "/api/contacts/{id}/activities"): with_activity("/api/contacts/{id}/activities"),
    ("GET", "/api/contacts/{id}/messages"): with_activity("/api/contacts/{id}/messages"),
    ("GET", "/api/contacts/{id}/listings"): with_activity("/api/contacts/{id}/listings"),
    ("GET", "/api/contacts/{id}/messages/history"): with_history("/api/contacts/{id}/messages"),
    ("GET", "/api/contacts/{id}/listings/history"): with_history("/api/contacts/{id}/listings"),
    ("GET", "/api/contacts/{id}/key-dates/history"): with_history("/api/contacts/{id}/key-dates", A_DATE),
    ("GET", "/api/v1/admin/leads/{id}/activities"): with_activity("/api/v1/admin/leads/{id}/activities"),
    ("PATCH", "/api/v1/admin/agents/{id}"): profile,
    ("GET", "/api/v1/admin/today"): working,
    ("GET", "/api/v1/admin/reports"): reported,
    ("POST", "/api/v1/admin/leads/{id}/claim"): in_pond,
    ("PUT", "/api/v1/admin/routing"): lambda sample: {"body": routing(sample)},
    ("POST", "/api/v1/admin/routing/rehearse"): rehearsal,
    ("POST", f"{REHEARSALS}/{{id}}/cancel"): running_rehearsal,
    ("POST", IMPORTS): importing,
    ("POST", f"{IMPORTS}/{{id}}/undo"): imported,
    ("POST", f"{IMPORTS}/{{id}}/start"): lambda sample: {
        "path": f"{IMPORTS}/{sample.make(IMPORTS)}/start",
        "body": {"dry_run": True},
    },
    ("POST", "/api/contacts/{id}/distinct"): of_two_contacts("distinct", "from"),
    ("POST", "/api/contacts/{id}/merge"): of_two_contacts("merge", "with"),
    ("POST", "/api/contacts/{id}/unmerge"): of_two_contacts("unmerge", "merge"),
    ("POST", "/api/leads/{id}/undo"): changed("/api/leads", "subject", "A yard"),
    ("POST", "/api/contacts/{id}/undo"): changed("/api/contacts", "lastName", "Jones"),
    ("POST", "/api/properties/{id}/undo"): changed("/api/properties", "title", "A villa"),
    ("POST", "/api/tasks/{id}/undo"): changed("/api/tasks", "title", "Call"),
    ("POST", "/api/showings/{id}/undo"): changed("/api/showings", "name", "Jim"),
    ("GET", "/api/contacts/similar"): similar,
    ("GET", "/api/v1/admin/search"): searched,
    ("GET", "/api/v1/admin/platform/log"): lambda sample: {"query": {"brokerage_id": str(sample.number)}},
    ("GET", "/api/contacts/{id}/related"): with_task,
    ("GET", "/api/contacts/serving"): lambda sample: {"query": {"ids": sample.one("/api/contacts")}},
    ("GET", "/api/properties/{id}/related"): shown_once,
    ("GET", "/api/showings/calendar"): with_showing,
    ("POST", "/api/showings/{id}/send-calendar"): with_start,
    ("GET", "/api/leads/{id}/mails"): with_mail("/api/leads"),
    ("GET", "/api/showings/{id}/mails"): with_mail("/api/showings"),
    ("POST", "/api/showings/{id}/no-show"): lambda sample: {
        "path": f"/api/showings/{sample.make('/api/showings')}/no-show"
    },
    ("GET", "/api/leads/{id}/duplicates"): asked_twice,
    ("GET", "/api/v1/admin/signing/certificate"): with_certificate,
    ("POST", "/api/v1/admin/signing/certificate"): lambda _: {"body": pkcs12_file()},
    ("PATCH", "/api/v1/admin/signing"): lambda sample: {"body": {"retain_years": next(NUMBERS) % 90 + 10}},
    ("POST", "/api/envelopes/{id}/purge"): lambda sample: {
        "path": f"/api/envelopes/{sample.make('/api/envelopes')}/purge"
    },
    ("POST", "/api/envelopes/{id}/documents"): uploading,
    ("GET", "/api/envelopes/{id}/documents/{documentId}"): uploaded,
    ("DELETE", "/api/envelopes/{id}/documents/{documentId}"): uploaded,
    ("POST", "/api/envelope-templates/{id}/documents"): filling,
    ("GET", "/api/envelope-templates/{id}/documents/{documentId}"): filled,
    ("DELETE", "/api/envelope-templates/{id}/documents/{documentId}"): filled,
    ("POST", "/api/envelopes/{id}/send"): of_envelope("send"),
    ("POST", "/api/envelopes/{id}/void"): of_envelope("void", {"reason": "The price has changed."}),
    ("POST", "/api/envelopes/{id}/extend"): extended,
    ("POST", "/api/envelopes/{id}/recipients/{recipientId}/remind"): of_envelope("recipients/{recipientId}/remind"),
    ("POST", "/api/envelopes/{id}/recipients/{recipientId}/reassign"): of_envelope(
        "recipients/{recipientId}/reassign", {"name": "John Doe", "email": "john@example.com"}
    ),
    ("PATCH", "/api/me"): lambda sample: {"body": {"name": f"Olga {sample.mark} {next(NUMBERS)}"}},
    ("POST", OWN_PASSWORD): own_password,
    ("POST", OWN_TOTP): own_totp,
    ("POST", OWN_TOTP + "/disable"): lambda sample: own_password(sample) | {"body": {"current": PASSWORD}},
    ("POST", "/api/v1/admin/people/erase"): erasable,
    ("POST", "/api/v1/admin/undo"): changed_by_a_user,
    ("POST", LOGOUT): lambda sample: {"headers": sample.operator.staff(sample.tenant.id, "broker").bearer},
}
"""What else a request needs besides what follows from the declaration: ``body``, ``query``, ``headers``, ``host``."""
MAKERS: Mapping[str, Callable[[Sample], dict[str, Any]]] = {
    "/api/users": lambda sample: vars(sample.operator.staff(sample.tenant.id, "agent", f"Uma {sample.mark}")),
    "/api/v1/admin/pond": lambda sample: {"id": in_pond(sample)["path"].split("/")[-2]},
    "/api/v1/admin/agents": lambda sample: {
        "id": sample.operator.staff(sample.tenant.id, "agent", f"Amy {sample.mark}").number
    },
    "/api/me/sessions": session,
    "/api/contacts/duplicates": pair,
    "/calendar": with_feed,
    "/api/me/calendar-feed": own_feed,
    "/api/contacts/similar": lambda sample: {"id": sample.make("/api/contacts")},
    "/api/webhooks": webhook,
    "/api/webhooks/deliveries": lambda sample: {"id": webhook(sample)["delivery"]},
    "/api/webhooks/replays": lambda sample: {"id": webhook(sample)["replay"]},
    "/api/webhooks/{id}/replays": lambda sample: replay_of(sample, sample.one("/api/webhooks")),
    REHEARSALS: rehearsed,
    f"{REHEARSALS}/{{id}}/leads": to_rehearse,
    "/api/v1/admin/routing/examples": example,
    "/api/v1/admin/routing/history": routing_changed,
    "/api/v1/admin/security-log": noted,
    "/api/v1/admin/mail": failed_mail,
    "/api/v1/admin/newsletter": subscriber,
    "/api/activities": activity,
    "/api/contact-listings": listing,
    "/api/events": lambda sample: {"id": sample.make("/api/leads")},
    "/api/reso/EntityEvent": lambda sample: {"id": sample.make("/api/properties")},
    "/api/reso/Property": lambda sample: {"id": sample.make("/api/properties")},
}
"""What makes the resources of a list that nothing can be posted to, or that need more than that."""
REFERENCES: Mapping[str, Callable[[Sample], Any]] = {
    "assignedToId": lambda sample: sample.agent.id,
    "assigned_agent_id": lambda sample: sample.agent.number,
    "brokerage_id": lambda sample: sample.number,
    "leadId": lambda sample: sample.one("/api/leads"),
    "contactId": lambda sample: sample.one("/api/contacts"),
    "propertyId": lambda sample: sample.one("/api/properties"),
    "templateId": lambda sample: sample.one("/api/envelope-templates"),
    "envelopeId": lambda sample: sample.one("/api/envelopes"),
}
"""Fields that name another resource of the brokerage."""
