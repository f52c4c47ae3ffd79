"""What a person sees who follows a link to unsubscribe: one small page that loads nothing from anywhere.

The link's token is in the address of the page: no other site may learn it from a Referer, no cache may keep it, and
the form posts to the page's own address, so that the token need not stand in the page.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment
from starlette.responses import HTMLResponse

from aureum.http.contract.visitor_page import STYLE, Brand, headers_of, style_of

TEMPLATE = Environment(autoescape=True, auto_reload=False).from_string(
    (files("aureum.http.api.newsletter") / "unsubscribe.html").read_text(encoding="utf-8")
)


class Words(NamedTuple):
    """What a page says; *asks* if it has the button."""

    title: str
    text: str
    asks: bool = False


ASKS = Words("Unsubscribe from our newsletter?", "Press the button to stop receiving our newsletter.", True)
DONE = Words(
    "You are unsubscribed", "You will no longer receive our newsletter. You can subscribe again on our website."
)
UNKNOWN = Words("This link does not work", "It may be incomplete. Open the complete link from the newsletter.")


def page(brand: Brand, words: Words, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """The page in the look of the brokerage."""
    style = style_of(STYLE, brand.color)
    content = TEMPLATE.render(brokerage=brand.name, logo=brand.logo_path, style=style, **words._asdict())
    code = {"X-Error-Code": "link_not_found"} if words is UNKNOWN else {}
    return HTMLResponse(content, status, {**headers_of(style, brand.logo is not None), **code, **(headers or {})})
