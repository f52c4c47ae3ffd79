"""What `aureum settings` shows: every setting with its meaning, default and present value. Secrets are masked."""

import re
from collections.abc import Callable
from typing import NamedTuple

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from aureum.settings import Settings, env_name, load_settings


class SettingLine(NamedTuple):
    """One line of `aureum settings`; secrets are masked already."""

    name: str
    meaning: str
    default: str
    value: str


def describe_settings() -> list[SettingLine]:
    """Every setting with its meaning, default and present value, secrets masked. Raises SettingsError."""
    settings = load_settings()
    return [
        SettingLine(
            env_name(name),
            field.description or "",
            _shown(name, _default(field)),
            _shown(name, getattr(settings, name)),
        )
        for name, field in Settings.model_fields.items()
    ]


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
        case tuple() if name.endswith("_urls"):
            return " ".join(mask_password(str(url)) for url in value)
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
