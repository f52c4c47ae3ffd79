"""Every text of the portal that is marked for translation. ``python -m tests.http.portal.texts`` adds those that the
catalogues lack, untranslated, and takes away those that are in no page any more."""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import aureum.http.portal
from aureum.http.portal.catalogue import FIRST, LANGUAGES

ROOM = Path(aureum.http.portal.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "silent": "false", "trimmed": "true"}}
PLURALS = "nplurals=2; plural=(n != 1);"
"""Of Spanish, with the numbers that pages show. CLDR has a third form for millions."""

KEYWORDS = {"_": None, "gettext": None, "later": None, "ngettext": (1, 2)}


def marked() -> Catalog:
    """All of them, in the order of the files."""
    found = Catalog()
    for file, line, message, _, _ in extract_from_dir(
        ROOM, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=()
    ):
        found.add(message, locations=[(file, line)])
    return found


def stored(language: str) -> Catalog:
    """The catalogue of a language."""
    return read_po(BytesIO((ROOM / "locale" / f"{language}.po").read_bytes()), locale=language)


def main() -> None:
    for language in list(LANGUAGES)[1:]:
        before, after = stored(language), Catalog(locale=language, fuzzy=False)
        after.mime_headers = [("Plural-Forms", PLURALS)]
        for message in marked():
            if message.id:
                known = before.get(message.id)
                files = [(file, 0) for file in dict.fromkeys(file for file, _ in message.locations)]
                after.add(message.id, "" if known is None else known.string, locations=files)
        written = BytesIO()
        write_po(written, after, omit_header=True, include_lineno=False, sort_output=True, width=120)
        header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        header += f'"Plural-Forms: {PLURALS}\\n"\n\n'
        (ROOM / "locale" / f"{language}.po").write_text(header + written.getvalue().decode(), encoding="utf-8")


if __name__ == "__main__":
    assert FIRST == "en"
    main()
