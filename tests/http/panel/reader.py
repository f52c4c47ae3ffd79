"""A reader of the panel, with a browser that keeps a cookie and sends forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.http.operator import Staff
from tests.http.panel.reading import Reading
from tests.http.serving import Answer, Server

PLAIN = "aureum"
MEDIA = "application/x-www-form-urlencoded"

Fields = Sequence[tuple[str, str]] | Mapping[str, str] | bytes


@dataclass
class Reader:
    """A browser with its ``cookies`` on a ``host`` of the server."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """A request with the cookies, which an answer may change."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = ({"Cookie": cookie} if cookie else {}) | dict(headers or {})
        answer = self.server.ask(method, path, body, sent, host=self.host)
        for sent_back in answer.cookies:
            for name, morsel in SimpleCookie(sent_back).items():
                self.cookies.pop(name, None)
                if morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
        return answer

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def read(self, path: str) -> Reading:
        """A page that is there."""
        return page(self.get(path), 200)

    def send(self, path: str, fields: Fields = (), headers: Mapping[str, str] | None = None) -> Answer:
        """What a form sends from a page of this host."""
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        own = {"Content-Type": MEDIA, "Origin": f"http://{self.host}:{self.server.port}"}
        return self.ask("POST", path, body, own | dict(headers or {}))

    def follow(self, answer: Answer) -> Reading:
        """The page that a form leads to."""
        assert answer.status == 303, (answer.status, answer.body)
        return self.read(answer.headers["location"])


def as_staff(server: Server, who: Staff, host: str = "127.0.0.1") -> Reader:
    """A user who has logged in already."""
    return Reader(server, {PLAIN: who.token}, host)


def page(answer: Answer, status: int) -> Reading:
    """The page that was answered."""
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.body
    return Reading(answer.body.decode())


def refused(answer: Answer, status: int) -> str:
    """What a page says that does nothing but refuse."""
    reading = page(answer, status)
    assert reading.said("h1") == ["We couldn't complete your request"], answer.body
    (card,) = reading.said("div", class_="card")
    text = card.removeprefix("We couldn't complete your request ").removesuffix(" Go to Today")
    assert text.endswith(".") or text.startswith("Invalid "), text
    return text


def led_to(answer: Answer) -> str:
    """Where the browser goes next."""
    assert answer.status == 303, (answer.status, answer.body)
    return answer.headers["location"]
