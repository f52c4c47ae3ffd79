"""A damaged cluster, a path that cannot be used, a full disk: each is reported with what to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aureum.store.postgres.embedded import EmbeddedDatabaseError, start
from tests.store.postgres.embedded.process import AS_ROOT, error_of, needs_linux, ordinary_user, runs


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


def test_an_unwritable_directory_is_reported_plainly(home: Path) -> None:
    home.chmod(0o555)
    options = {"become": ordinary_user()} if AS_ROOT else {}
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
