"""The DocuSign adapter: what it asks, and what it makes of the answers."""
