"""What an installation says of itself: whether it lives, and what there is at its address."""
