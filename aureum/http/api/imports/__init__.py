"""Imports of CSV files."""
