"""Tests of leads and the contact form."""
