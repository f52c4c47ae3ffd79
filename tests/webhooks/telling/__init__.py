"""Tests of what endpoints are told."""
