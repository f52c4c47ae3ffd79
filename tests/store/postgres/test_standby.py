"""A standby as the only database is refused in one sentence."""

import asyncio

import pytest

from aureum.store.cipher import MasterKey
from aureum.store.postgres.migrate import OnlyStandby, migrate, pending
from tests.conftest import MASTER_KEY
from tests.replication import PROGRAMS, replicated


def test_a_standby_alone_is_no_database() -> None:
    if not PROGRAMS.exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package postgresql-15)")
    with replicated(synchronous=False) as (_, standby):
        for work in (migrate(standby.url, MasterKey(MASTER_KEY)), pending(standby.url)):
            with pytest.raises(OnlyStandby, match="standby, where nothing can be stored"):
                asyncio.run(work)
