"""The ceremony of signing: identify, read, agree, adopt a signature, fill in, finish; or decline (docs/portal.md).

    lists          the client's envelopes
    one            the first page of an envelope: how things stand, what to do, what was sealed
    identifying    a fresh code, where the sign-in is older than 15 minutes
    reading        pages as pictures with their text, and the PDF that was sent
    consenting     the text by which a client agrees
    signing        the form by which a client signs; signing_form reads it, signing_page shows the documents around it
    declining      or not
    at_docusign    on to DocuSign, for what is signed there
    case           the envelope as the client who asks stands to it: every page begins there
    standing       which page comes next

Everything is judged anew for each request. So a second tab, the back button, and what others did meanwhile lead to the
page that fits.
"""

from aureum.http.portal.documents import at_docusign, consenting, declining, identifying, lists, one, reading, signing
from aureum.http.portal.page import PortalPage

PAGES: tuple[PortalPage, ...] = (
    *lists.PAGES,
    *one.PAGES,
    *identifying.PAGES,
    *reading.PAGES,
    *consenting.PAGES,
    *signing.PAGES,
    *declining.PAGES,
    *at_docusign.PAGES,
)
