"""New files that commands write. Only this user may read them, and each gets its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aureum.cli.output import Refused

THERE = "{file} is there already. Name a new file."
UNWRITABLE = "{file} cannot be written: {error}."


@contextlib.contextmanager
def new_file(file: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which is called *file* after the block, once its bytes are on the disk.

    Until then it has a name of its own that ends in ``.unfinished``, so that two commands never write to the same
    file. If the block raises, the file is removed; a process that is killed leaves it. Raises Refused.
    """
    if file.exists():
        raise Refused(THERE.format(file=file))
    unfinished = None
    try:
        # Mode 0600.
        descriptor, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".unfinished", dir=file.parent)
        unfinished = Path(name)
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
        if file.exists():
            raise Refused(THERE.format(file=file))
        unfinished.rename(file)
    except OSError as error:
        raise Refused(UNWRITABLE.format(file=file, error=error.strerror or error)) from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
