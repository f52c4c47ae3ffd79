"""Mails of a brokerage as a browser shows their HTML: with the name and the color that the owner has chosen."""

import asyncio
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import expect

from aureum.store.event_store import EventStore
from tests.browser.test_panel import heading, press
from tests.browser.visitor import DESKTOP, Visitor
from tests.http.operator import Operator, Tenant
from tests.mail.queued import mailing

pytestmark = pytest.mark.browser


SENT = "SELECT count(*) FROM mails WHERE tenant_id = %(tenant)s AND state = 'sent'"


async def sent(url: str, store: EventStore, tenant: Tenant, directory: Path) -> None:
    """Let a worker write the mail to a directory."""
    async with mailing(url, None, directory):
        while (await store.database.rows(SENT, {"tenant": tenant.id}))[0][0] == 0:  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("visitor", [DESKTOP], indirect=True, ids=["desktop"])
def test_a_mail_has_the_name_and_the_color(
    visitor: Visitor, operator: Operator, served_url: str, tenant: Tenant, tmp_path: Path
) -> None:
    owner, page = operator.staff(tenant.id, "brokerage_owner", "Olga Owner"), visitor.page
    page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": visitor.site}])
    visitor.go("/admin/settings")
    page.get_by_label("Name", exact=True).fill("Juniper & Sage Homes")
    page.get_by_label("Button color").fill("#7a1f3d")
    press(visitor, "Save")
    visitor.go("/admin/users")
    page.get_by_label("Name", exact=True).fill("Pia Newcomer")
    page.get_by_label("Email").fill("pia@example.com")
    press(visitor, "Send invitation")
    expect(heading(visitor)).to_have_text("Pia Newcomer")
    assert visitor.errors == []

    # The worker writes mails as files where no mail server is set.
    operator.run(lambda store: sent(served_url, store, tenant, tmp_path))
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in tmp_path.rglob("*.eml")]
    (mail,) = [one for one in mails if "pia@example.com" in one["To"] and "Juniper & Sage Homes" in one["From"]]
    body = mail.get_body(("html",))
    assert body is not None
    # In a page of its own: what the panel's pages forbid does not hold for a mail.
    page = page.context.new_page()
    page.set_content(body.get_content())
    expect(page.get_by_text("Juniper & Sage Homes").first).to_be_visible()
    button = page.get_by_role("link").first
    background = "one => getComputedStyle(one.closest('[style*=background]')).backgroundColor"
    assert button.evaluate(background) == "rgb(122, 31, 61)"
