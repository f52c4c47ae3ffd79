"""The claim that DocuSign gives a token for: a JWT, signed with the brokerage's RSA key (RS256)."""

import base64
from typing import cast

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from yarl import URL

from aureum.signing.docusign.account import Account

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "signature impersonation"
SECONDS = 3_600


def assertion(account: Account, server: URL, now: int) -> str:
    """The claim that this *account*'s user asks the token *server*, at *now* in Unix seconds. Raises ValueError if the
    account's key is none."""
    claims = {
        "iss": account.integration_key,
        "sub": account.user_id,
        "aud": server.host if server.is_default_port() else f"{server.host}:{server.port}",
        "iat": now,
        "exp": now + SECONDS,
        "scope": SCOPE,
    }
    signed = base64url(orjson.dumps({"alg": "RS256", "typ": "JWT"})) + "." + base64url(orjson.dumps(claims))
    key = cast(RSAPrivateKey, load_pem_private_key(account.private_key.encode(), password=None))
    return signed + "." + base64url(key.sign(signed.encode(), PKCS1v15(), SHA256()))


def base64url(data: bytes) -> str:
    """As RFC 7515 writes bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
