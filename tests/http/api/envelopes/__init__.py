"""Envelopes in the Aureum API."""
