"""Documents as PDF: what is looked at, shown, stamped, sealed and judged. Functions over bytes, without a database.

What a stranger uploaded is parsed in a process with limits of memory and time (``process.py``).
"""
