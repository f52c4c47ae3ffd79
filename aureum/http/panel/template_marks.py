"""Marks in the text of a template's documents, such as ``/sig:buyer/``: where a field stands at each of them."""

from collections.abc import Iterator
from typing import Any

from aureum.domain.envelope_parts import KINDS
from aureum.http.panel.visit import Doc

KIND_OF = {kind: kind for kind in KINDS} | {"sig": "signature", "init": "initials", "check": "checkbox"}
"""The kind of a field by the word that a mark begins with."""


def fields_at_marks(template: Doc) -> list[dict[str, Any]]:
    """A new field for each mark that names a kind of field and a role that signs, and that has no field yet."""
    taken = {(one["documentId"], one["anchor"]) for one in template["fields"]}
    roles = {plain(one["name"]): one["name"] for one in template["roles"] if one["role"] == "signer"}
    return [
        {"role": roles[who], "documentId": document, "kind": KIND_OF[kind], "anchor": mark}
        for document, mark, kind, who in marks(template)
        if kind in KIND_OF and who in roles and (document, mark) not in taken
    ]


def marks(template: Doc) -> Iterator[tuple[str, str, str, str]]:
    """Each document's id with a mark of it, the kind that it names, and the role."""
    for document in template["documents"]:
        for mark in document["anchors"]:
            kind, _, who = mark.strip("/").partition(":")
            yield document["id"], mark, kind, plain(who)


def plain(name: str) -> str:
    """A role as a mark may name it: ``Buyer 1`` is ``buyer1`` there."""
    return "".join(name.split()).casefold()
