"""The reader's own account: a name and a password, set where the present one is asked for."""

import pytest

from tests.http.api.staff.logins import PASSWORD, joined
from tests.http.operator import Operator, Tenant
from tests.http.panel.reader import Reader, as_staff, page
from tests.http.panel.test_login import log_in
from tests.http.serving import Server

HERE = "/admin/account"
NEW = "apples fall in autumn"


@pytest.fixture(autouse=True)
def forgiven(operator: Operator) -> None:
    operator.rows("DELETE FROM login_failures")


def change(reader: Reader, current: str = PASSWORD, new: str = NEW, again: str = NEW, path: str = HERE):  # type: ignore[no-untyped-def]  # an answer
    form = reader.read(HERE).form(f"{HERE}/password")
    return reader.send(form.action, form.filled(current=current, new=new, again=again))


@pytest.mark.parametrize("role", ["brokerage_owner", "agent"])
def test_a_new_password(server: Server, operator: Operator, tenant: Tenant, role: str) -> None:
    user, reader, elsewhere = joined(operator, tenant.id, role), Reader(server), Reader(server)
    for one in (reader, elsewhere):
        log_in(one, user.email)

    done = reader.follow(change(reader))

    assert done.said("p", role="status") == ["Your password was changed. All other sessions have ended."]
    assert reader.get("/admin").status == 200, "the reader is still logged in"
    assert elsewhere.get("/admin").status == 303
    assert log_in(Reader(server), user.email).status == 401
    assert log_in(Reader(server), user.email, NEW).status == 303


def test_what_is_refused_stands_beside_the_form(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, reader = joined(operator, tenant.id), Reader(server)
    log_in(reader, user.email)

    for current, new, again, said in (
        ("wrong", NEW, NEW, "The current password is not your current password."),
        (PASSWORD, NEW, NEW + " ", "The two new passwords do not match."),
        (PASSWORD, "password1234", "password1234", "The new password is too easy to guess"),
        (PASSWORD, "sesame", "sesame", "The new password must have"),
    ):
        answer = change(reader, current, new, again)
        assert said in answer.body.decode() and answer.status == 400
        page(answer, 400).form(f"{HERE}/password")
        assert new.encode() not in answer.body.replace(b"new password", b"")
    assert log_in(Reader(server), user.email).status == 303


def test_which_mails_the_reader_gets(server: Server, operator: Operator, tenant: Tenant) -> None:
    reader = as_staff(server, operator.staff(tenant.id, "agent", "Ann Agent"))
    form = reader.read(HERE).form(f"{HERE}/mails")
    assert form["notify"] == "at_once"
    done = reader.follow(reader.send(form.action, form.filled(notify="digest")))
    assert done.said("p", role="status") == ["Your choice of mails was saved."]
    assert done.form(f"{HERE}/mails")["notify"] == "digest"
    refused = reader.send(form.action, form.filled(notify="hourly"))
    assert refused.status == 400 and b"notify must be" in refused.body


def test_the_own_name(server: Server, operator: Operator, tenant: Tenant) -> None:
    reader = as_staff(server, operator.staff(tenant.id, "agent", "Ann Agent"))
    form = reader.read(HERE).form(HERE)
    done = reader.follow(reader.send(form.action, form.filled(name="Ann Other")))
    assert done.said("p", role="status") == ["Your name was changed."]
    assert reader.read("/admin").said("span")[0] == "Ann Other"
    answer = reader.send(HERE, form.filled(name=" "))
    assert answer.status == 400 and "name" in page(answer, 400).said("p", role="alert")[0]


def test_the_own_password_in_the_list_of_users(server: Server, operator: Operator, tenant: Tenant) -> None:
    user, reader = joined(operator, tenant.id, "brokerage_owner"), Reader(server)
    log_in(reader, user.email)
    path = f"/admin/users/{user.number}"
    form = reader.read(path).form(path)
    answer = reader.send(path, form.filled(password=NEW))
    assert "Use your account page in the panel" in page(answer, 400).said("p", role="alert")[0]
    assert reader.get("/admin").status == 200 and log_in(Reader(server), user.email).status == 303
