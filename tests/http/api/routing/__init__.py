"""Agents' profiles, and which agent a lead goes to."""
