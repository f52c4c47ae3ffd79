"""The gate of uploads: what is refused and why, and what the process with limits survives."""

import asyncio
import random
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aureum.domain.errors import Busy
from aureum.pdf import objects, process
from aureum.pdf.inspecting import inspect
from aureum.pdf.process import inspected
from aureum.pdf.refusing import MOST_BYTES, TEXTS, Refused, RefusedCode
from tests.pdf.making import PAGE, PAGES, PLAIN, document, packed, raw, stream

ORDINARY = document(2, "Sign here: /sig:buyer1/", "and here /initials:seller_2/")


def catalog(entries: bytes) -> dict[int, bytes]:
    return {1: b"<</Type/Catalog/Pages 2 0 R%s>>" % entries}


def page(entries: bytes) -> dict[int, bytes]:
    return {3: PAGE[:-2] + entries + b">>"}


def with_page(old: bytes, new: bytes) -> bytes:
    return raw(PLAIN, changed={3: PAGE.replace(old, new)})


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def tree(pages: int) -> bytes:
    """One page after the other."""
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 10 + pages))
    leaves = dict.fromkeys(range(10, 10 + pages), PAGE)
    return raw(PLAIN, changed={2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages), **leaves})


def table_of_tables(document: bytes) -> bytes:
    """The table of places names itself as the one before."""
    start = document.rindex(b"\nxref") + 1
    return document.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


def bomb() -> bytes:
    """A stream of objects that would be 4 GB, in 16 KB: zeros, compressed twice."""
    twice = zlib.compress(zlib.compress(bytes(2**26), 9) * 64, 9)
    return packed_bomb(twice)


def packed_bomb(content: bytes) -> bytes:
    whole = packed(b"<<>>")
    old = whole[whole.index(b"8 0 obj") : whole.index(b"endobj", whole.index(b"8 0 obj"))]
    new = b"8 0 obj\n%s\n" % stream(content, b"/Type/ObjStm/N 1/First 4/Filter[/FlateDecode/FlateDecode]")
    longer = len(new) - len(old)
    moved = whole.replace(old, new)
    at = whole.rindex(b"10 0 obj")
    return moved.replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + longer))


def layered(shown: bytes, more: bytes = b"") -> bytes:
    """A document with a layer, and how it is *shown*."""
    properties = b"/OCProperties<</OCGs[9 0 R]/D<</Order[9 0 R]%s>>%s>>" % (shown, more)
    return raw(PLAIN, changed=catalog(properties) | {9: b"<</Type/OCG/Name(Plan)>>"})


SCRIPT = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"

REFUSED: Mapping[str, tuple[RefusedCode, bytes]] = {
    "nothing": ("pdf_not_one", b""),
    "a picture": ("pdf_not_one", b"\x89PNG\r\n\x1a\n" + bytes(2000)),
    "a page of the web": ("pdf_not_one", b"<html><body>%PDF</body></html>"),
    "too large": ("pdf_too_large", b"%PDF-1.7" + bytes(MOST_BYTES)),
    "junk before the header": ("pdf_bytes_before", b"GIF89a" + ORDINARY),
    "a mark before the header": ("pdf_bytes_before", b"\xef\xbb\xbf" + ORDINARY),
    "junk after the end": ("pdf_bytes_after", ORDINARY + bytes(range(1, 200)) * 15),
    "an archive after the end": ("pdf_bytes_after", ORDINARY + b"PK\3\4payload"),
    "blanks without end": ("pdf_bytes_after", ORDINARY + b" " * 3000),
    "the first half": ("pdf_cut_off", ORDINARY[: len(ORDINARY) // 2]),
    "without its last line": ("pdf_cut_off", ORDINARY[: ORDINARY.rindex(b"%%EOF")]),
    "the start of an update": ("pdf_cut_off", ORDINARY + b"9 0 obj\n<<>>\nendo"),
    "encrypted": ("pdf_encrypted", raw(PLAIN, b"/Encrypt<</Filter/Standard/V 1/R 2/P -44>>")),
    "a layer that is hidden": ("pdf_has_layers", layered(b"/OFF[9 0 R]")),
    "a layer that is hidden on paper": (
        "pdf_has_layers",
        layered(b"/AS[<</Event/Print/OCGs[9 0 R]/Category[/Print]>>]"),
    ),
    "layers that are hidden at first": ("pdf_has_layers", layered(b"/BaseState/OFF/ON[9 0 R]")),
    "another set of layers": ("pdf_has_layers", layered(b"", b"/Configs[<</OFF[9 0 R]>>]")),
    "layers without a setting": ("pdf_has_layers", raw(PLAIN, changed=catalog(b"/OCProperties<</OCGs[]>>"))),
    "what is shown where a layer is not": (
        "pdf_has_layers",
        raw(PLAIN, changed={9: b"<</Type/OCMD/OCGs[]/P/AllOff>>"}),
    ),
    "a link that hides a layer": ("pdf_has_layers", raw(PLAIN, changed={9: b"<</S/SetOCGState/State[/OFF 8 0 R]>>"})),
    "a script at the opening": ("pdf_has_scripts", raw(PLAIN, changed=catalog(b"/OpenAction" + SCRIPT))),
    "a script behind a reference": (
        "pdf_has_scripts",
        raw(PLAIN, changed={**catalog(b"/OpenAction 9 0 R"), 9: b"<</S 10 0 R/JS(x)>>", 10: b"/JavaScript"}),
    ),
    "a script of a page": ("pdf_has_scripts", raw(PLAIN, changed=page(b"/AA<</O" + SCRIPT + b">>"))),
    "a script of a note": (
        "pdf_has_scripts",
        raw(PLAIN, changed=page(b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A" + SCRIPT + b">>]")),
    ),
    "a script of the names": (
        "pdf_has_scripts",
        raw(PLAIN, changed=catalog(b"/Names<</JavaScript<</Names[(a)9 0 R]>>>>") | {9: SCRIPT}),
    ),
    "a script of a form's field": (
        "pdf_has_scripts",
        raw(PLAIN, changed=catalog(b"/AcroForm<</Fields[<</FT/Tx/T(a)/AA<</K" + SCRIPT + b">>>>]>>")),
    ),
    "a script spelt otherwise": (
        "pdf_has_scripts",
        raw(PLAIN, changed=catalog(b"/OpenAction<</S/J#61vaScript/#4A#53(x)>>")),
    ),
    "a script in a packed object": ("pdf_has_scripts", packed(SCRIPT)),
    "a script that nothing refers to": ("pdf_has_scripts", raw(PLAIN, changed={9: SCRIPT})),
    "a script as a chapter's next action": (
        "pdf_has_scripts",
        raw(PLAIN, changed={9: b"<</S/GoTo/D[3 0 R/Fit]/Next[<</S/Rendition/JS 10 0 R>>]>>", 10: stream(b"x")}),
    ),
    "a program to start": (
        "pdf_has_actions",
        raw(PLAIN, changed=catalog(b"/OpenAction<</S/Launch/F(cmd.exe)>>")),
    ),
    "a form that sends": ("pdf_has_actions", raw(PLAIN, changed={9: b"<</S/SubmitForm/F(http://example.com)>>"})),
    "a form that asks elsewhere": ("pdf_has_actions", raw(PLAIN, changed={9: b"<</S/ImportData/F(a.fdf)>>"})),
    "files inside": (
        "pdf_has_attachments",
        raw(PLAIN, changed=catalog(b"/Names<</EmbeddedFiles<</Names[(a)9 0 R]>>>>") | {9: b"<</Type/Filespec/F(a)>>"}),
    ),
    "a file as a note": (
        "pdf_has_attachments",
        raw(PLAIN, changed=page(b"/Annots[<</Subtype/FileAttachment/Rect[0 0 9 9]>>]")),
    ),
    "a film": ("pdf_has_attachments", raw(PLAIN, changed=page(b"/Annots[<</Subtype/RichMedia/Rect[0 0 9 9]>>]"))),
    "content in another file": ("pdf_has_attachments", raw(PLAIN, changed={4: stream(b"", b"/F(other.bin)")})),
    "XFA": ("pdf_has_xfa", raw(PLAIN, changed=catalog(b"/AcroForm<</Fields[]/XFA[(x)9 0 R]>>") | {9: stream(b"<a/>")})),
    "signed": (
        "pdf_already_signed",
        raw(PLAIN, changed={9: b"<</Type/Sig/Filter/Adobe.PPKLite/ByteRange[0 1 2 3]/Contents<00>>>"}),
    ),
    "201 pages": ("pdf_too_many_pages", tree(201)),
    "no page": ("pdf_damaged", raw(PLAIN, changed={2: b"<</Type/Pages/Kids[]/Count 0>>"})),
    "a page without a size": ("pdf_page_size", with_page(b"/MediaBox[0 0 612 792]", b"")),
    "a page of a point": ("pdf_page_size", with_page(b"612 792", b"1 1")),
    "a page of a mile": ("pdf_page_size", with_page(b"612 792", b"4561920 792")),
    "a page of words": ("pdf_page_size", with_page(b"612 792", b"/wide /high")),
    "a page askew": ("pdf_page_size", raw(PLAIN, changed=page(b"/Rotate 45"))),
    "a page in other units": ("pdf_page_size", raw(PLAIN, changed=page(b"/UserUnit 75000"))),
    "a wrong count": ("pdf_damaged", raw(PLAIN, changed={2: PAGES.replace(b"/Count 1", b"/Count 7")})),
    "a page twice": ("pdf_damaged", raw(PLAIN, changed={2: b"<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>"})),
    "pages in a circle": ("pdf_damaged", raw(PLAIN, changed={2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"})),
    "no catalog": ("pdf_damaged", raw(PLAIN, changed={1: b"null"})),
    "no table": ("pdf_damaged", b"%PDF-1.7\nstartxref\n0\n%%EOF\n"),
    "a table in a circle": ("pdf_damaged", table_of_tables(raw(PLAIN))),
    "a length in a circle": (
        "pdf_damaged",
        raw(PLAIN, changed={4: b"<</Length 4 0 R>>stream\n\nendstream"}),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    code, data = REFUSED[name]
    with pytest.raises(Refused) as refusal:
        inspect(data)
    assert refusal.value.code == code
    assert refusal.value.text == TEXTS[code] and refusal.value.text.endswith(".")


def test_every_code_is_tried() -> None:
    assert {code for code, _ in REFUSED.values()} | {"pdf_too_complex"} == set(TEXTS)


def test_what_is_taken() -> None:
    found = inspect(ORDINARY)
    assert (found.pages, found.sizes) == (2, ((595.28, 841.89),) * 2)
    assert inspect(raw(PLAIN)).sizes == ((612, 792),)
    assert inspect(packed(b"<</Ordinary true>>")).pages == 1
    assert inspect(ORDINARY + b"\r\n\0").pages == 2
    assert inspect(tree(200)).pages == 200
    assert inspect(raw(PLAIN, changed=page(b"/Unknown 77 0 R"))).pages == 1, "a reference to nothing is null"
    assert inspect(layered(b"/BaseState/ON/ON[9 0 R]/RBGroups[]/AS[]/OFF[]")).pages == 1, "all layers are shown"
    # An empty field for a signature, a link, and a form are ordinary.
    fields = b"/AcroForm<</Fields[<</FT/Sig/T(s)>><</FT/Tx/T(a)/V(b)>>]>>"
    link = b"/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.com)>>>>]"
    assert inspect(raw(PLAIN, changed={**catalog(fields), **page(link)})).pages == 1


@pytest.mark.parametrize(
    ("entries", "box", "size", "at"),
    [
        (b"", b"0 0 612 792", (612, 792), (100, 792 - 650)),
        (b"/Rotate 90", b"0 0 612 792", (792, 612), (650, 100)),
        (b"/Rotate 180", b"0 0 612 792", (612, 792), (612 - 100, 650)),
        (b"/Rotate -90", b"0 0 612 792", (792, 612), (792 - 650, 612 - 100)),
        (b"/CropBox[50 40 562 752]", b"0 0 612 792", (512, 712), (50, 752 - 650)),
        (b"/CropBox[50 40 562 752]/Rotate 270", b"612 792 0 0", (712, 512), (752 - 650, 562 - 100)),
    ],
)
def test_anchors_stand_where_the_page_shows_them(
    entries: bytes, box: bytes, size: tuple[float, float], at: tuple[float, float]
) -> None:
    font = b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    text = b"BT /F 12 Tf 100 650 Td (Buyer: ) Tj ET BT /F 12 Tf 100 650 Td (/sig:buyer1/ \\(/no:/\\)) Tj ET"
    whole = raw(
        PLAIN,
        changed={
            3: PAGE.replace(b"0 0 612 792", box).replace(b"/Resources<<>>", font + entries),
            4: stream(text),
        },
    )
    found = inspect(whole)
    assert found.sizes == (size,)
    (anchor,) = found.anchors
    assert (anchor.text, anchor.page) == ("/sig:buyer1/", 1)
    # The place of the text's line is one of the box's corners, but for the letters' own edges.
    corners = [(x, y) for x in (anchor.x, anchor.x + anchor.width) for y in (anchor.y, anchor.y + anchor.height)]
    assert min(abs(x - at[0]) + abs(y - at[1]) for x, y in corners) < 6
    assert sorted((anchor.width, anchor.height))[1] == pytest.approx(65, abs=5)


def test_the_process_finds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(ORDINARY)
    assert asyncio.run(inspected(path)) == asyncio.run(inspected(ORDINARY)) == inspect(ORDINARY)
    assert [anchor.text for anchor in inspect(ORDINARY).anchors] == ["/sig:buyer1/", "/initials:seller_2/"] * 2
    shown = asyncio.run(process.shown_pages(ORDINARY, [2]))
    assert [(one.media, one.picture[:8], one.text.split("\n")[0]) for one in shown] == [
        ("image/png", b"\x89PNG\r\n\x1a\n", "Page 2")
    ]
    with pytest.raises(OSError):
        asyncio.run(inspected(tmp_path / "gone.pdf"))


HOSTILE = {
    "deep dictionaries": raw(PLAIN, changed={9: b"<</A" * 50_000 + b" 1" + b">>" * 50_000}),
    "a bomb": bomb(),
    "too many objects": raw(PLAIN, changed=dict.fromkeys(range(10, 400), b"1")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MOST_OBJECTS", 300)
    with pytest.raises((Refused, RecursionError)) as refusal:
        inspect(HOSTILE[name])
    assert not isinstance(refusal.value, Refused) or refusal.value.code in ("pdf_too_complex", "pdf_damaged")


def test_a_hostile_file_ends_only_its_process() -> None:
    with pytest.raises(Refused) as refusal:
        asyncio.run(inspected(raw(PLAIN, changed={9: nested(100_000)})))
    assert refusal.value.code == "pdf_too_complex"


def test_a_job_that_hangs_or_is_given_up_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> None:
        with pytest.raises(Refused) as refusal:
            # Not even a process is forked in so short a time.
            await process.run("inspect", ORDINARY, seconds=0.001)
        assert refusal.value.code == "pdf_too_complex"
        given_up = asyncio.create_task(process.run("inspect", ORDINARY))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        # Both places are free again, and a third job waits for one.
        found = await asyncio.gather(*(inspected(ORDINARY) for _ in range(3)))
        assert [one.pages for one in found] == [2, 2, 2]
        monkeypatch.setattr(process, "WAIT_SECONDS", 0.01)
        async with process.place(), process.place():
            with pytest.raises(Busy):
                await inspected(ORDINARY)

    asyncio.run(hang())


def test_what_strangers_send_keeps_no_signer_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both() -> None:
        async with process.place("anyone"):
            assert (await inspected(ORDINARY)).pages == 2
            monkeypatch.setattr(process, "WAIT_SECONDS", 0.01)
            with pytest.raises(Busy):
                await process.verified(ORDINARY, [], "anyone")
            async with process.place(), process.place(), process.place("owner"):
                pass

    asyncio.run(both())


def test_a_job_without_an_answer_is_a_damaged_file() -> None:
    with pytest.raises(Refused) as refusal:
        asyncio.run(process.run("no such job", ORDINARY))
    assert refusal.value.code == "pdf_damaged"


TOKENS = [b"<<", b">>", b"[", b"]", b"0 R", b"obj", b"/Kids", b"/Count", b"-1", b"9" * 20, b"/Prev", b"stream", b"("]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(1, 12), st.sampled_from([ORDINARY, packed(b"<</A[1]>>")]))
def test_broken_files_are_refused_and_nothing_else(dice: random.Random, times: int, whole: bytes) -> None:
    data = bytearray(whole)
    for _ in range(times):
        place = dice.randrange(len(data))
        match dice.randrange(4):
            case 0:
                data[place] = dice.randrange(256)
            case 1:
                data[place:place] = dice.choice(TOKENS)
            case 2:
                del data[place : place + dice.randrange(40)]
            case _:
                other = dice.randrange(len(data))
                data[place : place + 20] = data[other : other + dice.randrange(60)]
    with suppress(Refused, RecursionError):
        assert 1 <= inspect(bytes(data)).pages <= 2
