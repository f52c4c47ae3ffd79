"""What a signer agrees to before signing electronically, in each language. The texts are evidence.

An event names the version that the signer saw, and the certificate page prints it. So a text that was shown once is
never changed: a new wording gets a new version, and the old one stays here. The golden hashes in the tests hold this.

What the texts must say comes from 15 U.S.C. 7001(c): the right to paper, the right to withdraw and how, what the
consent covers, how to change the address, and what is needed to read and keep the documents.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class ConsentText(NamedTuple):
    """A text by its *version*; *agreed* stands beside the box that the signer ticks."""

    version: str
    language: str
    title: str
    paragraphs: Sequence[str]
    agreed: str

    @property
    def text(self) -> str:
        """All of it, one paragraph a line: what the hash is of, and what the certificate page prints."""
        return "\n".join((self.title, *self.paragraphs, self.agreed))

    @property
    def sha256(self) -> str:
        """Of the text as UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


EN_1 = ConsentText(
    "2026-11.en",
    "en",
    "Consent to electronic records and signatures",
    (
        "You can sign these documents electronically. An electronic signature has the same effect as one on paper. "
        "Read this page first, and agree only if you want to sign this way.",
        "Paper. You may have these documents on paper, and sign on paper, at no cost. Ask the brokerage that sent them "
        "for it, before or after you sign. Its name and address are in the e-mail that brought you here, which you "
        "can also answer.",
        "What your consent covers. It covers only the documents of this request: reading them, signing them, and "
        "getting your copies and the notices about them by e-mail and on this site.",
        "Withdrawing. You may withdraw your consent at any time before you sign, at no cost: choose to decline, or "
        "tell the brokerage. Then nothing is signed electronically, and the brokerage can give you paper. What you "
        "have signed before stays signed.",
        "Your e-mail address. The notices go to the address that you have signed in with. Tell the brokerage if it "
        "changes.",
        "What you need. A phone or computer with an up-to-date browser, an e-mail address that you can read, and a "
        "program that shows PDF files, with space to keep them or a printer to print them.",
        "Your copies. When everyone has signed, you can read and download the complete documents here. Keep a copy of "
        "your own.",
    ),
    "I have read the documents, I can open them on this device, and I agree to sign them electronically.",
)

ES_1 = ConsentText(
    "2026-11.es",
    "es",
    "Consentimiento para documentos y firmas electrónicos",
    (
        "Puede firmar estos documentos de forma electrónica. Una firma electrónica tiene el mismo efecto que una firma "
        "en papel. Lea primero esta página y acepte solo si quiere firmar de esta manera.",
        "Papel. Puede recibir estos documentos en papel, y firmarlos en papel, sin costo. Pídalo a la inmobiliaria que "
        "los envió, antes o después de firmar. Su nombre y su dirección están en el correo que lo trajo aquí, al que "
        "también puede responder.",
        "Qué abarca su consentimiento. Abarca solo los documentos de esta solicitud: leerlos, firmarlos y recibir sus "
        "copias y los avisos sobre ellos por correo electrónico y en este sitio.",
        "Retirarlo. Puede retirar su consentimiento en cualquier momento antes de firmar, sin costo: elija rechazar o "
        "avise a la inmobiliaria. Entonces no se firma nada de forma electrónica, y la inmobiliaria puede darle papel. "
        "Lo que haya firmado antes sigue firmado.",
        "Su dirección de correo. Los avisos llegan a la dirección con la que ha entrado. Avise a la inmobiliaria si "
        "cambia.",
        "Qué necesita. Un teléfono o una computadora con un navegador actual, una dirección de correo que pueda leer y "
        "un programa que muestre archivos PDF, con espacio para guardarlos o una impresora para imprimirlos.",
        "Sus copias. Cuando todos hayan firmado, podrá leer y descargar aquí los documentos completos. Guarde una "
        "copia propia.",
    ),
    "He leído los documentos, puedo abrirlos en este dispositivo y acepto firmarlos de forma electrónica.",
)

CURRENT: Mapping[str, ConsentText] = {one.language: one for one in (EN_1, ES_1)}
"""What a signer is shown now, by language."""

TEXTS: Mapping[str, ConsentText] = {one.version: one for one in (EN_1, ES_1)}
"""Every text that was ever shown, by version."""


def current(language: str) -> ConsentText:
    """The text in a language; in English where there is none."""
    return CURRENT.get(language, EN_1)
