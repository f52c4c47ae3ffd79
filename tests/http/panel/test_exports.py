"""Lists as CSV files: whole, as they are filtered, for the readers who see them."""

import csv
import io
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

from aureum.domain.csv_cells import BOM, read_back
from aureum.domain.ids import PLATFORM
from aureum.http.contract.lists import CHUNK
from aureum.http.panel.exports import EXPORTS
from tests.http.api.tours.tour_requests import HOUSE
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import PLAIN, Reader, as_staff, refused
from tests.http.serving import JANE, MUCH, PATIENCE, Answer, Server, answer_of

FORMULA = '=HYPERLINK("http://example.com","click")'


def rows(answer: Answer) -> list[dict[str, str]]:
    """The lines of a file, by its headings."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8; header=present")
    text = answer.body.decode()
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline=""), strict=True))


def test_each_list_as_its_page_filters_it(server: Server, tenant: Tenant, operator: Operator, owner: Reader) -> None:
    agent = operator.agent(tenant, "Andy Agent")

    def made(path: str, **body: Any) -> dict[str, Any]:
        answer = server.by_key(tenant, "POST", f"/api/{path}", body)
        assert answer.status == 201, answer.body
        return dict(answer.json)

    made(
        "leads", **JANE | {"status": "contacted", "assignedToId": agent, "message": FORMULA, "phone": "+1-208-555-0123"}
    )
    made("leads", **JANE | {"name": "Otto Roe"})
    made("contacts", firstName="Zoë", lastName="Smith", tags=["vip", "north end"], score=85)
    made("properties", **HOUSE | {"price": 450000.5})
    made("tasks", title="-1 day", dueDate="2025-03-09T10:30:00Z", assignedToId=agent)
    made("showings", **JANE | {"startsAt": "2025-03-09T10:00:00"})

    (lead,) = rows(owner.get("/admin/leads.csv?status=contacted&search="))
    assert (lead["First name"], lead["Status"], lead["Assigned to"]) == ("Jane", "contacted", "Andy Agent")
    assert (lead["Phone"], lead["Message"], lead["Suspected spam"]) == ("+1 208 555 0123", "'" + FORMULA, "")
    assert read_back(lead["Message"]) == FORMULA
    assert [row["First name"] for row in rows(owner.get("/admin/leads.csv"))] == ["Otto", "Jane"]
    (contact,) = rows(owner.get("/admin/contacts.csv?search=zoe"))
    assert (contact["First name"], contact["Tags"], contact["Score"]) == ("Zoë", "vip, north end", "85")
    (house,) = rows(owner.get("/admin/properties.csv"))
    assert (house["Title"], house["Price"]) == (HOUSE["title"], "450000.5")
    (task,) = rows(owner.get("/admin/tasks.csv?status=pending"))
    assert (task["Title"], task["Assigned to"]) == ("'-1 day", "Andy Agent")
    (due,) = [text for name, text in task.items() if name == "Due (America/Boise)"]
    assert due == "2025-03-09 04:30"
    (showing,) = rows(owner.get("/admin/showings.csv"))
    assert (showing["Starts at"], showing["Time zone"]) == ("2025-03-09 10:00", "America/Boise")
    assert rows(owner.get("/admin/tasks.csv?status=completed")) == []

    for one in EXPORTS:
        page = owner.read(one.path)
        assert any(link.startswith(f"{one.path}.csv") for link in page.links), one.path
    assert "status must be one of" in refused(owner.get("/admin/tasks.csv?status=nope"), 400)
    assert "list_exported" in server.logged() and FORMULA not in server.logged()


def test_an_agent_exports_the_own_leads_only(server: Server, operator: Operator, tenant: Tenant) -> None:
    agent = operator.staff(tenant.id, "agent", "Andy Agent")
    mine = server.by_key(tenant, "POST", "/api/leads", JANE | {"name": "Mine Own", "assignedToId": agent.id})
    assert mine.status == 201
    server.lead(tenant)
    assert [row["First name"] for row in rows(as_staff(server, agent).get("/admin/leads.csv"))] == ["Mine"]
    admin = as_staff(server, operator.staff(PLATFORM, "platform_admin", "Ada"))
    assert "Choose a brokerage" in refused(admin.get("/admin/leads.csv"), 400)


def test_a_long_list_is_written_as_it_is_read(
    server: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    operator.fill(tenant, CHUNK + 1)
    operator.fill(tenant, CHUNK, message=MUCH)
    leads = server.by_key(tenant, "GET", "/api/leads?status=new").ids
    assert len(rows(owner.get("/admin/leads.csv"))) == len(leads) == 2 * CHUNK + 1
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/admin/leads.csv?status=new", headers={"Cookie": f"{PLAIN}={owner.cookies[PLAIN]}"})
        response = connection.getresponse()
        # The server waits for the reader with two parts in its hands: of what is in the third it has read nothing.
        assert server.by_key(tenant, "PATCH", f"/api/leads/{leads[-1]}", {"status": "lost"}).status == 200
        assert len(rows(answer_of(response))) == len(leads) - 1
