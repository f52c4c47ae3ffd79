"""Tests of bodies, fields and errors."""
