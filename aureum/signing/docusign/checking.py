"""Whether a brokerage's connection works: a token, the account, a draft that is made and thrown away. Nothing is
sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from aureum.domain import ids
from aureum.signing.docusign.account import Account, consent_url
from aureum.signing.docusign.calls import AccountInfo, account_info, create_draft, delete_draft
from aureum.signing.docusign.failures import Failed
from aureum.signing.docusign.http import Docusign

STEPS = ("token", "account", "draft", "deletion")

SUBJECT = "Check of Aureum's connection: can be deleted"


@dataclass(frozen=True, slots=True)
class Checked:
    """How far the check came. ``failed`` is the step that did not work, ``text`` says why and what to do."""

    done: Sequence[str]
    account: AccountInfo | None = None
    failed: str | None = None
    text: str = ""


async def check(docusign: Docusign, account: Account) -> Checked:
    """Ask for each of ``STEPS``, up to the first that fails."""
    token = await docusign.token(account)
    if isinstance(token, Failed):
        return failed(account, docusign, 0, token)
    info = await account_info(docusign, account)
    if isinstance(info, Failed):
        return failed(account, docusign, 1, info)
    draft = {"status": "created", "emailSubject": SUBJECT, "transactionId": ids.to_wire(ids.new_id())}
    provider_id = await create_draft(docusign, account, draft)
    if isinstance(provider_id, Failed):
        return failed(account, docusign, 2, provider_id, info)
    deleted = await delete_draft(docusign, account, provider_id)
    if isinstance(deleted, Failed):
        return failed(account, docusign, 3, deleted, info)
    return Checked(STEPS, info)


def failed(account: Account, docusign: Docusign, step: int, why: Failed, info: AccountInfo | None = None) -> Checked:
    """The check ended at this step."""
    return Checked(STEPS[:step], info, STEPS[step], why.text(consent_url(account, docusign.elsewhere)))
