"""Envelopes: documents that are sent to be signed."""
