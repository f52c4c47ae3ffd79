"""What belongs to a contact who is a client: messages, listings, key dates."""
