"""A file comes in through the panel by forms alone: uploaded, its columns corrected, checked, imported, and undone."""

import csv
import io

from aureum.domain.csv_cells import BOM
from tests.http.api.imports.test_imports import import_all
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import as_staff, led_to, page
from tests.http.panel.reading import Form
from tests.http.serving import Server

PEOPLE = "Client,E-mail,Group of the person\nZoë Smith,z@example.com,vip\nOtto Roe,otto at example,\n"


def uploading(form: Form, file: str) -> tuple[bytes, str]:
    """What a browser sends of a form with a file."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.fields
        if form.names[name] != "file"
    ]
    named = '--b\r\nContent-Disposition: form-data; name="file"; filename="open house.csv"\r\nContent-Type: text/csv'
    return "".join([*parts, f"{named}\r\n\r\n{file}\r\n--b--\r\n"]).encode(), "multipart/form-data; boundary=b"


def test_a_file_is_mapped_checked_imported_and_undone(server: Server, operator: Operator, tenant: Tenant) -> None:
    broker = as_staff(server, operator.staff(tenant.id, "broker", "Bea Broker"))
    new = "/admin/imports/new?resource=contacts"
    form = broker.read(new).form(new)
    body, media = uploading(form, "Old\nx\n")
    unknown = broker.follow(broker.send(new, body, {"Content-Type": media}))
    (asked,) = unknown.forms[-1:]
    refused = page(broker.send(asked.action, [*asked.fields, ("do", "import")]), 400)
    assert "No column is a name" in refused.problem
    body, media = uploading(form, "")
    assert page(broker.send(new, body, {"Content-Type": media}), 400).problem

    body, media = uploading(broker.read(new).form(new), PEOPLE)
    here = led_to(broker.send(new, body, {"Content-Type": media}))
    mapping = broker.read(here).form(here)
    assert [mapping[f"column{place}"] for place in range(3)] == ["name", "email", ""]
    sent = mapping.filled(column2="tags", duplicates="update")
    assert led_to(broker.send(here, [*sent, ("do", "check")])) == here
    operator.run(import_all)
    checked = broker.read(here)
    assert "Checked" in checked.said("span", class_="badge")
    assert server.by_key(tenant, "GET", "/api/contacts").json == []

    again = checked.form(here)
    assert (again["column2"], again["duplicates"]) == ("tags", "update")
    broker.send(here, [*again.fields, ("do", "import")])
    operator.run(import_all)
    imported = broker.read(here)
    assert "Imported" in imported.said("span", class_="badge")
    (contact,) = server.by_key(tenant, "GET", "/api/contacts").json
    assert (contact["firstName"], contact["lastName"], contact["tags"]) == ("Zoë", "Smith", ["vip"])
    assert f"{here}/errors.csv" in imported.links
    errors = broker.get(f"{here}/errors.csv").body.decode().removeprefix(BOM)
    (row,) = csv.DictReader(io.StringIO(errors, newline=""))
    assert (row["Client"], row["Not imported because"]) == ("Otto Roe", "email must be a valid email address.")

    undo = imported.form(here)
    broker.send(here, [*undo.fields, ("do", "undo")])
    operator.run(import_all)
    assert "Undone" in broker.read(here).said("span", class_="badge")
    assert server.by_key(tenant, "GET", "/api/contacts").json == []
