"""The worker sends signed checkpoints away: each log that has grown once, and again what did not arrive."""

import asyncio
from pathlib import Path

from aureum.domain.ids import PLATFORM
from aureum.store.cipher import MasterKey, TenantKeys
from aureum.store.signed_checkpoints import read_all, signing_key
from aureum.worker.checkpointing import CheckpointSettings, add_lines
from aureum.worker.worker import run_worker
from tests.conftest import MASTER_KEY
from tests.stores import capture, open_brokerage, opened_store
from tests.webhooks.receiver import Receiver, receiving, text

KEY = signing_key(MASTER_KEY)


def test_what_grew_is_sent_until_it_arrives(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.jsonl"

    async def scenario() -> None:
        answers = iter(["500 Oops", "302 Found\r\nLocation: http://127.0.0.1/", "204 No Content", "204 No Content"])

        async def answer(writer: asyncio.StreamWriter) -> None:
            await text(next(answers))(writer)

        async with opened_store(database_url) as store, receiving(answer) as receiver:
            tenant, quiet = await open_brokerage(store), await open_brokerage(store)
            await capture(store, tenant)
            await capture(store, quiet)
            settings = CheckpointSettings(KEY, file, f"http://127.0.0.1:{receiver.port}/taken?token=secret", 0.1)
            stop = asyncio.Event()
            keys = TenantKeys(MasterKey(MASTER_KEY))
            worker = asyncio.create_task(run_worker(database_url, keys, stop, checkpoints=settings))
            try:
                await arrived(receiver, 3)
                # Neither the refusal nor the redirect was an arrival.
                sent = [read_all(request.body.splitlines(), KEY.public_key()) for request in receiver.requests]
                assert [{one.tenant_id: one.position for one in found} for found in sent] == [
                    {PLATFORM: 2, tenant: 1, quiet: 1}
                ] * 3
                await capture(store, tenant, email="second@example.com")
                await arrived(receiver, 4)
                (grown,) = read_all(receiver.requests[3].body.splitlines(), KEY.public_key())
                assert (grown.tenant_id, grown.position) == (tenant, 2)
            finally:
                stop.set()
                await asyncio.wait_for(worker, 60)
        written = read_all(file.read_bytes().splitlines(), KEY.public_key())
        assert sorted((one.tenant_id, one.position) for one in written) == sorted(
            [(PLATFORM, 2), (tenant, 1), (quiet, 1), (tenant, 2)]
        )

    asyncio.run(scenario())


async def arrived(receiver: Receiver, count: int) -> None:
    """Wait until so many requests have come."""
    async with asyncio.timeout(30):
        async with receiver.changed:
            await receiver.changed.wait_for(lambda: len(receiver.requests) >= count)


def test_lines_are_added_whole(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    add_lines(file, [b"a\n", b"b\n"])
    add_lines(file, [])
    add_lines(file, [b"c\n"])
    assert file.read_bytes() == b"a\nb\nc\n"
