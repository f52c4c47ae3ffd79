"""Tests of PostgreSQL, embedded or not."""
