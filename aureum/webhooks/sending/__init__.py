"""One attempt over the network: signed, to addresses that may be called, with its answer judged. Knows no queue."""
