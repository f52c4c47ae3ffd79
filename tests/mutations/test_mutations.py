"""That the script still means the code of today. ``python -m tests.mutations`` tries the mistakes themselves."""

from pathlib import Path

import pytest

from tests.mutations.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: str(one.name))
def test_the_mistake_can_still_be_made(mutation: Mutation) -> None:
    assert mutation.old in (ROOT / mutation.file).read_text()
    assert all((ROOT / name).exists() for name in mutation.caught_by if name.startswith("tests/"))
