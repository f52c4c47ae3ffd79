"""Templates into answers. Everything that a page shows is escaped, and a name that a template misses is an error."""

import re
from collections.abc import Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from aureum.domain.prices import price_shown
from aureum.http.panel import activity_words
from aureum.http.panel.assets import module, style
from aureum.http.panel.icons import icon, small_icon
from aureum.http.panel.navigation import Place, menu
from aureum.http.panel.picks import Pick
from aureum.http.panel.setting_tabs import ACCOUNT, SETTINGS
from aureum.http.panel.statuses import initials, status_of, tone
from aureum.http.panel.times import is_past, shown_time, typed_on_clock
from aureum.http.panel.visit import Visit, new_once
from aureum.http.panel.webhook_words import error_words, event_words

PAUSES = re.compile(r"[^0-9+*#]+", re.ASCII)


def dialled(phone: str) -> str:
    """What a telephone dials of a number as it was given: nothing of an extension, which begins with a letter."""
    return PAUSES.sub("", re.split(r"[^\W\d_]", phone, maxsplit=1)[0])


HEADERS = {
    "Cache-Control": "no-store",
    # Not "no-referrer": with that, browsers keep from us in Origin where a form was sent from.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""Of every page: nothing of it is kept, no script runs but our own modules, nothing frames it."""


TEMPLATES = Environment(
    loader=PackageLoader("aureum.http.panel"),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals |= {
    "ZoneInfo": ZoneInfo,
    "module": module,
    "icon": icon,
    "small_icon": small_icon,
    "status_of": status_of,
}
TEMPLATES.tests["pick"] = lambda value: isinstance(value, Pick)
TEMPLATES.globals["account_tabs"] = ACCOUNT
TEMPLATES.globals["setting_tabs"] = SETTINGS
TEMPLATES.filters["moment"] = shown_time
TEMPLATES.filters["price"] = price_shown
TEMPLATES.filters["on_clock"] = typed_on_clock
TEMPLATES.filters["dialled"] = dialled
TEMPLATES.filters["initials"] = initials
TEMPLATES.filters["tone"] = tone
TEMPLATES.filters["is_past"] = is_past
TEMPLATES.filters["event_words"] = event_words
TEMPLATES.filters["error_words"] = error_words
TEMPLATES.filters["activity"] = activity_words.words


def rendered(
    visit: Visit, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **shown: object
) -> Response:
    """A page from its *template*."""
    about = {
        "me": visit.me,
        "acting": visit.acting,
        "brokerages": visit.brokerages,
        "zone": visit.zone,
        "path": visit.request.url.path,
        "menu": menu(visit.role, visit.request.url.path, cast("Sequence[Place]", TEMPLATES.globals["declared"])),
        "once": new_once(),
        "style": style().digest,
        "position": visit.position,
    }
    return HTMLResponse(TEMPLATES.get_template(template).render(about | {"notices": ()} | shown), status, headers)
