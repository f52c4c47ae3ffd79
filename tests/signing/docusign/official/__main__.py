"""Makes ``esignature.json`` of DocuSign's own file, whose path is the argument."""

import json
import sys
from pathlib import Path
from typing import Any

OPERATIONS = (
    ("/v2.1/accounts/{accountId}", "get"),
    ("/v2.1/accounts/{accountId}/envelopes", "post"),
    ("/v2.1/accounts/{accountId}/envelopes", "get"),
    ("/v2.1/accounts/{accountId}/envelopes/{envelopeId}", "get"),
    ("/v2.1/accounts/{accountId}/envelopes/{envelopeId}", "put"),
    ("/v2.1/accounts/{accountId}/envelopes/{envelopeId}/documents/{documentId}", "get"),
    ("/v2.1/accounts/{accountId}/envelopes/{envelopeId}/views/recipient", "post"),
    ("/v2.1/accounts/{accountId}/folders/{folderId}", "put"),
)
OBJECTS = (
    *("envelopeDefinition", "document", "recipients", "signer", "tabs", "notification", "reminders", "expirations"),
    *("signHere", "initialHere", "dateSigned", "fullName", "text", "checkbox"),
    *("recipientViewRequest", "envelope", "foldersRequest"),
    *("accountInformation", "envelopeSummary", "envelopesInformation", "envelopeTransactionStatus", "viewUrl"),
    *("envelopeUpdateSummary", "foldersResponse"),
)


def shape(schema: dict[str, Any]) -> dict[str, Any]:
    """The type of a property."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]} if schema["$ref"].rpartition("/")[2] in OBJECTS else {}
    if schema.get("type") == "array":
        return {"type": "array", "items": shape(schema["items"])}
    return {"type": schema["type"]} if "type" in schema else {}


def used(document: dict[str, Any]) -> dict[str, Any]:
    """The part of *document* that is used."""
    paths: dict[str, Any] = {}
    for path, method in OPERATIONS:
        operation = document["paths"][path][method]
        parameters = [
            {"name": one["name"], "in": one["in"], **({"schema": one["schema"]} if "schema" in one else {})}
            for one in operation["parameters"]
        ]
        answers = {status: {"schema": one.get("schema", {})} for status, one in operation["responses"].items()}
        paths.setdefault(path, {})[method] = {
            "operationId": operation["operationId"],
            "parameters": parameters,
            "responses": {status: one for status, one in answers.items() if status != "400"},
        }
    definitions = {
        name: {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                field: shape(schema) for field, schema in document["definitions"][name]["properties"].items()
            },
        }
        for name in OBJECTS
    }
    return {
        "swagger": "2.0",
        "info": document["info"] | {"description": ""},
        "paths": paths,
        "definitions": definitions,
    }


if __name__ == "__main__":
    made = used(json.loads(Path(sys.argv[1]).read_text()))
    lines = ",\n".join(
        f"{json.dumps(name)}: "
        + (
            "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in part.items()) + "\n}"
            if name in ("paths", "definitions")
            else json.dumps(part)
        )
        for name, part in made.items()
    )
    (Path(__file__).parent / "esignature.json").write_text("{\n" + lines + "\n}\n")
