"""Two hundred contacts come in with a few clicks, and go again."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_panel import follow, heading, is_fine, press
from tests.browser.visitor import Visitor
from tests.http.api.imports.test_imports import import_all
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server

pytestmark = pytest.mark.browser

ROWS = 200


def test_a_broker_imports_two_hundred_contacts_and_undoes_it(
    visitor: Visitor, server: Server, operator: Operator, tenant: Tenant, tmp_path: Path
) -> None:
    file = tmp_path / "a long name of a file with people of the open house.csv"
    people = "".join(f"Person {n},person{n}@a-long-domain-of-a-mail-server.example.com,vip\n" for n in range(ROWS))
    file.write_text(f"Client,E-mail,Group of the person\n{people}Who,nobody at all,\n")
    broker = operator.staff(tenant.id, "broker", "Bea Broker")
    visitor.page.context.add_cookies([{"name": "aureum", "value": broker.token, "url": visitor.site}])
    page = visitor.page

    visitor.go("/admin/contacts")
    follow(visitor, "Import")
    expect(heading(visitor)).to_have_text("Import contacts")
    page.get_by_label("CSV file").set_input_files(file)
    assert is_fine(visitor)
    press(visitor, "Upload")
    expect(page.get_by_label("E-mail is imported as")).to_have_value("email")
    expect(page.get_by_label("Client is imported as")).to_have_value("name")
    page.get_by_label("Group of the person is imported as").select_option("tags")
    assert is_fine(visitor)
    press(visitor, "Check first")
    operator.run(import_all)
    expect(page.get_by_text("Checked")).to_be_visible()
    assert is_fine(visitor)
    press(visitor, f"Import {ROWS + 1} rows")
    operator.run(import_all)
    expect(page.get_by_text("Imported", exact=True)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download these rows with the reasons").click()
    assert "email must be a valid email address." in Path(saved.value.path()).read_text(encoding="utf-8")
    assert len(server.by_key(tenant, "GET", "/api/contacts?tag=vip").ids) == ROWS
    assert is_fine(visitor)

    page.get_by_text("Undo this import").first.click()
    page.get_by_role("button", name="Undo this import").click()
    operator.run(import_all)
    expect(page.get_by_text("Undone").first).to_be_visible()
    assert server.by_key(tenant, "GET", "/api/contacts").ids == []
    follow(visitor, "Imports")
    expect(heading(visitor)).to_have_text("Imports")
    assert is_fine(visitor)
