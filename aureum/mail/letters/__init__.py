"""Letters: which events make them, which people get them, and what they say.

    occasions  the events of one batch of a log ──▶ what there is to write about
    telling    an occasion ──▶ letters to those it concerns, within the limits
    composing  a letter ──▶ the bytes of a mail: ``headers``, ``texts`` (the catalogue), ``templates``

``kinds`` lists all kinds of letters.
"""
