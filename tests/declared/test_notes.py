"""Runs ``cases.py`` where every process knows of notes."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

OPTIONS = (
    *("-p", "no:cacheprovider"),
    # What notes are made of is imported before pytest could look at it.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


def test_a_resource_in_one_file_and_one_line(server_url: str) -> None:
    paths = os.pathsep.join((str(HERE / "site"), str(ROOT)))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *OPTIONS, str(HERE / "cases.py")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "AUREUM_TEST_DATABASE_URL": server_url},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
