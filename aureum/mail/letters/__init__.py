"""Letters: which events make which of them, and what they say.

    telling    the events of one batch of a log ──▶ letters, within the limits
    composing  a letter ──▶ the bytes of a mail: ``headers``, ``texts`` (the catalogue), ``templates``

``kinds`` lists all kinds of letters.
"""
