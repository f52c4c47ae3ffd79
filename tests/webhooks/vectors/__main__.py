"""Writes docs/webhook-vectors.json."""

from tests.webhooks.vectors import FILE, document

FILE.write_text(document(), encoding="utf-8")
