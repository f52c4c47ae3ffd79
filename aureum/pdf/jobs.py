"""What is done with files of others, each in a process with limits, and the limits.

A file that takes more than the limits ends its process, and only this one. ``forker`` makes the process, and our own
code asks for a job by ``process``.
"""

import os
import resource
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from aureum.pdf.refusing import MOST_SEALED, Refused

CPU_SECONDS = 15
MEMORY_BYTES = 1024 * 2**20
OPEN_FILES = 32
NICER = 5
"""Requests of others come first."""


def inspected(data: bytes, _: Any) -> Any:
    """See ``inspecting.inspect``."""
    from aureum.pdf.inspecting import inspect

    found = inspect(data)
    return {"pages": found.pages, "sizes": found.sizes, "anchors": [tuple(anchor) for anchor in found.anchors]}


def pages(data: bytes, numbers: Any) -> Any:
    """See ``rendering.shown_pages``."""
    from aureum.pdf.rendering import shown_pages

    found = shown_pages(data, numbers)
    return [one._asdict() | {"picture": b64encode(one.picture).decode()} for one in found]


def verified(data: bytes, certificates: Any) -> Any:
    """See ``verifying.verify``. Certificates come in base64, each with those above it."""
    from aureum.pdf.verifying import Trusted, verify

    trusted = [Trusted(b64decode(own), tuple(b64decode(one) for one in chain)) for own, chain in certificates]
    found = verify(data, trusted)
    return found._asdict() | {"changes": [(one.code, one.values) for one in found.changes]}


def certificate(data: bytes, _: Any) -> Any:
    """See ``certificates.from_pkcs12``: key, certificate and those above it in base64, or why it cannot be used."""
    from aureum.pdf.certificates import NotUsable, from_pkcs12

    sent = orjson.loads(data)
    try:
        found = from_pkcs12(b64decode(sent["file"]), sent["password"], datetime.fromisoformat(sent["now"]))
    except NotUsable as error:
        return str(error)
    return [b64encode(one).decode() for one in (found.key, found.certificate, *found.chain)]


JOBS: Mapping[str, Callable[[bytes, Any], Any]] = {
    "inspect": inspected,
    "pages": pages,
    "verify": verified,
    "certificate": certificate,
}
"""By name: from the file and the arguments to what is answered, both as JSON has them."""

LIBRARIES: Mapping[str, Sequence[str]] = {
    "inspect": ("aureum.pdf.inspecting", "pyhanko.pdf_utils.reader", "pypdfium2"),
    "pages": ("aureum.pdf.rendering", "pypdfium2", "PIL.PngImagePlugin", "PIL.ImageChops"),
    "verify": ("aureum.pdf.verifying", "aureum.pdf.certificates", "pyhanko.sign.validation", "pyhanko.sign.fields"),
    "certificate": ("aureum.pdf.certificates",),
}
"""What each of them imports, so that it is there when the job begins."""


def limit() -> None:
    """Give up what the job may not use. A limit that stands lower already stays."""
    for what, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    os.nice(NICER)


def answer(name: str, arguments: object, data: bytes) -> bytes:
    """The answer of the job *name*, or why there is none."""
    try:
        if len(data) > MOST_SEALED:
            raise Refused("pdf_too_large")
        said: dict[str, Any] = {"answer": JOBS[name](data, arguments)}
    except Refused as error:
        said = {"refused": error.code}
    except (MemoryError, RecursionError):
        said = {"refused": "pdf_too_complex"}
    except Exception as error:
        # The text of the error may quote the file.
        said = {"failed": type(error).__name__}
    return orjson.dumps(said)
