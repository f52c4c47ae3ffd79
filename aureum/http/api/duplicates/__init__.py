"""Suggestions of duplicates: who among contacts and leads may be one person, why, and how sure."""
