"""The HTTP edge: who asks, what they sent, and the answer in the dialect of the document they read."""
