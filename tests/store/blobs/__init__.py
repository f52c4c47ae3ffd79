"""Tests of the bytes of documents."""
