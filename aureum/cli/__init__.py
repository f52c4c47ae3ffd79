"""The command line: ``main`` lists the commands, one group a file; ``installation`` opens the database for them."""
