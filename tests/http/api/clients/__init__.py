"""What stands around clients."""
