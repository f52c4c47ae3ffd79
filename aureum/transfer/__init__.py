"""A brokerage's whole log as a file, and a brokerage made of such a file on another installation.

    exporting.py      the log of one brokerage, line by line, to a file
    log_reader.py     that log, in short statements
    importing.py      the file, line by line, to a brokerage: all of it or nothing
    lines.py          a line: a CloudEvent of one stored event, and the stored event that is made of it
    sealing.py        personal fields under a passphrase
    reading.py        the file from its first line to its last; line_reading.py checks each event
    opening.py        the brokerage itself, in the platform's log
    log_writer.py     the log, with new keys and a new chain of hashes
    documents.py      the bytes of documents
    building.py       the read models of that log
    state.py          a hash of the read models, the same on both installations
    arrival.py        events that close what secrets opened: secrets never leave an installation
    numbers.py        platform-wide integers, which the other installation may have given out already

docs/how-to/move-a-brokerage.md says what comes along and what does not. docs/decisions/moving.md says why.
"""
