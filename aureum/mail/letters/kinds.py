"""All kinds of letters, on one page. A new one takes a line here, a pair of templates with its name in ``templates/``,
and its sentences in each file of ``texts/``.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """``fields`` are the names that a letter of this kind may have besides ``link``; the mail leaves out those that are
    not given. A letter with ``account`` ignores which mails the user chose, an ``urgent`` one does not wait for a
    digest, and ``public`` ones go to visitors. The link of a ``secret`` letter opens something by itself: only its
    recipient may see it, and without a link the letter is useless."""

    fields: tuple[str, ...]
    account: bool = False
    urgent: bool = False
    public: bool = False
    secret: bool = False


PERSON = ("lead", "email", "phone", "subject", "message", "page", "listing", "wished", "reason", "by")
"""What staff read of a lead or a tour."""

SIGNER = ("first_name", "topic", "note", "until")
"""What a recipient of an envelope reads: what it is about, what the sender says, and until when."""

SENDER = ("topic", "person", "note")
"""What the sender of an envelope reads: what it is about, and who did what, with which reason."""

KINDS = {
    "lead_assigned": Kind(PERSON),
    "tour_assigned": Kind(PERSON),
    "lead_in_pond": Kind(PERSON),
    "tour_in_pond": Kind(PERSON),
    "lead_offered": Kind(("lead", "until"), urgent=True),
    "answer_late": Kind(("lead", "at", "why"), urgent=True),
    "confirmation": Kind(("first_name", "asked"), public=True),
    "showing_calendar": Kind(("first_name", "place", "when"), public=True),
    "showing_cancelled": Kind(("first_name", "place"), public=True),
    "portal_sign_in": Kind(("first_name", "code", "minutes"), public=True, secret=True),
    "portal_address": Kind(("first_name", "code", "minutes"), public=True, secret=True),
    "address_changed": Kind(("first_name",), public=True),
    "client_message": Kind(("first_name", "by", "message"), public=True),
    "client_listing": Kind(("first_name", "by", "home", "address", "note"), public=True),
    "message_received": Kind(("lead", "message"), urgent=True),
    **dict.fromkeys(
        (
            "envelope_invite",
            "envelope_reminder",
            "envelope_completed",
            "envelope_declined",
            "envelope_voided",
            "envelope_expired",
            "envelope_purge",
        ),
        Kind(SIGNER, public=True),
    ),
    **dict.fromkeys(
        ("envelope_all_signed", "envelope_not_signed", "envelope_withdrawn", "envelope_late"),
        Kind(SENDER, urgent=True),
    ),
    "webhook_disabled": Kind(("host", "why"), account=True),
    "domain_silent": Kind(("domain",), account=True),
    "leads_expire": Kind(("lead_count", "day"), account=True),
    "invitation": Kind(("by", "days"), account=True, secret=True),
    "password_reset": Kind(("hours",), account=True, secret=True),
    "password_changed": Kind((), account=True),
    "digest": Kind(("leads", "lead_count", "tours", "tour_count")),
}
