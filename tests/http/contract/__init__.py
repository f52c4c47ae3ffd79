"""Tests of what all endpoints promise alike."""
