"""Where mail comes from, and where it goes without a mail server."""

from pathlib import Path

from aureum.settings import Settings, SettingsError

NO_MAIL_SERVER = (
    "AUREUM_SMTP_URL is not set, so mails are only written to files, under AUREUM_DATA_DIR/mail on the worker's "
    "machine. Set it to your mail server."
)

FROM_WHOM = (
    "AUREUM_SMTP_URL is set, but mail has no sender address. Set AUREUM_MAIL_FROM to an address that the server may "
    "send for, for example crm@example.com."
)


def mail_from(settings: Settings) -> str:
    """The address that mail comes from. Raises SettingsError if a mail server is set without one."""
    if settings.mail_from is not None:
        return settings.mail_from
    if settings.base_domain is not None:
        return f"no-reply@{settings.base_domain}"
    if settings.smtp_url is not None:
        raise SettingsError(FROM_WHOM)
    return "no-reply@localhost"


def mail_directory(settings: Settings) -> Path:
    """The directory of the mails while there is no mail server."""
    return settings.data_dir / "mail"
