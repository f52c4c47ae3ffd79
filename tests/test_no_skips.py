"""The plugin that .ci/run relies on: every way of skipping fails the run, and nothing else does."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent

SKIPPING = {
    "mark": "@pytest.mark.skip(reason='no moon')\ndef test_it(): pass",
    "condition": "@pytest.mark.skipif(True, reason='no moon')\ndef test_it(): pass",
    "body": "def test_it(): pytest.skip('no moon')",
    "fixture": "@pytest.fixture\ndef moon(): pytest.skip('no moon')\n\ndef test_it(moon): pass",
    "module": "pytest.skip('no moon', allow_module_level=True)",
    "unittest": "import unittest\n\nclass TestIt(unittest.TestCase):\n    def test_it(self): self.skipTest('no moon')",
    "subtest": "def test_it(subtests):\n    with subtests.test('a'):\n        pytest.skip('no moon')",
}
STAYING = {
    "passes": "def test_it(): pass",
    "known": "@pytest.mark.xfail(reason='no moon')\ndef test_it(): assert False",
}


def run_pytest(folder: Path, files: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own, on one file for each source."""
    for name, source in files.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n\n{source}\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-rA"]
    command += [*options, f"--rootdir={folder}", str(folder)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


def test_without_the_plugin_a_skip_is_no_failure(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, SKIPPING)
    assert result.returncode == 0, result.stdout
    assert "skipped" in result.stdout.splitlines()[-1]


def test_with_it_every_skip_fails_and_says_why(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, SKIPPING, "-p", "tests.no_skips")
    assert result.returncode == 1, result.stdout
    lines = result.stdout.splitlines()
    for name in SKIPPING:
        assert any(line.startswith(("FAILED", "ERROR")) and f"test_{name}.py" in line for line in lines), name
    reasons = [line for line in lines if line.startswith("Nothing may be skipped in this run. ") and "no moon" in line]
    assert len(reasons) == len(SKIPPING), result.stdout
    assert "skipped" not in lines[-1]


def test_with_it_passes_and_expected_failures_stay_what_they_are(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, STAYING, "-p", "tests.no_skips")
    assert result.returncode == 0, result.stdout
    assert "1 passed, 1 xfailed" in result.stdout.splitlines()[-1]
