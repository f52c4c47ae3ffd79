"""Accounts and settings in a browser: an invited user comes in, forgets the password, turns on two-step login and ends
sessions; an owner looks at the domains, makes a key that a program uses, and tests the form."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from pyotp import TOTP

from tests.browser.test_panel import follow, heading, is_fine, press
from tests.browser.visitor import DESKTOP, PHONE, Visitor, visiting
from tests.domain.test_images import png
from tests.http.api.staff.keys import opens
from tests.http.api.staff.links import token_of
from tests.http.api.staff.test_passwords import NEW, mailed
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

OTHER = "pears ripen in september"


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures RETURNING 1")
    operator.rows("DELETE FROM reset_requests RETURNING 1")


def choose(visitor: Visitor, operator: Operator, tenant: Tenant, kind: str, password: str, button: str) -> None:
    """Follow the link of the mail, and choose a password."""
    visitor.go(f"/admin/choose-password?token={token_of(mailed(operator, tenant, kind))}")
    assert is_fine(visitor)
    visitor.page.get_by_label("New password", exact=True).fill(password)
    visitor.page.get_by_label("New password again").fill(password)
    press(visitor, button)
    expect(heading(visitor)).to_have_text("Today")


def log_in(visitor: Visitor, email: str, password: str) -> None:
    visitor.go("/admin/login")
    visitor.page.get_by_label("Email").fill(email)
    visitor.page.get_by_label("Password").fill(password)
    press(visitor, "Log in")


def log_out(visitor: Visitor) -> None:
    more = visitor.page.get_by_role("button", name="More", exact=True)
    if more.is_visible():
        more.click()
    press(visitor, "Log out")
    expect(heading(visitor)).to_have_text("Log in")


@pytest.mark.parametrize("visitor", [PHONE], indirect=True, ids=["phone"])
def test_from_the_invitation_to_two_steps(
    visitor: Visitor, browser: Browser, server: Server, operator: Operator, tenant: Tenant
) -> None:
    owner, email = operator.staff(tenant.id, "brokerage_owner", "Olga Owner"), f"pia.{tenant.slug}@example.com"
    with visiting(browser, visitor.site, DESKTOP, "dark") as boss:
        boss.page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": boss.site}])
        boss.go("/admin/users")
        boss.page.get_by_label("Name", exact=True).fill("Pia Newcomer")
        boss.page.get_by_label("Email").fill(email)
        press(boss, "Send invitation")
        expect(heading(boss)).to_have_text("Pia Newcomer")
        assert is_fine(boss)
    choose(visitor, operator, tenant, "invitation", NEW, "Log in")
    log_out(visitor)

    follow(visitor, "Forgot your password?")
    visitor.page.get_by_label("Email").fill(email)
    press(visitor, "Send link")
    expect(visitor.page.get_by_role("status")).to_contain_text("a mail is on its way")
    assert is_fine(visitor)
    choose(visitor, operator, tenant, "password_reset", OTHER, "Change password and log in")

    app, codes = two_steps_on(visitor)
    # The code that turned it on is used up; the test does not wait for the app's next one.
    operator.rows("DELETE FROM totp_uses RETURNING 1")
    page = visitor.page
    log_out(visitor)
    log_in(visitor, email, OTHER)
    expect(heading(visitor)).to_have_text("Enter the code")
    assert is_fine(visitor)
    code_is_refused(visitor, "000000")
    page.get_by_label("Code from your authenticator app").fill(app.now())
    press(visitor, "Log in")
    expect(heading(visitor)).to_have_text("Today")

    # The phone is lost: a recovery code opens the login, once.
    for again in (False, True):
        log_out(visitor)
        log_in(visitor, email, OTHER)
        if again:
            code_is_refused(visitor, codes[0])
        page.get_by_label("Code from your authenticator app").fill(codes[again])
        press(visitor, "Log in")
        expect(heading(visitor)).to_have_text("Today")

    visitor.go("/admin/account/two-step")
    page.get_by_label("Current password").first.fill(OTHER)
    press(visitor, "Turn off two-step login")
    expect(page.get_by_role("heading", name="Turn on two-step login")).to_be_visible()
    sessions_end(visitor, server, email)


def code_is_refused(visitor: Visitor, code: str) -> None:
    visitor.page.get_by_label("Code from your authenticator app").fill(code)
    press(visitor, "Log in")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert len(visitor.errors) == 1 and "401" in visitor.errors.pop()


def two_steps_on(visitor: Visitor) -> tuple[TOTP, list[str]]:
    """Turn on two-step login; the app, and the recovery codes."""
    page = visitor.page
    visitor.go("/admin/account/two-step")
    assert is_fine(visitor)
    app = TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("Code from the app").fill(app.now())
    page.get_by_label("Current password").fill(OTHER)
    press(visitor, "Turn on")
    expect(heading(visitor)).to_have_text("Recovery codes")
    assert is_fine(visitor)
    codes = page.locator(".secret").inner_text().split()
    follow(visitor, "I have saved them")
    expect(page.get_by_role("heading", name="Two-step login is on")).to_be_visible()
    return app, codes


def sessions_end(visitor: Visitor, server: Server, email: str) -> None:
    """Another session is listed, and ends."""
    elsewhere = server.ask("POST", "/api/v1/auth/login", {"email": email, "password": OTHER}).json["token"]
    visitor.go("/admin/account/sessions")
    assert is_fine(visitor)
    expect(visitor.page.locator("tbody tr")).to_have_count(2)
    press(visitor, "End all other sessions")
    expect(visitor.page.locator("tbody tr")).to_have_count(1)
    expect(visitor.page.locator("tbody tr")).to_contain_text("this session")
    assert server.ask("GET", "/api/me", headers={"Authorization": f"Bearer {elsewhere}"}).status == 401


@pytest.mark.parametrize("visitor", [DESKTOP], indirect=True, ids=["desktop"])
def test_what_an_owner_sets(visitor: Visitor, server: Server, operator: Operator, tenant: Tenant) -> None:
    owner, page = operator.staff(tenant.id, "brokerage_owner", "Olga Owner"), visitor.page
    page.context.add_cookies([{"name": "aureum", "value": owner.token, "url": visitor.site}])
    visitor.go("/admin/settings")
    page.get_by_label("Logo").set_input_files(FilePayload(name="logo.png", mimeType="image/png", buffer=png()))
    page.get_by_label("Button color").fill("#7a1f3d")
    press(visitor, "Save")
    expect(page.get_by_role("img", name="The logo of Snake River Realty")).to_be_visible()
    visitors_see(visitor)

    visitor.go("/admin/settings/domains")
    expect(page.get_by_role("row", name=tenant.domain)).to_contain_text("arrive")
    assert is_fine(visitor)
    visitor.go("/admin/settings/plan")
    expect(page.get_by_role("heading", name="Elite")).to_contain_text("your plan")
    assert is_fine(visitor)

    visitor.go("/admin/settings/form")
    press(visitor, "Send a test")
    expect(page.get_by_role("alert")).to_contain_text("The test arrived at")
    assert is_fine(visitor)
    follow(visitor, "Open it")
    expect(page.locator(".notice.warning")).to_contain_text("may have been sent by a bot")

    key_is_made_used_and_revoked(visitor, server)


def visitors_see(visitor: Visitor) -> None:
    """The page that thanks a visitor, who sends a form without script, has the logo and the color."""
    page: Page = visitor.page.context.new_page()
    page.goto(visitor.site + "/admin/login")
    page.evaluate(
        """() => {
          const form = Object.assign(document.createElement("form"), { method: "post", action: "/api/contact" });
          const about = { firstName: "Ann", lastName: "Lee", email: "ann@example.com", subject: "A", message: "B" };
          for (const [name, value] of Object.entries(about)) {
            form.append(Object.assign(document.createElement("input"), { name, value }));
          }
          document.body.append(form);
          form.submit();
        }"""
    )
    logo = page.locator("img.logo")
    expect(logo).to_be_visible()
    assert logo.evaluate("one => one.complete && one.naturalWidth > 0")
    assert "#7a1f3d" in page.content()
    page.close()


def key_is_made_used_and_revoked(visitor: Visitor, server: Server) -> None:
    page = visitor.page
    visitor.go("/admin/settings/api-keys")
    page.get_by_label("Name").fill("Website")
    page.get_by_label("Requests per minute").fill("7")
    until = datetime.now(UTC).date() + timedelta(days=400)
    page.get_by_label("Expires").fill(until.isoformat())
    press(visitor, "Create key")
    key = page.locator(".secret").inner_text()
    assert is_fine(visitor) and opens(server, key) == 200
    follow(visitor, "I have copied it")
    row = page.locator("tr").filter(has_text=key[:12])
    expect(row.locator("[data-label='Requests per minute']")).to_have_text("7")
    expect(row.locator("[data-label=Expires]")).to_contain_text(f"{until:%b %Y}")
    for _ in range(100):
        if row.locator("[data-label='Last used'] time").count():
            break
        page.wait_for_timeout(50)
        page.reload()
    expect(row.locator("[data-label='Last used'] time")).to_be_visible()
    row.get_by_text("Revoke", exact=True).click()
    row.get_by_role("button", name="Revoke key").click()
    expect(row.get_by_text("revoked")).to_be_visible()
    assert opens(server, key) == 401 and is_fine(visitor)
