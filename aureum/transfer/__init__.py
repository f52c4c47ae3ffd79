"""A brokerage's whole log as a file, and a brokerage made of such a file on another installation.

    exporting.py   the log of one brokerage, line by line, to a file
    importing.py   the file, line by line, to a brokerage: all of it or nothing
    lines.py       what a line looks like, both ways: a CloudEvent of one stored event
    sealing.py     personal fields under a passphrase
    state.py       a hash of what people read, the same on both installations
    arrival.py     what must change when a brokerage arrives: secrets, which never leave, and names that are taken
    numbers.py     the platform-wide integers, which another installation may have given out already

docs/how-to/move-a-brokerage.md says what comes along and what does not. docs/decisions/moving.md says why.
"""
