"""Tests of what an installation says of itself."""
