"""Resources of both APIs, a folder each: their fields, endpoints, and public forms."""
