"""The key that wraps every tenant's key: set by the operator, or made once beside the embedded database."""

import os
import tempfile
from base64 import b64encode
from fcntl import LOCK_EX, flock
from pathlib import Path
from secrets import token_bytes
from stat import S_IMODE

from aureum.settings import MAKE_A_KEY, Settings, SettingsError
from aureum.settings.values import KEY_BYTES, decode_key


def master_key(settings: Settings) -> bytes:
    """The 32 bytes that wrap every other key.

    With the embedded database an unset key is made once at `data_dir/master.key`, in base64, mode 0600, also if two
    processes come at once. Raises SettingsError when there is no key, or a file that others may read or that is broken.
    """
    if settings.master_key is not None:
        return decode_key(settings.master_key.get_secret_value())
    if settings.database_url is not None:
        raise SettingsError(
            "AUREUM_MASTER_KEY is not set, and a database of your own (AUREUM_DATABASE_URL) needs one. "
            f"Make it once with `{MAKE_A_KEY}`, keep a copy in a safe place, and set it for every process."
        )
    path = settings.data_dir / "master.key"
    try:
        return _key_in_file(path)
    except OSError as error:
        raise SettingsError(
            f"The master key {path} cannot be read or made: {error.strerror}. Make it readable and its directory "
            "writable for this user only, or set AUREUM_DATA_DIR to another directory."
        ) from error


def _key_in_file(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(directory, LOCK_EX)  # one process makes the key, the others wait a moment and read it
        if not path.exists():
            # Whole or not at all, whenever the process is killed: written beside, synced, then renamed.
            descriptor, new = tempfile.mkstemp(prefix="master.key.", dir=path.parent)  # mode 0600
            with os.fdopen(descriptor, "wb") as file:
                file.write(b64encode(token_bytes(KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(descriptor)
            os.replace(new, path)
            os.fsync(directory)
    finally:
        os.close(directory)
    if (mode := S_IMODE(path.stat().st_mode)) & 0o077:
        raise SettingsError(f"The master key {path} is open to other users (mode {mode:04o}). Run: chmod 600 {path}")
    try:
        return decode_key(path.read_text("ascii"))
    except ValueError:
        raise SettingsError(
            f"{path} does not hold 32 bytes in base64. Put the key back from a backup: without it, personal data that "
            "is stored already cannot be read."
        ) from None
