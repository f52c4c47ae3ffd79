"""Whether a browser asks, for a page, or a program, for JSON."""

from starlette.types import Scope

from aureum.http.wire.headers import header

HTML = ("text/html", "application/xhtml+xml")
JSON = ("application/json",)


def prefers_page(scope: Scope) -> bool:
    """Whether ``Accept`` names HTML, and nothing that is JSON as much: programs that take anything get JSON."""
    accepted = header(scope, b"accept")
    if accepted is None or accepted == "*/*" or "html" not in accepted.lower():
        return False
    page, data = 0.0, 0.0
    for kind in accepted.split(","):
        media, *parameters = kind.lower().split(";")
        if media.strip() in HTML:
            page = max(page, weight(parameters))
        elif media.strip() in JSON:
            data = max(data, weight(parameters))
    return page > data


def weight(parameters: list[str]) -> float:
    """The ``q`` among them, from 0 to 1; one that is none counts as 1."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 1.0
    return 1.0
