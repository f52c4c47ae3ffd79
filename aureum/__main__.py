"""`python -m aureum` is the same program as `aureum`."""

from aureum.cli import main

main()
