"""The page that shows every part of the panel, made of the panel's own templates: ``python -m tests.browser.parts``."""

from pathlib import Path
from zoneinfo import ZoneInfo

from aureum.http.panel.assets import STYLES
from aureum.http.panel.fields import Field
from aureum.http.panel.rendering import TEMPLATES
from aureum.http.panel.statuses import STATUSES

FILE = Path(__file__).parents[2] / "docs" / "panel-parts.html"

FIELDS = (
    Field("name", "Name", required=True),
    Field("email", "Email", "email", hint="Enter an email address or a phone number."),
    Field("due", "Due", "time"),
    Field("priority", "Priority", "choice", ("LOW", "MEDIUM", "HIGH")),
    Field("message", "Message", "long"),
    Field("featured", "Featured", "tick"),
)
SEARCH = (Field("search", "Search"), Field("status", "Status", "choice", tuple(STATUSES["lead"])))

ICONS = (
    "inbox-arrow-down",
    "calendar-days",
    "check-circle",
    "users",
    "home-modern",
    "phone",
    "envelope",
    "bolt",
    "key",
)
TONES = ("blue", "teal", "violet", "pink", "amber", "green", "gray", "red")


def parts_page() -> str:
    """The page."""
    template = TEMPLATES.from_string((Path(__file__).parent / "parts_page.html").read_text())
    return template.render(
        styles=STYLES,
        statuses=STATUSES,
        tones=TONES,
        icons=ICONS,
        fields=FIELDS,
        search=SEARCH,
        zone=ZoneInfo("America/Boise"),
    )


def write_parts_page() -> None:
    """Write it to the documentation."""
    FILE.write_text(parts_page() + "\n")


if __name__ == "__main__":
    write_parts_page()
    print(f"The page is in {FILE}.")
