"""A request, and the paths and passwords that several tests know."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.http.serving import Answer, Server

NUMBERS = count(1)
PASSWORD = "correct horse battery staple"

LOGOUT = "/api/v1/auth/logout"
"""What ends the token that asks it."""

OF_THE_PLATFORM = ("/api/v1/admin/brokerages", "/api/v1/admin/platform")
"""What begins like this is a platform admin's alone."""

OWN_PASSWORD = "/api/me/password"
OWN_TOTP = "/api/me/totp"


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def but(self, **other: Any) -> "Call":
        """The same with something else; headers and query are added."""
        if "headers" in other:
            other["headers"] = {**self.headers, **other["headers"]}
        if "query" in other:
            other["query"] = {**self.query, **other["query"]}
        return replace(self, **other)

    def send(self, server: Server) -> Answer:
        path = f"{self.path}?{urlencode(self.query)}" if self.query else self.path
        return server.ask(self.method, path, self.body, self.headers, host=self.host)
