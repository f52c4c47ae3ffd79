"""The page on which the fields of a draft are placed."""

from aureum.http.panel.envelope_words import field_words
from aureum.http.panel.envelopes import API, HERE
from aureum.http.panel.placing import Placing
from aureum.http.panel.visit import Doc


def signers(envelope: Doc) -> list[tuple[str, str]]:
    """The recipients who sign, by their ids."""
    return [(one["id"], one["name"]) for one in envelope["recipients"] if one["role"] == "signer"]


PAGES = Placing(
    api=API,
    page=HERE,
    who="recipientId",
    people=signers,
    words=field_words,
    title=lambda envelope: str(envelope["subject"]),
    is_open=lambda visit, envelope: bool(envelope["state"] == "draft"),
).pages()
