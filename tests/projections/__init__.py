"""Tests of the read models, file for file as in ``aureum/projections``."""
