"""Tests of the HTTP edge, file for file as in ``aureum/http``."""
