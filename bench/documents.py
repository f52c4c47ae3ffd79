"""A document of 25 MB is uploaded to an envelope and downloaded again: how long it takes over HTTP, with hash,
encryption and the gate in its process, and how much memory the process takes for it."""

import asyncio
import http.client
import json
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from bench.databases import database, server
from bench.processes import Server, aureum, resident_megabytes
from bench.rows import Row
from bench.tenants import Tenant, open_tenants

SIZE = 25_000_000
TIMES, FEW = 8, 3
UPLOAD_AT_MOST, MEMORY_AT_MOST = 1.0, 20.0
JSON, PDF = "application/json", "application/pdf"


def ask(served: Server, tenant: Tenant, method: str, path: str, body: bytes | None, media: str) -> bytes:
    """One request. Raises RuntimeError if it is refused."""
    headers = {"Host": tenant.host, "Authorization": f"Bearer {tenant.key}", "Content-Type": media}
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {said[:200]!r}")
    return said


def scan(size: int) -> bytes:
    """A PDF of that size with one page, whose picture is noise: what a scanner makes."""
    side = 2_000
    picture = bytes(range(251)) * (size // 251)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</XObject<</S 5 0 R>>>>>>",
        b"<</Length 24>>stream\n612 0 0 792 0 0 cm /S Do\nendstream",
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8/Length %d>>stream\n"
        % (side, len(picture) // (3 * side), len(picture))
        + picture
        + b"\nendstream",
    )
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def run(*, quick: bool = False) -> list[Row]:
    """About half a minute."""
    times = FEW if quick else TIMES
    content = scan(SIZE - 2_000)
    with (
        tempfile.TemporaryDirectory(prefix="aureum-bench-") as directory,
        server() as server_url,
        database(server_url, "documents") as url,
    ):
        (tenant,) = asyncio.run(open_tenants(url, 1))
        with aureum(url, Path(directory)) as served:
            envelope = json.loads(ask(served, tenant, "POST", "/api/envelopes", b'{"subject": "Bench"}', JSON))["id"]
            path = f"/api/envelopes/{envelope}/documents"
            pid = served.processes[0].pid
            # The first one imports what is needed, and makes its process.
            one = uploaded(served, tenant, path, content)
            before, most = resident_megabytes(pid), 0.0
            up, down = [], []
            for _ in range(times):
                started = time.perf_counter()
                one = uploaded(served, tenant, path, content)
                up.append(time.perf_counter() - started)
                most = max(most, resident_megabytes(pid))
                started = time.perf_counter()
                if ask(served, tenant, "GET", f"{path}/{one}", None, JSON) != content:
                    raise RuntimeError("What came back is not what was uploaded.")
                down.append(time.perf_counter() - started)
                most = max(most, resident_megabytes(pid))
    grown = max(0.0, most - before)
    megabytes = f"{len(content) / 1e6:.0f} MB"
    return [
        Row(
            f"a PDF of {megabytes} is uploaded",
            f"{median(up):.2f} s ({min(up):.2f}–{max(up):.2f})",
            budget=f"≤ {UPLOAD_AT_MOST:g} s",
            met=median(up) <= UPLOAD_AT_MOST,
        ),
        Row(f"a PDF of {megabytes} is downloaded", f"{median(down):.2f} s ({min(down):.2f}–{max(down):.2f})"),
        Row(
            "memory that the process takes for these",
            f"{grown:.0f} MB",
            budget=f"≤ {MEMORY_AT_MOST:g} MB",
            met=grown <= MEMORY_AT_MOST,
        ),
    ]


def uploaded(served: Server, tenant: Tenant, path: str, content: bytes) -> str:
    """The id of a document."""
    one: str = json.loads(ask(served, tenant, "POST", path + "?name=Scan.pdf", content, PDF))["id"]
    return one
