"""The list of templates of envelopes: a row a template, with the template as the Aureum API shows it."""

from typing import Any
from uuid import UUID

from aureum.domain.envelope_parts import Document, Field, field_of
from aureum.domain.envelope_template import EnvelopeTemplate
from aureum.domain.ids import aureum_time, to_wire
from aureum.domain.template_roles import Role, role_id
from aureum.projections.document_list import DocumentList, Row, View, erased, wire_or_none
from aureum.projections.list_filters import UPDATED_SINCE

SHOWN = {
    "name": "name",
    "subject": "subject",
    "message": "message",
    "in_order": "inOrder",
    "deadline_days": "deadlineDays",
}
"""What may change by itself, and how it is called in ``doc``."""


def step(row: Row | None, event: Any) -> Row | None:
    """What *event* makes of a template's row; events of other aggregates leave it as it is."""
    match event:
        case EnvelopeTemplate.Added():
            at = aureum_time(event.timestamp)
            return {
                "template_id": event.originator_id,
                "stream_version": event.originator_version,
                "updated_at": event.timestamp,
                "doc": {
                    "id": to_wire(event.originator_id),
                    **{wire: getattr(event, name) for name, wire in SHOWN.items()},
                    "roles": [],
                    "documents": [],
                    "fields": [],
                    "createdById": wire_or_none(event.created_by),
                    "createdAt": at,
                    "updatedAt": at,
                },
            }
        case EnvelopeTemplate.Removed() if row is not None:
            return erased(row, event)
        case EnvelopeTemplate.Event() if row is not None:
            return row | {
                "stream_version": event.originator_version,
                "updated_at": event.timestamp,
                "doc": row["doc"] | said(row["doc"], event) | {"updatedAt": aureum_time(event.timestamp)},
            }
    return row


def said(doc: Row, event: Any) -> Row:
    """What *event* changes in ``doc``."""
    match event:
        case EnvelopeTemplate.Changed():
            # Those of a template that was removed are a placeholder.
            texts = event.texts if isinstance(event.texts, dict) else {}
            return {SHOWN[name]: value for name, value in {**texts, **event.settings}.items()}
        case EnvelopeTemplate.RolesChanged():
            signing = {one["name"] for one in event.roles if one["role"] == "signer"}
            return {
                "roles": [role_shown(Role(**one)) for one in event.roles],
                "fields": [one for one in doc["fields"] if one["role"] in signing],
            }
        case EnvelopeTemplate.DocumentAttached():
            anchors = tuple(event.anchors) if isinstance(event.anchors, list) else ()
            one = Document(event.document_id, event.name, event.sha256, event.bytes, event.pages, anchors)
            return attached(doc, document_shown(one), wire_or_none(event.replaces))
        case EnvelopeTemplate.DocumentRemoved():
            gone = to_wire(event.document_id)
            return {
                "documents": [one for one in doc["documents"] if one["id"] != gone],
                "fields": [one for one in doc["fields"] if one["documentId"] != gone],
            }
        case EnvelopeTemplate.FieldsPlaced():
            names = {role_id(one["name"]): one["name"] for one in doc["roles"]}
            fields = event.fields if isinstance(event.fields, list) else []
            return {"fields": [field_shown(field_of(one), names) for one in fields]}
    return {}


def attached(doc: Row, new: Row, replaces: str | None) -> Row:
    """What a new document changes in ``doc``; the fields of the one that it replaces are on it."""
    if replaces is None:
        return {"documents": [*doc["documents"], new]}
    return {
        "documents": [new if one["id"] == replaces else one for one in doc["documents"]],
        "fields": [one | {"documentId": new["id"]} if one["documentId"] == replaces else one for one in doc["fields"]],
    }


def document(template: EnvelopeTemplate) -> Row:
    """A template as the Aureum API shows it, of the aggregate."""
    names = {one.id: one.name for one in template.roles}
    return {
        "id": to_wire(template.id),
        **{wire: getattr(template, name) for name, wire in SHOWN.items()},
        "roles": [role_shown(one) for one in template.roles],
        "documents": [document_shown(one) for one in template.documents.values()],
        "fields": [field_shown(one, names) for one in template.fields],
        "createdById": wire_or_none(template.created_by),
        "createdAt": aureum_time(template.created_on),
        "updatedAt": aureum_time(template.modified_on),
    } | ({"erased": True} if template.erased else {})


def role_shown(one: Role) -> Row:
    """A role."""
    return {"name": one.name, "role": one.role, "order": one.order}


def document_shown(one: Document) -> Row:
    """A document, also as the answer to its upload."""
    return {
        "id": to_wire(one.id),
        "name": one.name,
        "bytes": one.bytes,
        "pages": one.pages,
        "sha256": one.sha256,
        "anchors": list(one.anchors),
    }


def field_shown(one: Field, names: dict[UUID, str]) -> Row:
    """A field, by the name of its role."""
    return {
        "id": to_wire(one.id),
        "role": names.get(one.recipient_id),
        "documentId": to_wire(one.document_id),
        "kind": one.kind,
        "required": one.required,
        "label": one.label,
        "anchor": one.anchor,
        "page": one.page,
        "x": one.x,
        "y": one.y,
        "width": one.width,
        "height": one.height,
    }


TEMPLATES = View("envelope_template", (UPDATED_SINCE,))

LIST = DocumentList(
    "envelope_template_list",
    "envelope_template",
    {
        "template_id": "uuid",
        "stream_version": "int4",
        "updated_at": "timestamptz",
        "doc": "text",
    },
    EnvelopeTemplate,
    step,
    step_version=1,
    views=(TEMPLATES,),
)
