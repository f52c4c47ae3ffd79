"""The texts of the portal in every language: English stands in the code and the templates, the others in ``locale``.

A text is marked where it stands: ``visit.gettext("…")`` or, where there is no visit yet, ``later("…")``; in templates
``_("…")``, ``ngettext`` and ``{% trans %}``. ``tests/http/portal/test_catalogue.py`` finds all of them, and says which
a language lacks.
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from starlette.types import Scope

from aureum.http.access.portal_cookie import chosen_language
from aureum.http.wire.accept import weight
from aureum.http.wire.headers import header

LANGUAGES = {"en": "English", "es": "Español"}
"""Each by its own name. The first is for people who speak none of them."""

FIRST = next(iter(LANGUAGES))


def later(text: str) -> str:
    """Mark a *text* that is translated where it is shown."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """The texts of one of ``LANGUAGES``, read when a page first needs them."""
    if language == FIRST:
        return NullTranslations()
    # Only pages in another language pay for it.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = (files("aureum.http.portal") / "locale" / f"{language}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def language_of(scope: Scope) -> str:
    """The language that the client chose in the footer, else the one that the browser prefers."""
    chosen = chosen_language(scope)
    if chosen in LANGUAGES:
        return chosen
    best, found = 0.0, FIRST
    for wish in (header(scope, b"accept-language") or "").split(","):
        tag, *parameters = wish.split(";")
        primary = tag.strip().partition("-")[0].lower()
        if primary in LANGUAGES and weight(parameters) > best:
            best, found = weight(parameters), primary
    return found
