"""Letters: which events make which of them, and what they say."""
