"""Tests of what a brokerage's staff do."""
