"""Examples for the OpenAPI document: real answers, which ``tests/http/every/test_examples.py`` has recorded into
``examples.json`` and holds against what the server answers now. Ids and times are made the same each time.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from aureum.http.wire.error_codes import Code

FILE = Path(__file__).with_suffix(".json")


class Examples(NamedTuple):
    """*answers*: successes by operationId and status. *refusals*: by dialect and status, then by code. *messages*:
    bodies of webhooks by event."""

    answers: Mapping[str, Mapping[str, Any]]
    refusals: Mapping[str, Mapping[Code, Any]]
    messages: Mapping[str, Any]


@cache
def examples() -> Examples:
    """All that are recorded."""
    return Examples(**orjson.loads(FILE.read_bytes()))
