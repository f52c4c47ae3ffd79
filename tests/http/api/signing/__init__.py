"""How envelopes are signed, as it is asked from outside."""
