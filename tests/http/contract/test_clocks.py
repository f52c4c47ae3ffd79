"""Processes whose clocks go wrong: what they write is timed, ordered and filtered by the database's clock."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.http.links import delta, next_page
from tests.http.operator import Operator, Tenant
from tests.http.serving import Server, served

WRONG = '''
"""Every clock of this process but the one that only counts on is so many seconds wrong as a file says."""
import datetime, os, time

real = time.time

def wrong():
    with open(os.environ["CLOCK_IS_WRONG_BY"]) as file:
        return float(file.read() or 0)

right = datetime.datetime

class SameInstances(type):
    def __instancecheck__(cls, value):
        return isinstance(value, right) if cls is Moment else type.__instancecheck__(cls, value)

class Moment(right, metaclass=SameInstances):
    """Makes no instances of its own: programs in C know the right class only."""

    def __new__(cls, *given, **named):
        return right(*given, **named)

    @classmethod
    def now(cls, tz=None):
        return right.fromtimestamp(real() + wrong(), tz)

time.time = lambda: real() + wrong()
time.time_ns = lambda: int((real() + wrong()) * 1e9)
datetime.datetime = Moment
'''

RECORDED = "SELECT recorded_at FROM events WHERE tenant_id = %(tenant)s ORDER BY position"


@pytest.fixture
def wrong_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says how wrong the clocks of processes are which are started now."""
    (tmp_path / "sitecustomize.py").write_text(WRONG)
    file = tmp_path / "seconds"
    file.write_text("0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CLOCK_IS_WRONG_BY", str(file))
    return file


def since(server: Server, tenant: Tenant, moment: str) -> list[dict[str, Any]]:
    """What a client gets that goes on from the last ``updatedAt`` it has seen."""
    answer = server.by_key(tenant, "GET", f"/api/leads?updatedSince={moment}")
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json
    return found


def test_a_clock_that_is_two_hours_ahead_and_then_three_behind(
    server: Server, served_url: str, operator: Operator, tenant: Tenant, wrong_by: Path
) -> None:
    dice = random.Random(1)
    with served(served_url) as astray:
        made: list[str] = []
        seen, link = "2020-01-01", "/api/leads?limit=2"
        polled: dict[str, Any] = {}
        followed: dict[str, Any] = {}
        for number, seconds in enumerate([0, 7_200, 7_200, -10_800, -10_800, 0, 5, -86_400, 7_200, 0] * 2):
            wrong_by.write_text(str(seconds))
            process = dice.choice([server, astray, astray])
            began = datetime.now(UTC) - timedelta(milliseconds=2)
            if made and number % 3 == 2:
                path = f"/api/leads/{dice.choice(made)}"
                lead = process.by_key(tenant, "PATCH", path, {"message": f"{number}"}).json
            else:
                lead = process.lead(tenant)
                made.append(lead["id"])
            moment = datetime.fromisoformat(lead["updatedAt"])
            assert began - timedelta(seconds=1) < moment <= datetime.now(UTC), "the process asked its own clock"
            found = since(dice.choice([server, astray]), tenant, seen)
            assert lead["id"] in [one["id"] for one in found], "it was missed"
            polled |= {one["id"]: one for one in found}
            seen = max(seen, *(one["updatedAt"] for one in found))
            page: str | None = link
            while page is not None:
                answer = astray.by_key(tenant, "GET", page)
                followed |= {one["id"]: one for one in answer.json}
                link, page = delta(answer), next_page(answer)

    now = server.leads(tenant)
    assert [one["id"] for one in now] == made[::-1], "the newest first"
    assert polled == followed == {one["id"]: one for one in now}
    recorded = [moment for (moment,) in operator.rows(RECORDED, tenant=tenant.id)]
    assert recorded == sorted(recorded)
