"""What an operator may set: `AUREUM_*` environment variables, or these names in a `.env` file of the working directory.

An environment variable beats the file; an empty one counts as unset. Nothing here is read while a module is imported:
the composition root calls `load_settings()` once and passes the frozen result on.
"""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aureum.settings.documents import documents_url
from aureum.settings.smtp import mail_address, smtp_server
from aureum.settings.values import (
    Networks,
    Unusable,
    Urls,
    Write,
    absolute,
    default_data_dir,
    domain,
    endpoint,
    key_text,
    loopback_url,
    model,
    postgresql_url,
    public_url,
)

PREFIX = "AUREUM_"

NO_MODEL = "none"
"""The routing model of an installation that wants none."""

MAKE_A_KEY = "openssl rand -base64 32"


class SettingsError(Exception):
    """A setting cannot be used. The message names the variable and says what to write; it never holds a secret."""


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
        AfterValidator(lambda url: url and postgresql_url(url)),
        Write("a URL, for example postgresql://aureum:PASSWORD@db.example.com:5432/aureum"),
    ] = Field(None, repr=False, description="PostgreSQL 15 or newer; unset: an embedded one under AUREUM_DATA_DIR")
    owner_database_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and postgresql_url(url)),
        Write("a URL, for example postgresql://aureum_owner:PASSWORD@db.example.com:5432/aureum"),
    ] = Field(
        None,
        repr=False,
        description="the same database by the role that owns it: for migrations, rebuilds, the worker and commands; "
        "unset: AUREUM_DATABASE_URL does everything",
    )
    replica_urls: Urls = Field(
        (),
        repr=False,
        description="replicas of the database, where lists and single resources are read if they have what "
        "the client has written; unset: all is read at AUREUM_DATABASE_URL",
    )
    data_dir: Annotated[Path, AfterValidator(absolute), Write("a directory, for example /var/lib/aureum")] = Field(
        default_factory=default_data_dir,
        description="where the embedded database and the master key made for it are kept",
    )
    master_key: Annotated[
        SecretStr | None,
        AfterValidator(lambda key: key and key_text(key)),
        Write(f"32 random bytes in base64. This makes some: {MAKE_A_KEY}"),
    ] = Field(
        None,
        description="32 bytes in base64 that wrap every tenant's key; unset with the embedded database: "
        "made once at AUREUM_DATA_DIR/master.key",
    )
    base_domain: Annotated[
        str | None, AfterValidator(lambda name: name and domain(name)), Write("a domain name such as crm.example.com")
    ] = Field(None, description="a brokerage is also found at its slug, a dot and this domain")
    public_url: Annotated[
        str | None, AfterValidator(lambda url: url and public_url(url)), Write("a URL such as https://crm.example.com")
    ] = Field(None, description="where clients reach the API: the base URL in /openapi.json")
    trusted_proxies: Networks = Field((), description="networks of the proxies whose X-Forwarded-* headers count")
    webhook_allow_networks: Networks = Field(
        (), description="networks that webhooks may call though they are not public"
    )
    webhook_limit: Annotated[int, Write("a whole number, 0 or more, for example 50")] = Field(
        50, ge=0, description="webhooks that one brokerage may have, disabled ones included; 0: no limit"
    )
    rebuild_at_start: Annotated[bool, Write("true or false")] = Field(
        False,
        description="whether 'aureum serve' and 'aureum worker' rebuild read models of an older version before they "
        "are ready, instead of asking for 'aureum migrate'",
    )
    security_log_days: Annotated[int, Write("a whole number of days, for example 90")] = Field(
        90, ge=1, le=3650, description="days for which the security log keeps its entries"
    )
    form_rate_limit: Annotated[int, Write("a whole number, 0 or more, for example 30")] = Field(
        30, ge=0, description="requests a minute to the public forms from one address to one brokerage; 0: no limit"
    )
    confirmation_limit: Annotated[int, Write("a whole number, 0 or more, for example 1000")] = Field(
        1_000, ge=0, description="mails an hour that confirm one brokerage's forms to visitors; 0: no limit"
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
        AfterValidator(model),
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
        AfterValidator(lambda url: url and (smtp_server(url), url)[1]),
        Write("a URL, for example smtp://USER:PASSWORD@mail.example.com:587?starttls=required"),
    ] = Field(
        None,
        repr=False,
        description="the mail server: smtp://, smtps://, ?starttls=required, optional or never; unset: mails are files "
        "under AUREUM_DATA_DIR/mail",
    )
    mail_from: Annotated[
        str | None,
        AfterValidator(lambda address: address and mail_address(address)),
        Write("an address, for example crm@example.com"),
    ] = Field(None, description="the address that mail comes from; unset: no-reply at AUREUM_BASE_DOMAIN")
    documents_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and documents_url(url)),
        Write("a URL, for example s3://documents/aureum?endpoint=https://s3.example.com&region=eu-central-1"),
    ] = Field(
        None, description="the bucket of S3, or of a server like it, that documents are stored in; unset: the database"
    )
    documents_quota_gb: Annotated[float, Write("a number of gigabytes, 0 or more, for example 10")] = Field(
        10, ge=0, description="gigabytes that the documents of one brokerage may take; 0: no limit"
    )
    tsa_url: Annotated[
        SecretStr | None,
        AfterValidator(lambda url: url and endpoint(url)),
        Write("a URL such as https://tsa.example.com/tsr"),
    ] = Field(None, description="the authority that time-stamps the seals of signed documents (RFC 3161); unset: none")
    checkpoint_file: Annotated[
        Path | None,
        AfterValidator(lambda file: file and absolute(file)),
        Write("a file, for example /mnt/elsewhere/checkpoints.jsonl"),
    ] = Field(None, description="a file that signed checkpoints of the event logs are added to; unset: none")
    checkpoint_url: Annotated[
        SecretStr | None,
        AfterValidator(lambda url: url and endpoint(url)),
        Write("a URL such as https://auditor.example.com/checkpoints"),
    ] = Field(None, description="where signed checkpoints of the event logs are posted; unset: nowhere")
    docusign_url: Annotated[
        str | None,
        AfterValidator(lambda url: url and loopback_url(url)),
        Write("the address of a test's own server, for example http://127.0.0.1:8099, or leave it unset"),
    ] = Field(None, description="a server on this machine that plays DocuSign in tests; unset: DocuSign's own servers")
    checkpoint_minutes: Annotated[float, Write("a number of minutes, for example 60")] = Field(
        60, gt=0, le=10_080, description="minutes between two signed checkpoints of a log that has grown"
    )


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises SettingsError with one sentence for each variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        # Only the names are taken from the error: its own text quotes the input, which may be a secret.
        whys = {str(problem["loc"][0]): _why(problem) for problem in error.errors(include_input=False)}
        sentences = [f"Set {env_name(name)} to {_what_to_write(name)}{why}." for name, why in whys.items()]
        raise SettingsError("\n".join(sentences)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file .env cannot be read ({error}). Mend or remove it.") from error


def env_name(field_name: str) -> str:
    return PREFIX + field_name.upper()


def _why(problem: Any) -> str:
    """What is wrong, where the code that found it wrote a text that quotes nothing."""
    cause = problem.get("ctx", {}).get("error")
    return f". The present value cannot be used: {cause}" if isinstance(cause, Unusable) else ""


def _what_to_write(field_name: str) -> str:
    return next(note.text for note in Settings.model_fields[field_name].metadata if isinstance(note, Write))
