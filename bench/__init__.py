"""Measurements: ``python -m bench`` runs them all, in ratios to a yardstick that takes turns on the same machine."""
