"""Semantic routing: which agent an enquiry is for, by what it says and what agents say of themselves.

The way of an enquiry, downwards:

- ``router``: the whole of it; ``decision``: what comes out
- ``comparison``: the cheap signals (language, ``literal`` names, ``ngrams``); no model, no waiting
- ``model_client`` → ``model_server`` (a process of its own, kept by ``model_process``) → ``vectors`` → ``embedding``
  → ``bundled_model``, ``word_pieces``
- ``enquiry`` and ``profile`` make texts ready: ``protected`` words masked, ``negation``, ``language``; ``roster`` keeps
  a brokerage's agents ready; ``glossary`` knows what clients say; ``scores`` weighs

Why so, with measurements: docs/decisions/semantic-routing.md.
"""
