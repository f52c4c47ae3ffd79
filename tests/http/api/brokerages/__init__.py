"""Tests of brokerages."""
