"""The interactive page: all of it comes from us."""

import gzip
import hashlib
import re
from importlib.resources import files

import pytest

from tests.http.serving import Server


def test_the_page_loads_only_files_of_ours(server: Server) -> None:
    page = server.ask("GET", "/docs", host=None)

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    addresses = re.findall(r'(?:href|src)="([^"]*)"', page.body.decode())
    assert len(addresses) == 6
    assert all(address.startswith(("/docs/assets/", "/openapi.json", "data:,")) for address in addresses)
    assert b"://" not in page.body
    assert re.findall(rb"<script(?! src=)", page.body) == [], "no script in the page itself"
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:", "connect-src": "'self'", "base-uri": "'none'", "form-action": "'none'",
        "frame-ancestors": "'none'",
    }  # fmt: skip
    for address in addresses:
        if address.startswith("/docs/"):
            assert server.ask("GET", address).status == 200


@pytest.mark.parametrize(
    ("name", "media", "holds"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", b"SwaggerUIBundle"),
        ("documentation.js", "text/javascript; charset=utf-8", b'fetch("/openapi.json")'),
    ],
)
def test_its_files(server: Server, name: str, media: str, holds: bytes) -> None:
    path = f"/docs/assets/{name}"
    plain = server.ask("GET", path)
    zipped = server.ask("GET", path, headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    known = server.ask("GET", path, headers={"If-None-Match": plain.etag})
    other = server.ask("GET", path, headers={"Accept-Encoding": "br"})

    assert (plain.status, plain.headers["content-type"]) == (200, media)
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert holds in plain.body
    assert zipped.headers["content-encoding"] == "gzip"
    assert (gzip.decompress(zipped.body), zipped.etag) == (plain.body, plain.etag)
    assert (known.status, known.body) == (304, b"")
    assert (other.body, "content-encoding" in other.headers) == (plain.body, False), "large, and compressed only once"


def test_there_are_no_other_files(server: Server) -> None:
    for name in ("", "swagger-editor.js", "../documentation.py", "..%2Fdocumentation.py", "documentation.py"):
        assert server.ask("GET", f"/docs/assets/{name}").status == 404


def test_swagger_ui_is_as_its_makers_publish_it() -> None:
    folder = files("aureum.http.openapi") / "swagger_ui"
    sums = dict(re.findall(r"^\| `(\S+)` \| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.MULTILINE))
    assert sums.keys() == {"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"}
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    assert "Apache License" in (folder / "LICENSE").read_text() and "swagger-ui" in (folder / "NOTICE").read_text()
