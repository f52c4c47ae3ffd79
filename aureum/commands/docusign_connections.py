"""The connection of a brokerage to its DocuSign account: made, changed, ended. No answer ever shows a key of it."""

from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, SecretStr

from aureum.commands.conflicts import deciding_again
from aureum.domain import ids
from aureum.domain.docusign_connection import Details, DocusignConnection, connection_of
from aureum.domain.errors import Invalid, NotFound, WrongState
from aureum.store.event_store import NO_STREAM, EventStore
from aureum.store.metadata import Origin

NOT_CONNECTED = "This brokerage is not connected to DocuSign. The operator connects it with 'aureum esign connect'."
NAME_ALL = "{field} is needed to connect a brokerage for the first time."
NO_RSA_KEY = (
    "private_key must be the RSA private key that DocuSign's page 'Apps and Keys' has generated: its text from "
    "-----BEGIN RSA PRIVATE KEY----- to -----END RSA PRIVATE KEY-----, without a password, of 2,048 bits or more."
)
LEAST_BITS = 2_048

NONE = Details("", "", "", False, "", ())
"""What a brokerage without a connection has."""


class ConnectDocusign(BaseModel):
    """What is None stays as it is; a brokerage that is not connected needs all but the keys of Connect."""

    model_config = ConfigDict(frozen=True)

    tenant_id: UUID
    integration_key: str | None = None
    user_id: str | None = None
    account_id: str | None = None
    production: bool | None = None
    private_key: SecretStr | None = None
    connect_keys: tuple[SecretStr, ...] | None = None


async def connect_docusign(store: EventStore, command: ConnectDocusign, origin: Origin) -> DocusignConnection:
    """The connection as it is afterwards. Raises Invalid, Conflict, and what ``EventStore.append`` raises."""

    async def once() -> DocusignConnection:
        stream = await store.load(command.tenant_id, connection_of(command.tenant_id))
        before = stream.aggregate()
        if isinstance(before, DocusignConnection):
            made = before
            made.reconnect(max(ids.now(), made.modified_on), wanted(command, made.details if made.connected else NONE))
        else:
            made = DocusignConnection.connect(command.tenant_id, ids.now(), wanted(command, NONE))
            stream = NO_STREAM
        await store.append(command.tenant_id, made, stream, command="ConnectDocusign", origin=origin)
        return made

    return await deciding_again(once)


async def disconnect_docusign(store: EventStore, tenant_id: UUID, origin: Origin) -> None:
    """Nothing is sent to DocuSign any more. Raises NotFound if the brokerage was never connected, Conflict."""

    async def once() -> None:
        stream = await store.load(tenant_id, connection_of(tenant_id))
        connection = stream.aggregate()
        if not isinstance(connection, DocusignConnection):
            raise NotFound(NOT_CONNECTED)
        connection.disconnect(max(ids.now(), connection.modified_on))
        await store.append(tenant_id, connection, stream, command="DisconnectDocusign", origin=origin)

    await deciding_again(once)


async def connection(store: EventStore, tenant_id: UUID) -> DocusignConnection | None:
    """The brokerage's connection, if it has one that can be used."""
    found = (await store.load(tenant_id, connection_of(tenant_id))).aggregate()
    return found if isinstance(found, DocusignConnection) and found.connected else None


async def check_connected(store: EventStore, tenant_id: UUID) -> None:
    """Raises WrongState unless envelopes can be sent by the brokerage's account."""
    if await connection(store, tenant_id) is None:
        raise WrongState(NOT_CONNECTED)


def wanted(command: ConnectDocusign, known: Details) -> Details:
    """What the command names, else what is *known*. Raises Invalid."""
    key, keys = command.private_key, command.connect_keys
    details = Details(
        command.integration_key or known.integration_key,
        command.user_id or known.user_id,
        command.account_id or known.account_id,
        known.production if command.production is None else command.production,
        known.private_key if key is None else readable_key(key.get_secret_value()),
        known.connect_keys if keys is None else tuple(one.get_secret_value() for one in keys),
    )
    for field in ("integration_key", "user_id", "account_id", "private_key"):
        if not getattr(details, field):
            raise Invalid(field, NAME_ALL.format(field=field))
    return details


def readable_key(text: str) -> str:
    """*text*, if it is an RSA private key in PEM. Raises Invalid, whose text quotes nothing of it."""
    try:
        key = load_pem_private_key(text.strip().encode("ascii"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid("private_key", NO_RSA_KEY) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise Invalid("private_key", NO_RSA_KEY)
    return text.strip() + "\n"
