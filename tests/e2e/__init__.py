"""The running system, as people start it: real processes, real signals, real sockets on the loopback address."""
