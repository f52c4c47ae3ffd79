"""What ``aureum doctor`` looks at: this machine, and what is kept for each tenant."""
