"""Writes docs/webhook-vectors.json."""

from tests.webhooks.sending.vectors import FILE, document

FILE.write_text(document(), encoding="utf-8")
