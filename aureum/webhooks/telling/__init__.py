"""What endpoints are told: messages made of the log, by the projector as it grows and by replays as it was."""
