"""The calls, each with what it returns or why it failed."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aureum.domain.ids import aureum_time
from aureum.signing.docusign.account import Account, is_docusign, read_url
from aureum.signing.docusign.connect import GUID
from aureum.signing.docusign.failures import Failed
from aureum.signing.docusign.http import TRANSFER_TIMEOUT, Docusign
from aureum.signing.docusign.request import OutgoingEnvelope, body_of
from aureum.signing.docusign.status import ProviderStatus, status_of, text

RETURN_LONGEST = 470
"""What DocuSign takes of a ``returnUrl``."""

REASON_LONGEST = 200

DOWNLOAD_MOST = 300 * 1024 * 1024
"""Bytes of a combined document: ten of 25 MB, and what DocuSign adds."""

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What ``aureum esign check`` shows."""

    name: str
    server: str


async def create(docusign: Docusign, account: Account, envelope: OutgoingEnvelope) -> str | Failed:
    """Send *envelope*; DocuSign's id of it. A request that is sent again within seven days makes no second one:
    DocuSign knows it by its ``transactionId``."""
    body = body_of(envelope)
    answer = await docusign.ask(
        account,
        "POST",
        "envelopes",
        data=body.pieces,
        headers={"Content-Type": "application/json", "Content-Length": str(body.length)},
        seconds=TRANSFER_TIMEOUT,
    )
    return answer if isinstance(answer, Failed) else id_in(answer)


async def created_before(docusign: Docusign, account: Account, envelope_id: str) -> str | Failed | None:
    """DocuSign's id of the envelope that an earlier request for ours has made; None if there is none."""
    answer = await docusign.ask(account, "GET", "envelopes", query={"transaction_ids": envelope_id})
    if isinstance(answer, Failed):
        return answer
    for name in ("envelopes", "envelopeTransactionStatuses"):
        found = answer.get(name)
        for one in found if isinstance(found, list) else []:
            if isinstance(one, dict) and text(one, "envelopeId"):
                return id_in(one)
    return None


async def create_draft(docusign: Docusign, account: Account, definition: dict[str, Any]) -> str | Failed:
    """An envelope that is not sent, for the check; DocuSign's id of it."""
    answer = await docusign.ask(account, "POST", "envelopes", json=definition)
    return answer if isinstance(answer, Failed) else id_in(answer)


async def delete_draft(docusign: Docusign, account: Account, provider_id: str) -> Failed | None:
    """Put a draft into the account's bin."""
    answer = await docusign.ask(account, "PUT", "folders/recyclebin", json={"envelopeIds": [provider_id]})
    return answer if isinstance(answer, Failed) else None


async def recipient_view(
    docusign: Docusign,
    account: Account,
    provider_id: str,
    *,
    signer_id: str,
    number: int,
    name: str,
    email: str,
    return_url: str,
    signed_in_at: datetime | None = None,
) -> str | Failed:
    """Where the signer signs: it opens once and within five minutes, so it is made at the click, never kept or mailed.

    *signer_id*, *number*, *name* and *email* are those of the create call. DocuSign adds what happened to *return_url*,
    which proves nothing. Raises ValueError if that is too long.
    """
    if len(return_url) > RETURN_LONGEST:
        raise ValueError(f"A return URL has at most {RETURN_LONGEST} characters.")
    said = {
        "authenticationMethod": "Email",
        "clientUserId": signer_id,
        "recipientId": str(number),
        "userName": name,
        "email": email,
        "returnUrl": return_url,
    }
    if signed_in_at is not None:
        said["authenticationInstant"] = aureum_time(signed_in_at)
    answer = await docusign.ask(account, "POST", f"envelopes/{provider_id}/views/recipient", json=said)
    if isinstance(answer, Failed):
        return answer
    url = read_url(answer.get("url"))
    if url is None or not is_docusign(url, docusign.elsewhere):
        return Failed("unreadable")
    return str(url)


async def status(docusign: Docusign, account: Account, provider_id: str) -> ProviderStatus | Failed:
    """Where the envelope and its recipients are."""
    answer = await docusign.ask(account, "GET", f"envelopes/{provider_id}", query={"include": "recipients"})
    return answer if isinstance(answer, Failed) else status_of(answer)


async def void(docusign: Docusign, account: Account, provider_id: str, reason: str) -> Failed | None:
    """End the envelope. One that has ended already is refused."""
    said = {"status": "voided", "voidedReason": reason[:REASON_LONGEST] or "Voided"}
    answer = await docusign.ask(account, "PUT", f"envelopes/{provider_id}", json=said)
    return answer if isinstance(answer, Failed) else None


def download(docusign: Docusign, account: Account, provider_id: str) -> AsyncGenerator[bytes]:
    """All documents of a completed envelope and DocuSign's certificate, as one PDF. Its iteration raises Broken."""
    return docusign.stream(
        account,
        f"envelopes/{provider_id}/documents/combined",
        query={"certificate": "true"},
        media=PDF,
        limit=DOWNLOAD_MOST,
    )


async def account_info(docusign: Docusign, account: Account) -> AccountInfo | Failed:
    """The account's name and server."""
    token = await docusign.token(account)
    if isinstance(token, Failed):
        return token
    answer = await docusign.ask(account, "GET", "")
    if isinstance(answer, Failed):
        return answer
    return AccountInfo(text(answer, "accountName"), str(token.server.origin()))


def id_in(answer: dict[str, Any]) -> str | Failed:
    """The id of the envelope that *answer* is about."""
    provider_id = text(answer, "envelopeId").lower()
    return provider_id if GUID.fullmatch(provider_id) else Failed("unreadable")
