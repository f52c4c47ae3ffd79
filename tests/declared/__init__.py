"""A resource of the tests' own, declared in one file and one line, has all that the others have."""
