"""Makes each mistake in a copy of the tree, and says which are not caught: ``python -m tests.mutations [NAME ...]``.

It takes some minutes, and needs what the tests need.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutations.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COPIED = (
    "aureum",
    "tests",
    "docs",
    "bench",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Makefile",
)


def caught(mutation: Mutation, tree: Path) -> bool:
    """Whether what should catch it fails, in *tree*, which is whole again afterwards. A program that cannot even be
    imported (2) fails as well."""
    file = tree / mutation.file
    whole = file.read_text()
    assert whole.count(mutation.old) >= 1, mutation
    file.write_text(whole.replace(mutation.old, mutation.new, 1))
    command, *arguments = mutation.caught_by
    options = ["-q", "-x", "-p", "no:cacheprovider"] if command == "pytest" else []
    try:
        ended = subprocess.run(
            [str(BIN / "python"), "-m", command, *options, *arguments],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            capture_output=True,
            timeout=600,
            check=False,
        )
    finally:
        file.write_text(whole)
    return ended.returncode in (1, 2)


def main(names: list[str]) -> int:
    chosen = [one for one in MUTATIONS if not names or one.name in names]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="aureum-mutations-") as directory:
        tree = Path(directory)
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, tree / name)
        for mutation in chosen:
            found = caught(mutation, tree)
            missed += not found
            print("caught" if found else "MISSED", mutation.name, "by", " ".join(mutation.caught_by), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
