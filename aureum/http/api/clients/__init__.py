"""What stands around a contact who is a client: messages, listings, key dates."""
