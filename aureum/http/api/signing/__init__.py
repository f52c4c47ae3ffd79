"""What is asked from outside about how envelopes are signed."""
