"""Tests of one attempt."""
