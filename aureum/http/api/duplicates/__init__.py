"""Suggestions of duplicates: contacts and leads that may be one person, with the reasons and how sure they are."""
