"""A mail that never arrives keeps no client out: another one comes when the client asks again, and the portal shows
what is to be signed."""

import time
from pathlib import Path

from tests.http.operator import Operator, Tenant
from tests.http.portal.client import Client
from tests.http.portal.documents.deals import deal
from tests.http.portal.documents.test_ceremony import NAME, heading, led
from tests.mail.postbox import CODE, PATIENCE_SECONDS, mail_to, postbox

FAILED = "SELECT count(*) FROM mails WHERE tenant_id = %(tenant)s AND state = 'failed'"


def wait_until_failed(operator: Operator, tenant: Tenant, mails: int) -> None:
    """So many mails of the brokerage have failed for good."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while operator.rows(FAILED, tenant=tenant.id) != [(mails,)]:
        assert time.monotonic() < deadline, operator.rows(FAILED, tenant=tenant.id)
        time.sleep(0.05)


def test_the_client_asks_again_and_finds_what_is_to_be_signed(
    visitor: Client, operator: Operator, tenant: Tenant, served_url: str, tmp_path: Path
) -> None:
    operator.rows("UPDATE portal_sign_ins SET waits = false")
    with postbox(served_url, tmp_path) as post:
        # Neither the invitation nor the first code arrives.
        post.rcpt = lambda address: "550 5.1.1 mailbox unavailable" if address == visitor.email else None
        begun = deal(operator, tenant, [(NAME, visitor.email)])
        wait_until_failed(operator, tenant, 1)
        assert visitor.asks().status == 202
        wait_until_failed(operator, tenant, 2)

        # The second code is accepted, and lost on its way.
        post.rcpt = lambda address: None
        assert visitor.asks().status == 202
        mail_to(post, visitor.email, CODE)
        assert visitor.asks().status == 202
        code = CODE.findall(mail_to(post, visitor.email, CODE, 1))[0]
    assert visitor.send("/portal/code", {"code": code}).status == 303 and visitor.is_in
    assert "Read and sign: Purchase of 12 Oak Lane" in visitor.get("/portal/documents").body.decode()
    assert heading(visitor.get(begun.path)) == "Snake River Realty asks you to sign"
    assert led(visitor, f"{begun.path}/open") == f"{begun.path}/read"
