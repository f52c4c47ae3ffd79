"""Why a PDF is refused: each reason has a code for programs and a sentence for the person who uploads it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

RefusedCode = Literal[
    "pdf_not_one",
    "pdf_too_large",
    "pdf_bytes_before",
    "pdf_bytes_after",
    "pdf_cut_off",
    "pdf_encrypted",
    "pdf_damaged",
    "pdf_too_complex",
    "pdf_too_many_pages",
    "pdf_page_size",
    "pdf_has_scripts",
    "pdf_has_actions",
    "pdf_has_attachments",
    "pdf_has_xfa",
    "pdf_has_layers",
    "pdf_already_signed",
]

MOST_BYTES = 25 * 2**20
MOST_SEALED = 32 * 2**20
"""A sealed file is larger than what was sent, by stamps and the certificate page."""

MOST_PAGES = 200

PRINT = "Print it to a new PDF, then upload that one."


class Reason(NamedTuple):
    """What is wrong with the PDF, and what the person does about it."""

    means: str
    remedy: str


REASONS: Mapping[RefusedCode, Reason] = {
    "pdf_not_one": Reason("This file is not a PDF.", "Upload a PDF document."),
    "pdf_too_large": Reason(
        f"This PDF is larger than {MOST_BYTES // 2**20} MB.", "Make it smaller, or split it into parts."
    ),
    "pdf_bytes_before": Reason("This file has other data before the PDF begins.", PRINT),
    "pdf_bytes_after": Reason("This file has other data after the PDF ends.", PRINT),
    "pdf_cut_off": Reason("This PDF is incomplete: its end is missing.", "Upload the whole file again."),
    "pdf_encrypted": Reason("This PDF is protected by a password or by restrictions.", PRINT),
    "pdf_damaged": Reason("This PDF is damaged and cannot be read.", PRINT),
    "pdf_too_complex": Reason("This PDF takes too much time or memory to read.", PRINT),
    "pdf_too_many_pages": Reason(f"This PDF has more than {MOST_PAGES} pages.", "Split it into parts."),
    "pdf_page_size": Reason(
        "A page of this PDF is smaller than an inch, larger than 100 inches, or has no size.",
        "Print it to a new PDF with pages of an ordinary size, then upload that one.",
    ),
    "pdf_has_scripts": Reason("This PDF contains JavaScript, which could change what it shows.", PRINT),
    "pdf_has_actions": Reason("This PDF contains actions that open programs or send data.", PRINT),
    "pdf_has_attachments": Reason("This PDF contains other files, sound or video, which cannot be signed.", PRINT),
    "pdf_has_xfa": Reason("This PDF is an XFA form, which shows different content in different programs.", PRINT),
    "pdf_has_layers": Reason(
        "This PDF has layers that some programs hide and others show, so that people would see different documents.",
        PRINT,
    ),
    "pdf_already_signed": Reason("This PDF already has a digital signature, which new signatures would break.", PRINT),
}

TEXTS: Mapping[RefusedCode, str] = {code: " ".join(reason) for code, reason in REASONS.items()}
"""Both, as the person reads them."""


class Refused(Exception):
    """This PDF cannot be taken. ``code`` is for programs, ``text`` for a person."""

    def __init__(self, code: RefusedCode) -> None:
        super().__init__(TEXTS[code])
        self.code: RefusedCode = code
        self.text = TEXTS[code]
