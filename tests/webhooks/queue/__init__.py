"""Tests of the queue of deliveries."""
