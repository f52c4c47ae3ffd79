"""The program of docs/examples that keeps a copy of a list does keep one."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.http.operator import Operator, Tenant
from tests.http.serving import PATIENCE, Server

PROGRAM = Path(__file__).parents[3] / "docs" / "examples" / "follow.py"


def test_the_copy_is_the_list(server: Server, operator: Operator, tenant: Tenant, tmp_path: Path) -> None:
    copy = tmp_path / "leads.json"

    def follow() -> list[str]:
        """One run; what it says."""
        address = f"http://127.0.0.1:{server.port}/api/leads?status=new"
        command = [sys.executable, str(PROGRAM), address, str(copy)]
        environment = os.environ | {"AUREUM_KEY": tenant.key}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
        items = list(json.loads(copy.read_text())["items"].values())
        assert sorted(items, key=lambda item: str(item["id"])) == sorted(
            server.leads(tenant, "?status=new"), key=lambda item: str(item["id"])
        )
        return done.stdout.splitlines()

    assert follow() == []
    leads = [server.lead(tenant)["id"] for _ in range(120)]
    assert follow() == [f"new {lead}" for lead in leads]
    for lead, status in zip(leads[:2], ("lost", "new"), strict=True):
        server.by_key(tenant, "PATCH", f"/api/leads/{lead}", {"status": status, "message": "Changed"})
    assert follow() == [f"removed {leads[0]} ", f"changed {leads[1]}"]
    assert follow() == []

    # The log was put back: the link is refused, and the program starts again.
    kept = json.loads(copy.read_text())
    copy.write_text(json.dumps(kept | {"after": kept["after"][:-2] + ("AA" if kept["after"][-2:] != "AA" else "BA")}))
    assert len(follow()) == 119
