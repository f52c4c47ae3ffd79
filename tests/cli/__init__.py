"""The command line: what it prints for scripts and for people, and how it refuses."""
