"""Tests of the worker, and its faults."""
