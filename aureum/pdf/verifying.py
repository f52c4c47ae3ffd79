"""What a seal proves: who sealed a file and when, whether it is as it was sealed, and what was changed since.

Other programs call a file valid whose seal is right for the bytes that it covers, though text or notes were added after
them. Here a file is unchanged only if one of the brokerage's own certificates has sealed all of it, to the last byte,
in the one spelling that our seals have. ``verify`` may be given anything, so it runs in a process with limits.
"""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Literal, NamedTuple

from aureum.pdf.changes import Change, changes_since
from aureum.pdf.inspecting import HEADER, UNEXPECTED

ProblemCode = Literal["not_a_pdf", "unreadable", "not_sealed", "other_seal", "broken", "changed", "not_whole"]

PROBLEMS: dict[ProblemCode, str] = {
    "not_a_pdf": "This file is not a PDF.",
    "unreadable": "This PDF is damaged and cannot be read.",
    "not_sealed": "This PDF has no seal. It was never sealed, or another program has written it anew.",
    "other_seal": "This PDF has a signature, but not the seal of this brokerage.",
    "broken": "The seal does not match this file: what was sealed has been changed.",
    "changed": "The file was changed after it was sealed.",
    "not_whole": "The seal is not spelt as this brokerage's seals are: bytes of it were changed.",
}


class Trusted(NamedTuple):
    """A certificate of the brokerage, with those above it, as DER."""

    certificate: bytes
    chain: tuple[bytes, ...] = ()


class Verdict(NamedTuple):
    """What was found.

    ``intact``: what was sealed is as it was sealed. ``unchanged``: it is also all that the file has. ``at`` is the
    time of the seal, by our clock or, if ``time_stamped``, by the authority's. ``sealed_sha256`` is the hash of the
    file as it ended with the seal. ``changes`` are what came after it.
    """

    sealed: bool = False
    intact: bool = False
    unchanged: bool = False
    by: str | None = None
    at: datetime | None = None
    time_stamped: bool = False
    certificate_sha256: str | None = None
    sha256: str = ""
    sealed_sha256: str | None = None
    problems: tuple[ProblemCode, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The problems as sentences, then what was changed."""
        return (*(PROBLEMS[code] for code in self.problems), *(one.text for one in self.changes))


def verify(data: bytes, trusted: Sequence[Trusted]) -> Verdict:
    """What *data* is, by the certificates of one brokerage. To be called without an event loop."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import UnacceptableSignerError
    from pyhanko.sign.validation.errors import SignatureValidationError

    found = Verdict(sha256=hashlib.sha256(data).hexdigest())
    if not data.startswith(HEADER):
        return found._replace(problems=("not_a_pdf",))
    try:
        reader = PdfFileReader(BytesIO(data), strict=False)
        signatures = list(reader.embedded_signatures)
        if not signatures:
            return found._replace(problems=("not_sealed",))
        verdicts = [verdict_of(found, data, one, trusted) for one in signatures]
        # The seal that says most for the file; a stranger's signature beside it does not count.
        return max(verdicts, key=lambda one: (one.unchanged, one.intact, one.sealed))
    except (*UNEXPECTED, PdfError, SignatureValidationError, UnacceptableSignerError, zlib.error):
        return found._replace(problems=("unreadable",))


def verdict_of(found: Verdict, data: bytes, signature: Any, trusted: Sequence[Trusted]) -> Verdict:
    """The verdict by one signature."""
    from aureum.pdf.certificates import sha256_of, subject_of

    der = signature.signer_cert.dump()
    known = next((one for one in trusted if one.certificate == der), None)
    if known is None:
        return found._replace(problems=("other_seal",))
    at = signature.self_reported_timestamp
    found = found._replace(
        sealed=True, by=subject_of(der), at=at and at.astimezone(UTC), certificate_sha256=sha256_of(der)
    )
    status = judged(signature, known, at)
    if not (status.intact and status.valid and status.trusted) or not certifies(signature):
        return found._replace(problems=("broken",))
    end = covered(data, signature)
    if end is None:
        return found._replace(problems=("broken",))
    found = found._replace(intact=True, sealed_sha256=hashlib.sha256(data[:end]).hexdigest())
    stamp = status.timestamp_validity
    if stamp is not None and stamp.intact and stamp.valid:
        found = found._replace(time_stamped=True, at=stamp.timestamp.astimezone(UTC))
    if end < len(data):
        return found._replace(problems=("changed",), changes=changes_since(data, end))
    if not spelt_as_ours(data, signature, known):
        return found._replace(problems=("not_whole",))
    return found._replace(unchanged=True)


def judged(signature: Any, known: Trusted, at: datetime | None) -> Any:
    """What the library says of the bytes that the signature covers."""
    from asn1crypto import x509  # type: ignore[import-untyped]  # it has no types
    from pyhanko.sign.validation import async_validate_pdf_signature
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko_certvalidator import ValidationContext

    # The certificate itself is what is trusted, at the time when it was used: it is known, and may have expired since.
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(known.certificate)], moment=at, best_signature_time=at, allow_fetching=False
    )
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    return asyncio.run(async_validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True))


def certifies(signature: Any) -> bool:
    """Whether the signature is a seal that permits no change."""
    from pyhanko.sign.fields import MDPPerm

    return bool(signature.docmdp_level == MDPPerm.NO_CHANGES)


def covered(data: bytes, signature: Any) -> int | None:
    """Where the covered bytes end, if they begin with the file and leave out only the signature itself."""
    numbers = [int(number) for number in signature.byte_range]
    if len(numbers) != 4:
        return None
    first, before, after, rest = numbers
    end = after + rest
    if first != 0 or not 0 < before < after < end <= len(data):
        return None
    if data[before : before + 1] != b"<" or data[after - 1 : after] != b">":
        return None
    return end


def spelt_as_ours(data: bytes, signature: Any, known: Trusted) -> bool:
    """Whether the signature itself is, byte by byte, as we write them: it does not cover itself."""
    from asn1crypto import cms

    before, after = int(signature.byte_range[1]), int(signature.byte_range[2])
    written = data[before + 1 : after - 1]
    content = bytes.fromhex(written.decode("ascii"))
    parsed = cms.ContentInfo.load(content, strict=False)
    own = parsed.dump(force=True)
    inner = parsed["content"]
    certificates = {one.chosen.dump() for one in inner["certificates"]}
    signers = inner["signer_infos"]
    return (
        written == own.hex().upper().encode().ljust(len(written), b"0")
        and certificates <= {known.certificate, *known.chain}
        and len(signers) == 1
        and inner["version"].native == "v1"
        and signers[0]["version"].native == "v1"
        and [one["algorithm"].native for one in inner["digest_algorithms"]] == ["sha256"]
    )
