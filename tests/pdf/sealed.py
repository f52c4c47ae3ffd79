"""Sealed documents for the tests, and the outside judges: pdfsig and qpdf."""

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from aureum.pdf.certificate_page import Act, CertificatePage, Document, Person
from aureum.pdf.certificates import KeyAndCertificate, make
from aureum.pdf.sealing import Signer
from aureum.pdf.verifying import Trusted

AT = datetime(2026, 11, 30, 15, 4, 5, tzinfo=UTC)

PDFSIG, QPDF = shutil.which("pdfsig"), shutil.which("qpdf")

judges = pytest.mark.skipif(
    PDFSIG is None or QPDF is None,
    reason="pdfsig and qpdf are not installed (Debian's packages poppler-utils and qpdf)",
)
"""Tests that ask programs of others. Without these they are left out, but not in .ci/run, which installs them."""


HARBOR = "Harbor Realty"


@cache
def key_of(name: str) -> KeyAndCertificate:
    """A brokerage's key and certificate: the same in all tests, since making one takes a second."""
    return make(name, AT)


def signer(name: str = HARBOR) -> Signer:
    made = key_of(name)
    return Signer(name, made.certificate, made.key, made.chain)


def trusted(*names: str) -> list[Trusted]:
    return [Trusted(key_of(name).certificate, key_of(name).chain) for name in names or (HARBOR,)]


def page(*originals: bytes, name: str = "Łukasz Müller", acts: int = 3) -> CertificatePage:
    """A certificate page about *originals*."""
    return CertificatePage(
        "Harbor Realty",
        "Offer for Elm Street 12",
        "clx1234567890abcdefghijkl",
        [Document(f"Offer {n}.pdf", hashlib.sha256(one).hexdigest(), 1) for n, one in enumerate(originals, 1)],
        [Person(name, "lukasz@example.com", "signer", ["Signature typed. Signed in by a code sent by mail."])],
        [Act(AT, name, "signed", "From 192.0.2.1 with Mozilla/5.0")] * acts,
        [("2026-1", "I agree to use electronic records and signatures.\nI may ask for paper.")],
    )


def pdfsig(data: bytes, folder: Path) -> str:
    """What pdfsig says."""
    return asked([str(PDFSIG), "-nocert"], data, folder)


def qpdf(data: bytes, folder: Path) -> str:
    """What qpdf says; it fails for a file with errors."""
    return asked([str(QPDF), "--check"], data, folder)


def asked(command: list[str], data: bytes, folder: Path) -> str:
    path = folder / "asked.pdf"
    path.write_bytes(data)
    return subprocess.run([*command, str(path)], check=True, capture_output=True, text=True, timeout=60).stdout
