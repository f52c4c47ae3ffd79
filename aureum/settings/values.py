"""What may stand in a setting: each function takes a value as it was given and returns it as the program uses it. They
raise ValueError for what cannot be used."""

import os
import re
from base64 import b64decode
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, NamedTuple

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

KEY_BYTES = 32


class Unusable(ValueError):
    """Why a value cannot be used, in words that follow a colon. They quote nothing of it that may be secret."""


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


def postgresql_url(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("not a PostgreSQL URL")
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ValueError("not a PostgreSQL URL") from None  # the cause may quote the password
    return url


Urls = Annotated[
    tuple[Annotated[str, AfterValidator(postgresql_url)], ...],
    NoDecode,
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
    Write("URLs with spaces between them, for example postgresql://aureum:PASSWORD@replica.example.com:5432/aureum"),
]


def default_data_dir() -> Path:
    # The XDG specification: a value that is not absolute is to be ignored.
    shared = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(shared):
        return Path(shared) / "aureum"
    try:
        return Path.home() / ".local" / "share" / "aureum"
    except RuntimeError:  # a container may run under a user id that has neither a name nor a home
        return Path("/var/lib/aureum")


def absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(path.expanduser()))
    except RuntimeError as error:
        raise ValueError("no such home directory") from error


def public_url(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", url):
        raise ValueError("not an http URL")
    return url.rstrip("/")


def endpoint(url: SecretStr) -> SecretStr:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?", url.get_secret_value()):
        raise ValueError("not an http URL")
    return url


def loopback_url(url: str) -> str:
    if not re.fullmatch(r"https?://(127\.0\.0\.1|\[::1\]):[0-9]{1,5}/?", url):
        raise Unusable("it is not an address of this machine, like http://127.0.0.1:8099")
    return url.rstrip("/")


def model(name: str) -> str:
    if not re.fullmatch(r"bundled|none|[A-Za-z_][\w.]*:[A-Za-z_]\w*", name):
        raise ValueError("not the name of a model")
    return name


def domain(name: str) -> str:
    name = name.lower().rstrip(".")
    if not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", name):
        raise ValueError("not a domain name")
    return name


def decode_key(text: str) -> bytes:
    key = b64decode(text.strip(), validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("not 32 bytes")
    return key


def key_text(value: SecretStr) -> SecretStr:
    decode_key(value.get_secret_value())
    return value
