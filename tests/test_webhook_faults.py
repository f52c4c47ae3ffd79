"""The table of faults names every one of the 29, and no test that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w/.]+\.py)::(\w+)`")

ROWS = ROW.findall((ROOT / "docs" / "webhook-faults.md").read_text())


@cache
def defined(file: Path) -> frozenset[str]:
    """The tests that a file defines."""
    tree = ast.parse(file.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_fault_is_in_the_table() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 30))


def test_every_fault_has_a_proof_that_exists() -> None:
    unproven, missing = [], []
    for number, proof in ROWS:
        named = NAMED.findall(proof)
        if not named:
            unproven.append(number)
        for file, test in named:
            path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / "webhooks" / file
            if not path.exists() or not test.startswith("test_") or test not in defined(path):
                missing.append(f"{file}::{test}")
    assert (unproven, missing) == ([], [])
