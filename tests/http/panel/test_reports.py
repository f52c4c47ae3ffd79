"""Reports in the panel: the figures of the API in tables, charts and files."""

import csv
from datetime import UTC, date, datetime, timedelta
from io import StringIO

from aureum.http.panel.charts import stacked, top
from aureum.http.panel.reports import named_as
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.serving import Server

HERE = "/admin/reports"


def test_a_period_in_tables_charts_and_files(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    ana = operator.staff(tenant.id, "agent", "Ana Agent")
    first = server.lead(tenant, source="=cmd", assignedToId=ana.id)["id"]
    for source in ("zillow", "zillow"):
        server.lead(tenant, source=source)
    server.by_key(tenant, "PATCH", f"/api/leads/{first}", {"status": "offer"})
    today = datetime.now(UTC).date()
    query = f"?from={today - timedelta(days=2)}&to={today + timedelta(days=1)}"

    reading = owner.read(HERE + query)

    assert reading.said("h1") == ["Reports"]
    assert [one for one in reading.said("a", class_="tile") + reading.said("div", class_="tile") if "Leads" in one] == [
        "+3 (before: 0)Leads3"
    ]
    titles = reading.said("title")
    assert {"Leads by source over time", "Leads by status over time", "How far leads came"} <= set(titles)
    assert any(title.endswith(": 2 zillow") for title in titles)
    rows = [one.split() for one in reading.said("tr")]
    assert any(row[:2] == ["zillow2020000000", "0"] or row[0].startswith("zillow2") for row in rows)
    # Each table is a file, with the same period.
    files = {link for link in reading.links if link.startswith(f"{HERE}/")}
    assert len(files) == 6 and all(link.partition("?")[2] == query[1:] for link in files)
    answer = owner.get(f"{HERE}/sources.csv{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"sources-{today - timedelta(days=2)}-to-" in answer.headers["content-disposition"]
    told = list(csv.reader(StringIO(answer.body.decode("utf-8-sig"))))
    assert told[0][:4] == ["Source", "Leads", "Before", "New"]
    assert [row[:3] for row in told[1:]] == [["zillow", "2", "0"], ["'=cmd", "1", "0"]]
    funnel = list(csv.reader(StringIO(owner.get(f"{HERE}/funnel.csv{query}").body.decode("utf-8-sig"))))
    assert [row[:3] for row in funnel[1:]] == [
        ["All leads", "3", "100 %"],
        ["Contacted", "1", "33 %"],
        ["Qualified", "1", "33 %"],
        ["Showing", "1", "33 %"],
        ["Offer", "1", "33 %"],
        ["Converted", "0", "0 %"],
    ]
    # An agent's are the agent's own.
    agents = owner.get(f"{HERE}/agents.csv{query}").body.decode()
    assert "Ana Agent,1,0" in agents and "Unassigned,2,0" in agents
    assert "Unassigned" not in as_staff(server, ana).get(f"{HERE}/agents.csv{query}").body.decode()


def test_a_period_that_cannot_be_is_said(owner: Reader) -> None:
    reading = page(owner.get(HERE + "?from=2025-02-01&to=2025-01-01"), 400)
    assert reading.problem.startswith("This period cannot be shown.") and reading.said("h1") == ["Reports"]
    assert "No leads in this period." in str(reading.said("td"))


def test_a_period_has_the_name_that_it_was_asked_by(owner: Reader) -> None:
    today, days = date(2026, 11, 30), ("2026-11-01", "2026-11-30")
    assert [named_as(asked, today, *days) for asked in ("", "This month", "30 days", "This year", "?")] == [
        *("30 days", "This month", "30 days", "30 days", "30 days")
    ]
    assert named_as("This month", today, "2026-11-02", "2026-11-30") == ""
    # Each is the chosen one on its own page, and alone.
    for link in [one for one in owner.read(HERE).links if "period=" in one]:
        chips = [about for _, about, _ in owner.read(link).texts if about.get("class") == "chip"]
        assert [one["href"] for one in chips if "aria-current" in one] == [link]


def test_a_chart_has_a_place_for_each_number() -> None:
    parts = [("Mon", {"a": 3, "b": 1}), ("Tue", {"a": 0}), ("Wed", {str(kind): 1 for kind in range(9)})]
    chart = stacked(parts)
    assert [bar.title for bar in chart.bars[:2]] == ["Mon: 3 a", "Mon: 1 others"]
    assert chart.legend[0] == ("a", "blue") and chart.legend[-1] == ("others", "gray")
    assert all(bar.height > 0 and 0 <= bar.y <= 220 and bar.x + bar.width <= 720 for bar in chart.bars)
    heights = [sum(bar.height for bar in chart.bars if bar.title.startswith(day)) for day in ("Mon", "Wed")]
    assert heights[0] / heights[1] == 4 / 9
    assert [top(number) for number in (0, 2, 3, 7, 11, 99, 100, 101)] == [2, 2, 4, 10, 20, 100, 100, 200]
    assert all(top(number) >= number and top(number) % 2 == 0 for number in range(2_000))
