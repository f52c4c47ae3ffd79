"""The tools, and a running server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.tools import Tools, installed
from tests.http.conftest import operator, served_url, tenant
from tests.http.serving import Server, served

__all__ = ["operator", "served_url", "tenant"]


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Installed by now."""
    return installed()


@pytest.fixture(scope="session")
def server(served_url: str) -> Iterator[Server]:
    """A process behind a proxy on this machine: programs in JavaScript cannot name a Host."""
    with served(served_url, trusted_proxies="127.0.0.0/8", form_rate_limit="0") as running:
        yield running


@pytest.fixture
def document(server: Server, tmp_path: Path) -> Path:
    """The document as it is served."""
    path = tmp_path / "openapi.json"
    path.write_bytes(server.ask("GET", "/openapi.json").body)
    return path
