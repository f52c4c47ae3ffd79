"""Settings as an operator meets them: environment, `.env` file, plain errors, no secret shown."""

import string
from base64 import b64encode
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aureum.settings import (
    Settings,
    SettingsError,
    load_settings,
)
from aureum.settings.listing import describe_settings, mask_password
from aureum.settings.smtp import SmtpServer, smtp_server

KEY = bytes(range(32))


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    settings = load_settings()
    assert settings.database_url is None
    assert settings.master_key is None
    assert settings.data_dir == Path("/home/somebody/.local/share/aureum")
    assert settings.trusted_proxies == settings.webhook_allow_networks == ()
    assert settings.metrics_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert (settings.form_rate_limit, settings.pool_size) == (30, 4)
    assert (settings.prepared_statements, settings.log_level) == (None, "info")
    assert (settings.database_timeout, settings.database_long_timeout) == (5, 3600)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ("/srv/share", "/srv/share/aureum"),
        ("relative", "/home/somebody/.local/share/aureum"),  # the XDG specification: ignore what is not absolute
        ("", "/home/somebody/.local/share/aureum"),
    ],
)
def test_data_dir_follows_xdg(monkeypatch: pytest.MonkeyPatch, shared: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_DATA_HOME", shared)
    assert load_settings().data_dir == Path(expected)


def test_data_dir_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("AUREUM_DATA_DIR", "data")
    assert load_settings().data_dir == tmp_path / "data"
    monkeypatch.setenv("AUREUM_DATA_DIR", "~/data")
    assert load_settings().data_dir == Path("/home/somebody/data")


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "DATABASE_URL": "postgresql://aureum:hidden@db.example.com/aureum",
        "REPLICA_URLS": " postgresql://aureum@b,c/aureum  postgresql://aureum@d/aureum ",
        "BASE_DOMAIN": "CRM.Example.com.",
        "PUBLIC_URL": "https://crm.example.com:8443/aureum/",
        "TRUSTED_PROXIES": " 10.0.0.0/8, 192.0.2.7 ,fd00::/8,",
        "METRICS_NETWORKS": "10.1.0.0/16",
        "FORM_RATE_LIMIT": "0",
        "PREPARED_STATEMENTS": "off",
        "LOG_LEVEL": "WARNING",
        "SMTP_URL": "smtp://mail.example.com:587",
    }.items():
        monkeypatch.setenv(f"AUREUM_{name}", text)
    settings = load_settings()
    assert settings.database_url == "postgresql://aureum:hidden@db.example.com/aureum"
    assert settings.replica_urls == ("postgresql://aureum@b,c/aureum", "postgresql://aureum@d/aureum")
    assert settings.base_domain == "crm.example.com"
    assert settings.public_url == "https://crm.example.com:8443/aureum"
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.7/32"), ip_network("fd00::/8"))
    assert settings.metrics_networks == (ip_network("10.1.0.0/16"),)
    assert (settings.form_rate_limit, settings.prepared_statements, settings.log_level) == (0, False, "warning")


def test_empty_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"AUREUM_{name.upper()}", "")
    assert {line.value for line in describe_settings()} == {line.default for line in describe_settings()}
    assert load_settings().database_url is None
    (tmp_path / ".env").write_text("AUREUM_POOL_SIZE=\n")
    assert load_settings().pool_size == 4


def test_environment_beats_dot_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AUREUM_POOL_SIZE=7\nAUREUM_FORM_RATE_LIMIT=9\nOTHER_PROGRAM=1\n")
    monkeypatch.setenv("AUREUM_POOL_SIZE", "8")
    assert (load_settings().pool_size, load_settings().form_rate_limit) == (8, 9)
    monkeypatch.setenv("AUREUM_POOL_SIZE", "")  # unset: the file counts again
    assert load_settings().pool_size == 7


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().pool_size = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("DATABASE_URL", "mysql://u:hidden@db/x", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:hidden@db/x?nonsense=1", "postgresql://"),
        ("REPLICA_URLS", "postgresql://u:hidden@db/x db2:hidden", "URLs with spaces between them"),
        ("DATA_DIR", "~nobody-has-this-name/data", "a directory"),
        ("MASTER_KEY", "hidden", "32 random bytes in base64"),
        ("MASTER_KEY", b64encode(b"hidden").decode(), "openssl rand -base64 32"),
        ("MASTER_KEY", b64encode(b"h" * 33).decode(), "openssl rand -base64 32"),
        ("BASE_DOMAIN", "https://example.com", "a domain name"),
        ("BASE_DOMAIN", "-x.example.com", "a domain name"),
        ("PUBLIC_URL", "crm.example.com", "https://crm.example.com"),
        ("PUBLIC_URL", "https://u:hidden@crm.example.com", "https://crm.example.com"),
        ("PUBLIC_URL", "https://crm.example.com/?a=b", "https://crm.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.5/8", "networks with commas"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "networks with commas"),
        ("WEBHOOK_ALLOW_NETWORKS", "300.0.0.1", "networks with commas"),
        ("METRICS_NETWORKS", "everybody", "networks with commas"),
        ("FORM_RATE_LIMIT", "-1", "a whole number, 0 or more"),
        ("PREPARED_STATEMENTS", "perhaps", "true or false"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
        ("POOL_SIZE", "0", "a whole number, 1 or more"),
        ("POOL_SIZE", "four", "a whole number, 1 or more"),
        ("SMTP_URL", "mail.example.com", "it begins with neither smtp:// nor smtps://"),
        ("SMTP_URL", "smtp://me:hidden@:587", "it names no host"),
        ("SMTP_URL", "smtp://me:hid hidden@mail.example.com", "write a blank as %20"),
        ("SMTP_URL", "smtp://mail.exa\nmple.com", "it has a blank or a control character"),
        ("SMTP_URL", "smtp://me:hidden@mail.example.com:99999", "its host or port cannot be read"),
        ("SMTP_URL", "smtp://me:hid/hidden@mail.example.com", "write % as %25, / as %2F"),
        ("SMTP_URL", "smtp://hidden@mail.example.com", "it has a user without a password"),
        ("SMTP_URL", "smtp://mail.example.com?starttls=maybe", "starttls is one of required, optional, never"),
        ("SMTP_URL", "smtps://mail.example.com?starttls=required", "smtps:// is encrypted from the beginning"),
        ("SMTP_URL", "smtp://mail.example.com?startls=required", "it has a parameter other than starttls"),
        ("MAIL_FROM", "Aureum <crm@example.com>", "it is not a plain address"),
        ("MAIL_FROM", "crm@-example", "what follows its @ is not a domain name"),
        ("DOCUSIGN_URL", "https://docusign.example.com", "it is not an address of this machine"),
        ("ROUTING_MODEL", "bert", "bundled, none, or package.module:function"),
        ("ROUTING_TIMEOUT", "0", "a number of seconds"),
    ],
)
def test_a_bad_value_is_reported_plainly(monkeypatch: pytest.MonkeyPatch, name: str, text: str, advice: str) -> None:
    monkeypatch.setenv(f"AUREUM_{name}", text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"Set AUREUM_{name} to ")
    assert advice in message
    assert "\n" not in message
    assert "hidden" not in message


def test_every_bad_value_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUREUM_POOL_SIZE", "0")
    monkeypatch.setenv("AUREUM_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [line.split()[1] for line in str(caught.value).splitlines()] == ["AUREUM_LOG_LEVEL", "AUREUM_POOL_SIZE"]


def test_a_broken_dot_env_is_reported_plainly(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"AUREUM_POOL_SIZE=\xff\n")
    with pytest.raises(SettingsError, match=r"The file \.env cannot be read"):
        load_settings()


def test_describe_names_everything_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUREUM_DATABASE_URL", "postgresql://aureum:hidden@db.example.com/aureum?sslpassword=hidden")
    monkeypatch.setenv("AUREUM_REPLICA_URLS", "postgresql://a:hidden@b/aureum postgresql://a:hidden@c/aureum")
    monkeypatch.setenv("AUREUM_SMTP_URL", "smtps://me:hidden@mail.example.com")
    monkeypatch.setenv("AUREUM_MASTER_KEY", b64encode(KEY).decode())
    lines = {line.name: line for line in describe_settings()}
    assert list(lines) == [f"AUREUM_{name.upper()}" for name in Settings.model_fields]
    assert all(line.meaning and line.default and line.value for line in lines.values())
    assert lines["AUREUM_DATABASE_URL"].value == "postgresql://aureum:***@db.example.com/aureum?sslpassword=***"
    assert lines["AUREUM_REPLICA_URLS"].value == "postgresql://a:***@b/aureum postgresql://a:***@c/aureum"
    assert lines["AUREUM_SMTP_URL"].value == "smtps://me:***@mail.example.com"
    assert lines["AUREUM_MASTER_KEY"].value == "set, not shown"
    assert lines["AUREUM_METRICS_NETWORKS"][2:] == ("127.0.0.0/8,::1/128", "127.0.0.0/8,::1/128")
    for text in (repr(load_settings()), str(load_settings()), repr(lines)):
        assert "hidden" not in text
        assert b64encode(KEY).decode() not in text


@given(password=st.text(st.sampled_from(string.printable), min_size=1))
def test_no_password_survives_masking(password: str) -> None:
    assert mask_password(f"postgresql://u:{password}@h/d") == "postgresql://u:***@h/d"


@given(password=st.text(st.sampled_from(string.printable.replace("&", "").replace("@", ""))))
def test_no_password_parameter_survives_masking(password: str) -> None:
    masked = mask_password(f"postgresql://h/d?password={password}&application_name=x")
    assert masked == "postgresql://h/d?password=***&application_name=x"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, False, "optional")),
        ("smtp://[::1]:25/?starttls=never", SmtpServer("::1", 25, False, "never")),
        ("smtps://me:p%40ss%2F@mail.example.com", SmtpServer("mail.example.com", 465, True, "never", "me", "p@ss/")),
        # A password is not sent unless the connection is encrypted.
        ("smtp://me:secret@h", SmtpServer("h", 587, False, "required", "me", "secret")),
        ("smtp://me:secret@h?starttls=never", SmtpServer("h", 587, False, "never", "me", "secret")),
    ],
)
def test_mail_servers(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server
    assert "secret" not in repr(server)
