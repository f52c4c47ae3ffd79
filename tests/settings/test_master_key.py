"""The master key: given by the operator, or made once beside the embedded database, and never replaced."""

import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from stat import S_IMODE

import pytest

from aureum.settings import Settings, SettingsError, load_settings
from aureum.settings.master_key import master_key

KEY = bytes(range(32))


def test_the_given_master_key_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUREUM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(KEY).decode())
    assert master_key(load_settings()) == KEY
    assert not (tmp_path / "data").exists()


def test_an_own_database_needs_a_master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUREUM_DATABASE_URL", "postgresql:///aureum")
    with pytest.raises(SettingsError, match=r"AUREUM_MASTER_KEY is not set.*openssl rand -base64 32"):
        master_key(load_settings())


def test_a_master_key_is_made_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    key = master_key(settings)
    assert len(key) == 32
    assert key != master_key(Settings(data_dir=tmp_path / "other"))
    assert master_key(settings) == key
    file = settings.data_dir / "master.key"
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert list(settings.data_dir.iterdir()) == [file]
    assert master_key(Settings.model_validate({"master_key": file.read_text()})) == key  # as a variable too


def test_processes_that_come_at_once_share_one_master_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aureum.settings import Settings\n"
        "from aureum.settings.master_key import master_key\n"
        "settings = Settings(data_dir=Path(sys.argv[1]))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(master_key(settings).hex())\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0] for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert len(keys) == 1
    assert len(bytes.fromhex(keys.pop())) == 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_master_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    settings = Settings(data_dir=tmp_path)
    master_key(settings)
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(SettingsError, match=f"chmod 600 {tmp_path}/master.key"):
        master_key(settings)


@pytest.mark.parametrize("content", [b"", b"short", b64encode(b"k" * 31), b"\xff\x00"])
def test_a_broken_master_key_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "master.key"
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"master\.key does not hold 32 bytes in base64"):
        master_key(Settings(data_dir=tmp_path))
    assert file.read_bytes() == content


def test_a_data_dir_that_cannot_be_made_is_reported_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot be read or made: .*AUREUM_DATA_DIR"):
        master_key(Settings(data_dir=tmp_path / "file" / "data"))
