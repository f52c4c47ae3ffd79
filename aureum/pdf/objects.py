"""All objects of a PDF, reachable or not: a program that repairs a file may reach what this one would not.

The library decodes an object stream again for each object in it. Here each stream is decoded once, and its objects are
handed to the library's cache. So the time is proportional to the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aureum.pdf.refusing import Refused

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

MOST_OBJECTS = 60_000
"""Reading so many takes ten seconds."""

MOST_DEPTH = 100
"""Of containers in containers."""


def all_objects(reader: PdfFileReader) -> Iterator[Any]:
    """Each object as it stands now. Raises Refused, or what the library raises for a damaged file."""
    from pyhanko.pdf_utils.xref import ObjStreamRef

    references = {
        (reference.idnum, reference.generation): reference
        for revision in range(reader.xrefs.total_revisions)
        for reference in reader.xrefs.explicit_refs_in_revision(revision)
    }
    if len(references) > MOST_OBJECTS:
        raise Refused("pdf_too_complex")
    packed: dict[int, set[int]] = {}
    for reference in references.values():
        place = reader.xrefs[reference]
        if isinstance(place, ObjStreamRef):
            packed.setdefault(place.obj_stream_id, set()).add(reference.idnum)
        elif place is not None:
            yield reader.get_object(reference)
    for stream, numbers in packed.items():
        yield from unpacked(reader, stream, numbers)


def unpacked(reader: PdfFileReader, stream: int, numbers: set[int]) -> Iterator[Any]:
    """The objects *numbers* of the object stream with the number *stream*."""
    from pyhanko.pdf_utils import generic, misc
    from pyhanko.pdf_utils.decode_limits import DecodePurpose

    holder = generic.Reference(stream, 0, reader).get_object()
    if not isinstance(holder, generic.StreamObject) or holder.get("/Type") != "/ObjStm":
        raise misc.PdfReadError("an object stream is none")
    data = holder.read_data(DecodePurpose.OBJECT_STREAM)
    first, count = int(holder["/First"]), int(holder["/N"])
    if not 0 <= count <= MOST_OBJECTS:
        raise Refused("pdf_too_complex")
    head = [int(word) for word in data[:first].split()[: 2 * count]]
    content = BytesIO(data)
    for number, offset in zip(head[::2], head[1::2], strict=True):
        if number not in numbers:
            continue
        content.seek(first + offset)
        misc.read_non_whitespace(content, seek_back=True)
        found = generic.read_object(content, generic.Reference(number, 0, reader))
        reader.cache_indirect_object(0, number, found)
        yield found


def dictionaries(found: Any) -> Iterator[Any]:
    """All dictionaries in one object, itself included. What it refers to are other objects."""
    from pyhanko.pdf_utils import generic

    waiting = [(found, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise Refused("pdf_too_complex")
        if isinstance(one, generic.DictionaryObject):
            yield one
            waiting += [(one.raw_get(key), depth + 1) for key in one]
        elif isinstance(one, generic.ArrayObject):
            waiting += [(one.raw_get(place), depth + 1) for place in range(len(one))]
