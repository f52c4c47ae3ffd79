"""What is not used costs nothing: the libraries of documents are imported by the functions that need them."""

import subprocess
import sys

LARGE = (
    *("pyhanko", "pyhanko_certvalidator", "reportlab", "pypdfium2", "asn1crypto", "lxml", "PIL", "requests"),
    *("uharfbuzz", "fontpkg_noto_sans", "fontpkg_caveat", "babel"),
)

PROGRAM = f"""
import sys
import aureum.app, aureum.http.server.routes, aureum.worker.worker, aureum.pdf.process, aureum.signing.completing
print([name for name in {LARGE!r} if name in sys.modules])
"""


def test_no_process_imports_the_libraries_of_documents_before_it_needs_them() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60)
    assert said.stdout == "[]\n"
