"""Tests of the resources of both APIs, a folder each."""
