"""How pages for visitors look, and the headers that keep them private: nothing is loaded from anywhere else."""

import base64
import hashlib

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
button:hover { background: #173d80; }
button:focus-visible { outline: 3px solid #e0a100; outline-offset: 2px; }
@media (max-width: 36rem) { main { margin: 0; min-height: 100vh; border-radius: 0; } button { width: 100%; } }
@media (prefers-color-scheme: dark) {
  body { color: #e6eaf0; background: #12161d; } main { background: #1b212b; } .brokerage { color: #a3aec2; }
}
"""

NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Of every answer to a link, page or not."""


def headers_of(style: str) -> dict[str, str]:
    """Of a page with this *style* and a form that posts to the page's own host, and nothing else."""
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return NOT_KEPT | {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{style_hash}'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
    }
