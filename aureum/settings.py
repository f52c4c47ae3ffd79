"""What an operator may set: `AUREUM_*` environment variables, or these names in a `.env` file of the working directory.

An environment variable beats the file; an empty one counts as unset. Nothing here is read while a module is imported:
the composition root calls `load_settings()` once and passes the frozen result on.
"""

import os
import re
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from difflib import get_close_matches
from fcntl import LOCK_EX, flock
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from secrets import token_bytes
from stat import S_IMODE
from typing import Annotated, Literal, NamedTuple

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "AUREUM_"
FOR_TESTS = "AUREUM_TEST_"
"""What the tests of Aureum itself read."""

NO_MODEL = "none"
"""The routing model of an installation that wants none."""

KEY_BYTES = 32
MAKE_A_KEY = "openssl rand -base64 32"


class SettingsError(Exception):
    """A setting cannot be used. The message names the variable and says what to write; it never holds a secret."""


class Write(NamedTuple):
    """What belongs into a variable: the end of the sentence "Set AUREUM_X to …"."""

    text: str


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _network(value: object) -> object:
    # strict: 10.0.0.5/8 is more likely a slip than a wish to trust sixteen million addresses.
    return ip_network(value) if isinstance(value, str) else value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(_split),
    Write("networks with commas between them, for example 10.0.0.0/8,192.0.2.7,fd00::/8"),
]


def _default_data_dir() -> Path:
    # The XDG specification: a value that is not absolute is to be ignored.
    shared = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(shared):
        return Path(shared) / "aureum"
    try:
        return Path.home() / ".local" / "share" / "aureum"
    except RuntimeError:  # a container may run under a user id that has neither a name nor a home
        return Path("/var/lib/aureum")


def _absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(path.expanduser()))
    except RuntimeError as error:
        raise ValueError("no such home directory") from error


def _postgresql_url(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("not a PostgreSQL URL")
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ValueError("not a PostgreSQL URL") from None  # the cause may quote the password
    return url


def _smtp_url(url: str) -> str:
    if not re.match(r"smtps?://[^/]", url):
        raise ValueError("not an SMTP URL")
    return url


def _public_url(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", url):
        raise ValueError("not an http URL")
    return url.rstrip("/")


def _model(name: str) -> str:
    if not re.fullmatch(r"bundled|none|[A-Za-z_][\w.]*:[A-Za-z_]\w*", name):
        raise ValueError("not the name of a model")
    return name


def _domain(name: str) -> str:
    name = name.lower().rstrip(".")
    if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", name):
        raise ValueError("not a domain name")
    return name


def _decode_key(text: str) -> bytes:
    key = b64decode(text.strip(), validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key


def _key_text(value: SecretStr) -> SecretStr:
    _decode_key(value.get_secret_value())
    return value


class Settings(BaseSettings):
    """Every setting, checked. Each field's description is what `aureum settings` shows."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
        validate_default=True,
    )

    database_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and _postgresql_url(url)),
        Write("a URL, for example postgresql://aureum:PASSWORD@db.example.com:5432/aureum"),
    ] = Field(None, repr=False, description="PostgreSQL 15 or newer; unset: an embedded one under AUREUM_DATA_DIR")
    data_dir: Annotated[Path, AfterValidator(_absolute), Write("a directory, for example /var/lib/aureum")] = Field(
        default_factory=_default_data_dir,
        description="where the embedded database and the master key made for it are kept",
    )
    master_key: Annotated[
        SecretStr | None,
        AfterValidator(lambda key: key and _key_text(key)),
        Write(f"32 random bytes in base64. This makes some: {MAKE_A_KEY}"),
    ] = Field(
        None,
        description="32 bytes in base64 that wrap every tenant's key; unset with the embedded database: "
        "made once at AUREUM_DATA_DIR/master.key",
    )
    base_domain: Annotated[
        str | None, AfterValidator(lambda name: name and _domain(name)), Write("a domain name such as crm.example.com")
    ] = Field(None, description="a brokerage is also found at its slug, a dot and this domain")
    public_url: Annotated[
        str | None, AfterValidator(lambda url: url and _public_url(url)), Write("a URL such as https://crm.example.com")
    ] = Field(None, description="where clients reach the API: the base URL in /openapi.json")
    trusted_proxies: Networks = Field((), description="networks of the proxies whose X-Forwarded-* headers count")
    webhook_allow_networks: Networks = Field(
        (), description="networks that webhooks may call though they are not public"
    )
    webhook_limit: Annotated[int, Write("a whole number, 0 or more, for example 50")] = Field(
        50, ge=0, description="webhooks that one brokerage may have, disabled ones included; 0: no limit"
    )
    form_rate_limit: Annotated[int, Write("a whole number, 0 or more, for example 30")] = Field(
        30, ge=0, description="requests a minute to the public forms from one address to one brokerage; 0: no limit"
    )
    metrics_networks: Networks = Field(
        (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")), description="networks that may read /metrics"
    )
    metrics_port: Annotated[int | None, Write("a port, for example 9100")] = Field(
        None, ge=0, le=65535, description="where 'aureum worker' shows /metrics, /healthz and /readyz; unset: nowhere"
    )
    metrics_host: str = Field("127.0.0.1", description="the address that AUREUM_METRICS_PORT is opened on")
    prepared_statements: Annotated[bool | None, Write("true or false")] = Field(
        None,
        description="whether statements are prepared in the database; unset: yes, unless a connection pooler is "
        "found in between",
    )
    database_timeout: Annotated[float, Write("a number of seconds, 1 or more, for example 5")] = Field(
        5.0, ge=1, le=300, description="seconds that one statement of a request, or of a delivery, may take"
    )
    database_long_timeout: Annotated[float, Write("a number of seconds, 60 or more, for example 3600")] = Field(
        3600.0, ge=60, description="seconds that one statement of a migration, a rebuild or another command may take"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(lambda level: level.lower() if isinstance(level, str) else level),
        Write("debug, info, warning or error"),
    ] = Field("info", description="the least that is logged: debug, info, warning or error")
    pool_size: Annotated[int, Write("a whole number, 1 or more, for example 4")] = Field(
        4, ge=1, description="database connections that one process reads with"
    )
    head_timeout: Annotated[float, Write("a number of seconds, for example 15")] = Field(
        15,
        gt=0,
        description="seconds in which the head of a request must arrive, from the connection or its first byte on",
    )
    body_timeout: Annotated[float, Write("a number of seconds, for example 20")] = Field(
        20,
        gt=0,
        description="seconds that a request's body may stand still; below 500 bytes a second it is given up, too",
    )
    answer_timeout: Annotated[float, Write("a number of seconds, for example 90")] = Field(
        90.0, gt=0, description="seconds that a client may not read of its answer before the connection is ended"
    )
    idle_timeout: Annotated[float, Write("a number of seconds, for example 75")] = Field(
        75.0, gt=0, description="seconds that a connection is kept between two requests"
    )
    body_memory: Annotated[int, Write("a whole number of megabytes, for example 128")] = Field(
        128, ge=2, description="megabytes that unfinished bodies may take in one process"
    )
    body_memory_of_client: Annotated[int, Write("a whole number of megabytes, for example 32")] = Field(
        32, ge=2, description="megabytes that unfinished bodies from one client address may take in one process"
    )
    max_connections: Annotated[int | None, Write("a whole number, for example 2000")] = Field(
        None, ge=1, description="connections that one process takes; unset: as many as it may open files"
    )
    routing_model: Annotated[
        str,
        AfterValidator(_model),
        Write("bundled, none, or package.module:function of a model of your own"),
    ] = Field(
        "bundled",
        description="the model that compares enquiries with agents' profiles by meaning; none: words alone decide",
    )
    routing_timeout: Annotated[float, Write("a number of seconds, for example 0.25")] = Field(
        0.25, gt=0, le=5, description="seconds that a form may wait for the routing model"
    )
    smtp_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and _smtp_url(url)),
        Write("a URL, for example smtp://USER:PASSWORD@mail.example.com:587"),
    ] = Field(None, repr=False, description="the mail server; reserved, no mail is sent yet")


class SettingLine(NamedTuple):
    """One line of `aureum settings`; secrets are masked already."""

    name: str
    meaning: str
    default: str
    value: str


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsError with one sentence for each variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        # Only the names are taken from the error: its own text quotes the input, which may be a secret.
        names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_input=False))
        raise SettingsError("\n".join(f"Set {_env_name(name)} to {_what_to_write(name)}." for name in names)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file .env cannot be read ({error}). Mend or remove it.") from error


def known_settings() -> list[str]:
    """The names of all settings."""
    return [_env_name(name) for name in Settings.model_fields]


def unknown_settings() -> list[str]:
    """Variables of the environment and lines of `.env` that begin like settings and are none: most often misspelled."""
    from dotenv import dotenv_values

    try:
        lines = dotenv_values(".env")
    except (OSError, UnicodeDecodeError):
        lines = {}
    known = set(known_settings())
    given = {**lines, **os.environ}
    return sorted(
        name
        for name in given
        if name.upper().startswith(PREFIX)
        and name.upper() not in known
        and given[name]
        and not name.startswith(FOR_TESTS)
    )


def misnamed() -> list[str]:
    """A sentence for each of ``unknown_settings``, with the setting that was probably meant. Values are not shown."""
    sentences = []
    names = {name.removeprefix(PREFIX): name for name in known_settings()}
    for unknown in unknown_settings():
        close = get_close_matches(unknown.upper().removeprefix(PREFIX), names, 1)
        meant = f"Did you mean {names[close[0]]}?" if close else "'aureum settings' lists those there are."
        sentences.append(f"{unknown} is no setting and does nothing. {meant}")
    return sentences


def describe_settings() -> list[SettingLine]:
    """Every setting with its meaning, default and present value, secrets masked. Raises SettingsError."""
    settings = load_settings()
    return [
        SettingLine(
            _env_name(name),
            field.description or "",
            _shown(name, _default(field)),
            _shown(name, getattr(settings, name)),
        )
        for name, field in Settings.model_fields.items()
    ]


def master_key(settings: Settings) -> bytes:
    """The 32 bytes that wrap every other key.

    With the embedded database an unset key is made once at `data_dir/master.key`, in base64, mode 0600, also if two
    processes come at once. Raises SettingsError when there is no key, or a file that others may read or that is broken.
    """
    if settings.master_key is not None:
        return _decode_key(settings.master_key.get_secret_value())
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
        return _decode_key(path.read_text("ascii"))
    except ValueError:
        raise SettingsError(
            f"{path} does not hold 32 bytes in base64. Put the key back from a backup: without it, personal data that "
            "is stored already cannot be read."
        ) from None


def _env_name(field_name: str) -> str:
    return PREFIX + field_name.upper()


def _what_to_write(field_name: str) -> str:
    return next(note.text for note in Settings.model_fields[field_name].metadata if isinstance(note, Write))


def _default(field: FieldInfo) -> object:
    make: Callable[[], object] | None = field.default_factory  # type: ignore[assignment]  # ours take no argument
    return make() if make else field.default


def _shown(name: str, value: object) -> str:
    match value:
        case None | ():
            return "not set"
        case SecretStr():
            return "set, not shown"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(str(network) for network in value)
        case str() if name.endswith("_url"):
            return mask_password(value)
        case _:
            return str(value)


def mask_password(url: str) -> str:
    """The URL with `***` for any password in it, as user:password@ or as a parameter; hides too much when unsure."""
    url = re.sub(r"^([^:]+://[^:@/?]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"([?&][^=&]*password[^=&]*=)[^&]*", r"\1***", url, flags=re.IGNORECASE | re.DOTALL)
