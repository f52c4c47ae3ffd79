"""Tests of the protocol, its limits and the edge."""
