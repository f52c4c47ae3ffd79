"""How pages for visitors look, and the headers that keep them private: nothing is loaded from anywhere else. A
brokerage has a colour and a logo of its own there, if it wants to.
"""

import base64
import hashlib
from functools import lru_cache
from typing import NamedTuple

COLOR = "#1f4fa3"
"""Of buttons, unless the brokerage has one."""

LOGO = "/api/logo"
"""Where the picture is, on the brokerage's own hosts."""


class Brand(NamedTuple):
    """What a page shows of its brokerage: the name, the colour of buttons, and the digest of the logo."""

    name: str
    color: str | None = None
    logo: str | None = None

    @property
    def logo_path(self) -> str | None:
        """Another picture has another address, so that browsers may keep it."""
        return None if self.logo is None else f"{LOGO}?v={self.logo[:16]}"


STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1.0625rem/1.5 system-ui, sans-serif; color: #1c2430; background: #f3f5f8; }
main { box-sizing: border-box; max-width: 34rem; margin: 12vh auto 0; padding: 2rem 1.5rem; background: #fff;
  border-radius: .75rem; overflow-wrap: anywhere; }
.brokerage { margin: 0; color: #56627a; }
h1 { margin: .25rem 0 1rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1.5rem; }
p:last-child { margin: 0; }
button { min-height: 3rem; padding: 0 1.5rem; font: inherit; font-weight: 600; color: #fff; background: #1f4fa3;
  border: 0; border-radius: .5rem; cursor: pointer; }
button:hover { filter: brightness(.85); }
.logo { display: block; max-width: 14rem; max-height: 5rem; margin: 0 0 .75rem; }
button:focus-visible { outline: 3px solid #e0a100; outline-offset: 2px; }
@media (max-width: 36rem) { main { margin: 0; min-height: 100vh; border-radius: 0; } button { width: 100%; } }
@media (prefers-color-scheme: dark) {
  body { color: #e6eaf0; background: #12161d; } main { background: #1b212b; } .brokerage { color: #a3aec2; }
}
"""

NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Of every answer to a link, page or not."""


@lru_cache(512)
def style_of(style: str, color: str | None) -> str:
    """*style* with the brokerage's *color*."""
    return style if color is None else style.replace(COLOR, color)


@lru_cache(512)
def headers_of(style: str, images: bool = False) -> dict[str, str]:
    """Of a page with this *style*, a form that posts to the page's own host, perhaps *images* of it, and nothing
    else."""
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pictures = "img-src 'self'; " if images else ""
    return NOT_KEPT | {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{style_hash}'; {pictures}"
            "form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
    }
