"""Leads: the Aureum API's list and changes, the Leads API's list and count, the contact form."""
