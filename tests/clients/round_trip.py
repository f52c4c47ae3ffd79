"""A client that openapi-python-client makes: ``python round_trip.py URL KEY DOMAIN``, beside the package ``made``.

It runs in an environment of its own, so that it imports nothing of the tests.
"""

import sys
from http import HTTPStatus

from made import AuthenticatedClient, Client
from made.api.contact import submit_contact_form
from made.api.contacts import get_contacts, patch_contact, post_contact
from made.api.events import get_events
from made.api.leads import post_lead
from made.api.tasks import post_task
from made.models import (
    ContactChange,
    ContactCreate,
    ContactForm,
    ContactMessage,
    ContactResponse,
    Error,
    LeadCreate,
    LeadMessage,
    LeadResponse,
    LeadsInvalid,
    TaskCreate,
    TaskResponse,
    Thanks,
)

url, key, domain = sys.argv[1:]
api = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)

# Create: what may be left out is left out.
made = post_contact.sync_detailed(client=api, body=ContactCreate(first_name="Jane", last_name="Doe", tags=["vip"]))
contact = made.parsed
assert isinstance(contact, ContactResponse), contact
assert (contact.type_, contact.email, contact.tags) == ("BUYER", None, ["vip"])

# List, by a filter and in pages.
listed = get_contacts.sync(client=api, tag="vip", limit=1)
assert isinstance(listed, list) and [one.id for one in listed] == [contact.id]

# Change what was seen, then what has changed since.
seen = {"client": api, "id": contact.id, "if_match": made.headers["ETag"]}
changed = patch_contact.sync(body=ContactChange(score=90, email="jane@example.com"), **seen)
assert isinstance(changed, ContactResponse) and changed.score == 90
stale = patch_contact.sync_detailed(body=ContactChange(score=10), **seen)
assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
assert isinstance(stale.parsed, Error) and stale.parsed.code == "version_stale"

# A refusal has a type, and names every bad field.
refused = post_contact.sync(client=api, body=ContactCreate(first_name="", last_name="Doe", email="no address"))
assert isinstance(refused, Error) and refused.code == "invalid_fields"
assert set(refused.fields.additional_properties) == {"firstName", "email"}

# A lead with none of its defaults, and a task about it.
lead = post_lead.sync(client=api, body=LeadCreate(name="John Smith", phone="208-555-0123"))
assert isinstance(lead, LeadResponse) and (lead.status, lead.utm.source) == ("new", None)
task = post_task.sync(client=api, body=TaskCreate(title="Call John", lead_id=lead.id))
assert isinstance(task, TaskResponse) and task.priority == "MEDIUM"

# The events: the type of ``data`` follows from the event.
events = get_events.sync(client=api, limit=500)
assert isinstance(events, list) and len(events) > 3
assert [one.data.name for one in events if isinstance(one, LeadMessage)] == ["John Smith"]
(update,) = (one for one in events if isinstance(one, ContactMessage) and one.event == "contact.updated")
assert update.changes.additional_properties["score"].to == 90

# The public form, at the brokerage's own domain.
visitor = Client(base_url=url, headers={"Host": domain}, raise_on_unexpected_status=True)
form = {"first_name": "Ann", "last_name": "Lee", "subject": "A house", "message": "Hello"}
sent = submit_contact_form.sync(client=visitor, body=ContactForm(email="ann@example.com", **form))
assert isinstance(sent, Thanks) and sent.success is True
unsent = submit_contact_form.sync_detailed(client=visitor, body=ContactForm(email="no address", **form))
assert unsent.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
assert isinstance(unsent.parsed, LeadsInvalid) and unsent.parsed.detail[0].type_ == "value_error.email"
assert unsent.headers["X-Error-Code"] == "invalid_fields"

print("The client works.")
