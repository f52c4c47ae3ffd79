"""Tests of tour requests and showings."""
