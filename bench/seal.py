"""How long sealing takes: ten pages with stamps on each, a certificate page with thirty acts, and one signature.

In the worker it runs in a thread. The file is read by a process with limits, which is forked for it (the gate of an
upload, which also finds anchors, and a verdict).
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from statistics import quantiles

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # it has no types

from aureum.pdf import process
from aureum.pdf.certificate_page import Act, CertificatePage, Document, Person
from aureum.pdf.certificates import make
from aureum.pdf.sealing import Signer, seal
from aureum.pdf.stamping import Stamp
from aureum.pdf.verifying import Trusted
from bench.rows import Row

BUDGET = 300.0
PAGES = 10


def contract(pages: int) -> bytes:
    """A contract of that many full pages."""
    file = BytesIO()
    canvas = Canvas(file)
    for number in range(1, pages + 1):
        for line in range(48):
            canvas.drawString(
                72, 780 - 14 * line, f"{number}.{line} The buyer pays the price at the closing of the sale."
            )
        canvas.drawString(72, 60, "/sig:buyer/")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def timed(what: Callable[[], object], times: int) -> tuple[float, float]:
    """The median and the 95th percentile of so many runs, in milliseconds."""
    what()
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        what()
        took.append(1000 * (time.perf_counter() - begun))
    cut = quantiles(took, n=20)
    return cut[9], cut[18]


def run(*, quick: bool) -> list[Row]:
    """The rows of the page."""
    now = datetime.now(UTC)
    made = make("Harbor Realty", now)
    original = contract(PAGES)
    stamps = [
        Stamp("signature", number, 100, 700, 180, 40, "Łukasz Müller", caption="Łukasz Müller · 2026-11-30 15:04 UTC")
        for number in range(1, PAGES + 1)
    ]
    page = CertificatePage(
        "Harbor Realty",
        "Offer for Elm Street 12",
        "clx1234567890abcdefghijkl",
        [Document("Offer.pdf", "ab" * 32, PAGES)],
        [Person("Łukasz Müller", "lukasz@example.com", "signer", ["Signed with a typed signature"])],
        [Act(now, "Łukasz Müller", "signed all documents", "From 192.0.2.1 with Mozilla/5.0")] * 30,
    )
    signer = Signer("Harbor Realty", made.certificate, made.key, made.chain)
    sealed = seal(original, stamps, page, signer)
    trusted = [Trusted(made.certificate, made.chain)]
    times = 20 if quick else 100
    parts: list[tuple[str, Callable[[], object], float | None]] = [
        (f"seal {PAGES} pages", lambda: seal(original, stamps, page, signer), BUDGET),
        ("look at an upload, in its process", lambda: asyncio.run(process.inspected(original)), None),
        ("verify a sealed file, in its process", lambda: asyncio.run(process.verified(sealed, trusted)), None),
    ]
    rows = []
    for what, work, budget in parts:
        median, late = timed(work, times if budget else max(times // 5, 4))
        found = f"{median:.0f} ms, p95 {late:.0f} ms"
        limit = "" if budget is None else f"p95 < {budget:g} ms"
        rows.append(Row(what, found, budget=limit, met=None if budget is None else late < budget))
    return rows
