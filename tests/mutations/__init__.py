"""Small mistakes that a developer will make some day, each of which ``make check`` or ``make test`` must catch."""
