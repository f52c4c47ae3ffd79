"""Tests of what the API does for a person as a whole."""
