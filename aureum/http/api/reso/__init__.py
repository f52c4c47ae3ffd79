"""What RESO has standards for, in its words: the stream of events, and properties."""
