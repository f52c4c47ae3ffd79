"""Where the bytes of documents are, besides the database: the bucket of AUREUM_DOCUMENTS_URL."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import parse_qsl, urlsplit

from aureum.settings.values import Unusable

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"[A-Za-z0-9._/-]*")
PARAMETERS = ("endpoint", "region")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of S3, or of another server that understands the same requests, which is at *endpoint*."""

    name: str
    prefix: str
    endpoint: str | None
    region: str | None

    @property
    def allows_http(self) -> bool:
        """Whether requests go unencrypted. What they carry is encrypted itself."""
        return self.endpoint is not None and self.endpoint.startswith("http://")


def bucket(url: str) -> Bucket:
    """The bucket that *url* names. Raises Unusable, whose text quotes no part of it that may be secret."""
    try:
        parts = urlsplit(url.strip())
        chosen = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise Unusable("it cannot be read") from None
    if parts.scheme != "s3":
        raise Unusable("it does not begin with s3://")
    if "@" in parts.netloc:
        raise Unusable("it has a user or a password in it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead")
    if not NAME.fullmatch(parts.netloc):
        raise Unusable("what follows s3:// is not the name of a bucket")
    prefix = parts.path.strip("/")
    if not PREFIX.fullmatch(prefix) or "//" in prefix or ".." in prefix or parts.fragment:
        raise Unusable("the path in the bucket has characters other than A-Z, a-z, 0-9, ., _, - and /")
    if set(chosen) - set(PARAMETERS):
        raise Unusable("it has a parameter other than endpoint and region")
    endpoint = chosen.get("endpoint") or None
    if endpoint is not None and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", endpoint):
        raise Unusable("its endpoint is not an http URL")
    return Bucket(parts.netloc, prefix, endpoint, chosen.get("region") or None)


def documents_url(url: str) -> str:
    """*url*, if it can be used here. Raises Unusable."""
    bucket(url)
    if find_spec("obstore") is None:
        raise Unusable(
            "the package that reads and writes buckets is not installed. Install Aureum with its extra s3: "
            "pip install 'aureum-crm[s3]'"
        )
    return url
