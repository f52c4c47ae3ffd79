"""Pages in a real Chromium. Left out unless asked for with ``-m browser``: it has to be installed, as `.ci/run` does.

It takes every name below example.com for the loopback address, so that a page stands on its brokerage's domain.
"""
