"""API keys in the panel: made and shown once, listed by their beginnings, revoked."""

import re

import pytest

from aureum.domain.ids import to_wire
from tests.http.api.staff.keys import opens
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, led_to, page, refused
from tests.http.panel.reading import Reading, only_our_modules
from tests.http.serving import Server

KEYS = "/admin/settings/api-keys"


def shown_key(reading: Reading) -> str:
    """The key on a page."""
    (key,) = reading.said("code", class_="secret")
    assert re.fullmatch("aur_[A-Za-z0-9_-]{43}", key)
    return key


def test_made_shown_once_and_revoked(
    server: Server, proxied: Server, operator: Operator, tenant: Tenant, owner: Reader
) -> None:
    form = owner.read(KEYS).form(KEYS)
    assert (form["name"], form["rate_limit"]) == ("", "100")
    filled = form.filled(name="Website <b>&\"'</b>", rate_limit="7")

    answer = owner.send(KEYS, filled)

    key, head = shown_key(page(answer, 201)), operator.head(tenant)
    assert opens(server, key) == 200
    # The same form again, at another process too, makes no other and shows the same.
    assert shown_key(page(Reader(proxied, owner.cookies).send(KEYS, filled), 201)) == key
    assert operator.head(tenant) == head
    listed = owner.get(KEYS)
    reading = page(listed, 200)
    assert reading.said("td")[:3] == ["Website <b>&\"'</b>", key[:12], "7"] and "<b>" not in listed.body.decode()
    for path in (KEYS, "/admin", "/admin/webhooks"):
        assert key not in owner.get(path).body.decode()
    assert key not in server.logged() + proxied.logged()
    revoke = next(form for form in reading.forms if form.action.endswith("/revoke"))

    gone = owner.send(revoke.action, revoke.fields)

    assert led_to(gone) == KEYS and opens(server, key) == 401 and opens(server, tenant.key) == 200
    after = owner.follow(gone)
    assert after.said("span", class_="badge") == ["revoked", "valid"]
    assert revoke.action not in {form.action for form in after.forms}
    one = owner.read(revoke.action.removesuffix("/revoke"))
    assert one.said("h1") == ["Website <b>&\"'</b>"] and one.said("b", class_="what") == ["Key revoked", "Key created"]
    assert all("Olivia Owner" in entry for entry in one.said("li", class_="entry"))
    head = operator.head(tenant)
    assert led_to(owner.send(revoke.action)) == KEYS and operator.head(tenant) == head, "once more is no error"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "", "rate_limit": "7"}, "name"),
        ({"name": " \t", "rate_limit": "7"}, "name"),
        ({"name": "x" * 201, "rate_limit": "7"}, "name"),
        ({"name": '"><script>', "rate_limit": "0"}, "rate_limit"),
        ({"name": "K", "rate_limit": "1000001"}, "rate_limit"),
        ({"name": "K", "rate_limit": "some<"}, "rate_limit"),
        ({"name": " ", "rate_limit": ""}, "name"),
        ({"name": "K", "rate_limit": "1.5"}, "rate_limit"),
    ],
)
def test_what_cannot_be_stays_in_the_form(
    operator: Operator, tenant: Tenant, owner: Reader, typed: dict[str, str], field: str
) -> None:
    before = operator.head(tenant)

    answer = owner.send(KEYS, owner.read(KEYS).form(KEYS).filled(**typed))

    reading = page(answer, 400)
    assert reading.problem.startswith(field), reading.problem
    again = reading.form(KEYS)
    assert {name: again[name] for name in typed} == {name: value.strip() for name, value in typed.items()}
    assert only_our_modules(answer.body) and operator.head(tenant) == before


def test_many_are_on_several_pages(server: Server, operator: Operator, tenant: Tenant, owner: Reader) -> None:
    for _ in range(100):
        operator.key(tenant, 5)
    first = owner.read(KEYS)
    (older,) = [link for link in first.links if "page=" in link]
    second = owner.read(older)
    assert (len(first.said("tr")), len(second.said("tr"))) == (101, 2)
    assert second.said("td")[1] == tenant.key[:12]
    assert [link for link in second.links if "page=" in link] == [f"{KEYS}?page=1"]
    for number in ("0", "x", "1.5", "-1"):
        assert "page" in refused(owner.get(f"{KEYS}?page={number}"), 400)
    assert owner.read(f"{KEYS}?page=9").form(KEYS)


def test_under_any_plan_and_by_owners_only(server: Server, operator: Operator) -> None:
    starter = operator.brokerage("Starter")
    owner = as_staff(server, operator.staff(starter.id, "brokerage_owner"))
    key = shown_key(page(owner.send(KEYS, {"name": "Later", "rate_limit": "7"}), 201))
    assert opens(server, key) == 200
    for role in ("agent", "broker"):
        who = as_staff(server, operator.staff(starter.id, role))
        assert "owner" in refused(who.send(f"{KEYS}/{to_wire(starter.key_id)}/revoke"), 403)
    assert opens(server, starter.key) == 200
