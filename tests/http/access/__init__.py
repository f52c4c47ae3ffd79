"""Tests of who calls and whether they may."""
