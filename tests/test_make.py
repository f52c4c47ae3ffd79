"""``make`` on a machine that lacks something: it says what to install, and makes nothing by halves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("missing", ["ensurepip", "venv"])
def test_a_python_that_cannot_make_virtual_environments(tmp_path: Path, missing: str) -> None:
    """As on Debian without its package python3-venv, where Python comes without ensurepip."""
    checkout, modules = tmp_path / "checkout", tmp_path / "modules"
    checkout.mkdir()
    modules.mkdir()
    for name in ("Makefile", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    (modules / f"{missing}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{missing}'\")\n")
    done = subprocess.run(
        ["make", "setup", f"PYTHON={sys.executable}"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(modules), "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.returncode == 2
    assert f"apt-get install python{version}-venv\n" in done.stderr and "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()
