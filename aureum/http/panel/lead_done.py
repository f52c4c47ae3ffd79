"""What the list and the board of leads say that another page has done before it led there."""

from collections.abc import Mapping

DONE = {
    "assign": "assigned",
    "status": "moved to another status",
    "task": "given a task",
    "note": "given a note",
}
"""What was done to leads that were selected."""

SAID = {
    "changed": "The lead was saved.",
    "view": "The view was saved. Find it under Views.",
    "none": "Select some leads first: tick the boxes next to their names.",
}


def done(params: Mapping[str, str]) -> str | None:
    """What another page has done before it led here."""
    what, number = params.get("done", ""), params.get("n", "1")
    if what in SAID:
        return SAID[what]
    if what not in DONE or not (number.isascii() and number.isdigit()):
        return None
    return f"{number} {'lead was' if number == '1' else 'leads were'} {DONE[what]}."
