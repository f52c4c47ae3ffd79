"""``python -m tests.transfer.killed URL FILE``: imports the file again and again, each time killed (SIGKILL) at another
step; prints at how many steps that was. The last time nothing is left to be killed at, and the brokerage is there."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from aureum.store.cipher import MasterKey
from aureum.store.postgres.database import connect
from aureum.transfer.importing import import_brokerage
from aureum.transfer.reading import ExportFile
from tests.conftest import MASTER_KEY


async def run(url: str, file: bytes, step: int) -> None:
    """Import, and be killed when the work has come to *step*."""
    left = step

    def count() -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def progress_of(_: str) -> Callable[[int, int], None]:
        count()
        return lambda done, length: count()

    def may_have(_: str) -> bool:
        # Asked in the last step, when all else is done.
        count()
        return True

    async with await connect(url) as connection:
        lines = ExportFile(io.BytesIO(file))
        await import_brokerage(
            connection, MasterKey(MASTER_KEY), lines, slug=None, may_have=may_have, progress_of=progress_of
        )


def main(url: str, file: bytes) -> int:
    """The number of steps at which it was killed."""
    step = 0
    while True:
        child = os.fork()
        if not child:
            asyncio.run(run(url, file, step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return step
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise RuntimeError(f"step {step} ended with {status}")
        step += 1


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]).read_bytes()))
