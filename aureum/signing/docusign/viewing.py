"""Where a signer signs at DocuSign: made when the signer clicks, opens once within five minutes, is never kept."""

from datetime import datetime
from uuid import UUID

from aureum.commands.docusign_connections import connection
from aureum.domain.envelope import Envelope
from aureum.domain.envelope_parts import Recipient
from aureum.domain.errors import Busy, WrongState
from aureum.domain.ids import to_wire
from aureum.signing.docusign.account import account_of
from aureum.signing.docusign.failures import Failed
from aureum.signing.docusign.outgoing import number_of
from aureum.signing.docusign.request import NAME_LONGEST, shortened
from aureum.signing.docusign.tokens import Tokens
from aureum.store.event_store import EventStore

NOT_YET = "The documents are on their way to DocuSign. Try again in a minute."
NOT_NOW = "DocuSign cannot show the documents at the moment. Try again in a few minutes."
REFUSES = "DocuSign does not let you sign these documents now. Ask the sender about it."
TRY_AFTER_SECONDS = 60


async def signing_url(
    store: EventStore,
    tokens: Tokens,
    elsewhere: str | None,
    tenant_id: UUID,
    envelope: Envelope,
    recipient: Recipient,
    *,
    return_url: str,
    signed_in_at: datetime,
) -> str:
    """The address to send the signer to, now. DocuSign leads back to *return_url*, of at most 470 characters, and adds
    what happened; that proves nothing.

    *tokens* are those of the process, *elsewhere* is ``AUREUM_DOCUSIGN_URL``. Who the client is, and whose turn it is,
    has been judged already. Raises WrongState, Busy.
    """
    from aureum.signing.docusign.calls import recipient_view
    from aureum.signing.docusign.http import Docusign

    if envelope.provider_id is None:
        raise Busy(TRY_AFTER_SECONDS, NOT_YET)
    found = await connection(store, tenant_id)
    if found is None:
        raise Busy(TRY_AFTER_SECONDS, NOT_NOW)
    async with Docusign(elsewhere, tokens) as docusign:
        url = await recipient_view(
            docusign,
            account_of(found),
            envelope.provider_id,
            signer_id=to_wire(recipient.id),
            number=number_of(envelope, recipient.id),
            name=shortened(recipient.name, NAME_LONGEST),
            email=recipient.email,
            return_url=return_url,
            signed_in_at=signed_in_at,
        )
    if isinstance(url, Failed):
        raise WrongState(REFUSES) if url.lasting else Busy(TRY_AFTER_SECONDS, NOT_NOW)
    return url
